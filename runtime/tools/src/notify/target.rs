//! Where notifications go: what each kind of receiver is sent, and how it knows the sender.

use hmac::{Hmac, Mac as _};
use provost_domain::ids::Digest;
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_http::is_in_the_clear;
use reqwest::Url;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

/// Longest `summary` of PagerDuty's Events API, in characters.
const SUMMARY_MAX: usize = 1024;

/// Where a notification goes.
#[derive(Debug, Clone)]
pub(super) enum NotifySettings {
    /// A server that takes the call's arguments as JSON.
    Webhook {
        /// Its address.
        url: String,
        /// Signs what is sent: `X-Provost-Signature: t=SECONDS,v1=HEX`, HMAC-SHA256 over `SECONDS.BODY`.
        secret: Option<SecretString>,
    },
    /// PagerDuty's Events API, version 2.
    Pagerduty {
        /// Its address, of the whole path.
        url: String,
        /// Who is paged.
        routing_key: SecretString,
    },
}

/// A checked target.
#[derive(Debug)]
pub(super) struct Target {
    url: Url,
    kind: Receiver,
}

#[derive(Debug)]
enum Receiver {
    Webhook(Option<SecretString>),
    Pagerduty(SecretString),
}

impl Target {
    /// An error says what is wrong with the settings.
    pub(super) fn new(settings: &NotifySettings) -> Result<Self, String> {
        let (address, kind) = match settings {
            NotifySettings::Webhook { url, secret } => (url, Receiver::Webhook(secret.clone())),
            NotifySettings::Pagerduty { url, routing_key } => (url, Receiver::Pagerduty(routing_key.clone())),
        };
        let url = Url::parse(address).map_err(|error| error.to_string())?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!("the scheme is `{}`", url.scheme()));
        }
        match kind {
            Receiver::Pagerduty(_) if is_in_the_clear(&url) => {
                Err("the routing key would cross the network in the clear; use https".to_owned())
            }
            Receiver::Pagerduty(_) | Receiver::Webhook(_) => Ok(Self { url, kind }),
        }
    }

    pub(super) fn url(&self) -> Url {
        self.url.clone()
    }

    /// What is sent.
    pub(super) fn body(&self, call: &ToolCall) -> Vec<u8> {
        match &self.kind {
            Receiver::Webhook(_) => call.args.to_string().into_bytes(),
            Receiver::Pagerduty(key) => event(call, key).to_string().into_bytes(),
        }
    }

    /// The signature's header.
    pub(super) fn signature(&self, body: &[u8], now: Timestamp) -> Option<String> {
        match &self.kind {
            Receiver::Webhook(Some(secret)) => sign(secret, now.micros() / 1_000_000, body),
            Receiver::Webhook(None) | Receiver::Pagerduty(_) => None,
        }
    }

    /// An answer without the secret, which a receiver may have put into it.
    pub(super) fn answer(&self, answer: Value) -> Value {
        match answer {
            Value::String(text) => Value::String(self.without_secrets(&text)),
            Value::Array(list) => list.into_iter().map(|value| self.answer(value)).collect(),
            Value::Object(object) => object.into_iter().map(|(key, value)| (key, self.answer(value))).collect(),
            plain @ (Value::Null | Value::Bool(_) | Value::Number(_)) => plain,
        }
    }

    /// A text without the secret.
    pub(super) fn without_secrets(&self, text: &str) -> String {
        match &self.kind {
            Receiver::Webhook(Some(secret)) | Receiver::Pagerduty(secret) => {
                text.replace(secret.expose_secret(), "[redacted]")
            }
            Receiver::Webhook(None) => text.to_owned(),
        }
    }
}

/// Nothing only if the secret could be no key; any text can.
fn sign(secret: &SecretString, seconds: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.expose_secret().as_bytes()).ok()?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let code = Digest::from_bytes(mac.finalize().into_bytes().into());
    Some(format!("t={seconds},v1={}", code.hex()))
}

/// The call as an event. Its key is the `dedup_key`, so that one sent twice pages once.
fn event(call: &ToolCall, key: &SecretString) -> Value {
    let text = |name: &str| call.args.get(name).and_then(Value::as_str);
    let about = [text("team"), text("reason")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    let summary = text("summary").map_or(about, str::to_owned);
    let severity = match text("severity") {
        Some("critical") => "critical",
        Some("medium") => "warning",
        Some("low") => "info",
        Some(_) | None => "error",
    };
    json!({
        "routing_key": key.expose_secret(),
        "event_action": "trigger",
        "dedup_key": call.key,
        "client": "Provost",
        "payload": {
            "summary": summary.chars().take(SUMMARY_MAX).collect::<String>(),
            "source": "provost",
            "severity": severity,
            "custom_details": &*call.args,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_others_compute() {
        let secret = SecretString::from("It's a Secret to Everybody");
        // Made with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"`.
        let expect = "t=1700000000,v1=51538ab6f6314bb1f45de59d49edd93447bd4ca11fd52ee2fc1bb150735de0c6";
        assert_eq!(sign(&secret, 1_700_000_000, b"{\"a\":1}").unwrap(), expect);
    }

    #[test]
    fn a_target_that_cannot_be_reached_safely_is_refused() {
        let pager = |url: &str| NotifySettings::Pagerduty { url: url.to_owned(), routing_key: "k".into() };
        let hook = |url: &str| NotifySettings::Webhook { url: url.to_owned(), secret: None };
        for (settings, part) in [
            (hook("nowhere"), "relative URL"),
            (hook("ftp://example.org"), "the scheme is `ftp`"),
            (pager("http://example.org/v2/enqueue"), "in the clear"),
        ] {
            let error = Target::new(&settings).unwrap_err();
            assert!(error.contains(part), "{error}");
        }
        for settings in [
            hook("http://example.org/x"),
            hook("https://example.org/x"),
            pager("http://127.0.0.1:9/v2/enqueue"),
            pager("http://[::1]/"),
            pager("https://example.org/v2/enqueue"),
        ] {
            Target::new(&settings).unwrap();
        }
    }
}
