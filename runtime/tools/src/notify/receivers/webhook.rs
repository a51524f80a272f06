//! A server of one's own that takes JSON.

use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, Mac as _};
use provost_domain::attention::AttentionNotice;
use provost_domain::ids::Digest;
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_form::{ErrorLog, ReadSecret, SecretPlace, Table};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use sha2::Sha256;

use super::receiver::{BadReceiver, OwnSection, Receiver, ReceiverSection};
use super::web;
use crate::http::PostFailure;

pub(super) const KEYS: &[&str] = &["kind", "url", "secret", "outbox"];
/// How a secret of Standard Webhooks begins; its key stands behind it in base64.
const WHSEC: &str = "whsec_";

/// A webhook has no default address: nothing goes to a server nobody named.
#[derive(Debug)]
pub(super) struct WebhookSection {
    url: String,
    secret: Option<SecretPlace>,
}

impl OwnSection for WebhookSection {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self { url: table.required("url", log), secret: table.optional("secret", log) }
    }
}

impl ReceiverSection for WebhookSection {
    fn places(&self) -> Vec<&SecretPlace> {
        self.secret.iter().collect()
    }

    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        let secret = self.secret.as_ref().map(secret).transpose()?;
        Ok(Arc::new(WebhookReceiver { url: web::address(&self.url)?, secret }))
    }
}

#[derive(Debug)]
struct WebhookReceiver {
    url: Url,
    /// Signs what is sent.
    secret: Option<SecretString>,
}

#[async_trait]
impl Receiver for WebhookReceiver {
    async fn send(&self, call: &ToolCall, client: &Client, now: Timestamp) -> Result<Value, PostFailure> {
        let body = body(call);
        let seconds = now.micros() / 1_000_000;
        let secret = self.secret.as_ref().map(SecretString::expose_secret);
        let signed = secret.and_then(|secret| sign(secret, seconds, &body));
        let standard = secret.and_then(|secret| standard(secret, &call.key, seconds, &body));
        let request = web::request(client, &self.url, &call.key, body);
        let request = request.header("webhook-id", &call.key).header("webhook-timestamp", seconds);
        let request = match signed.zip(standard) {
            Some((own, standard)) => request.header("X-Provost-Signature", own).header("webhook-signature", standard),
            None => request,
        };
        web::send(request).await
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.secret.iter().collect()
    }
}

/// An agent's message is its arguments; the runtime's says of itself what it is.
fn body(call: &ToolCall) -> Vec<u8> {
    match AttentionNotice::of(call) {
        None => call.args.to_string().into_bytes(),
        Some(notice) => {
            let step = serde_json::to_value(notice.step).unwrap_or_default();
            let kind = format!("provost.attention.{}", step.as_str().unwrap_or_default());
            json!({"type": kind, "timestamp": notice.at.to_string(), "data": *call.args}).to_string().into_bytes()
        }
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over `SECONDS.BODY`. Nothing only if the secret could be no key; any text can.
fn sign(secret: &str, seconds: i64, body: &[u8]) -> Option<String> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).ok()?;
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let code = Digest::from_bytes(mac.finalize().into_bytes().into());
    Some(format!("t={seconds},v1={}", code.hex()))
}

/// The signature of Standard Webhooks: `v1,BASE64`, HMAC-SHA256 over `ID.SECONDS.BODY`. A secret that begins with `whsec_` is
/// its key in base64; any other is the key itself.
fn standard(secret: &str, id: &str, seconds: i64, body: &[u8]) -> Option<String> {
    let coded = secret.strip_prefix(WHSEC).and_then(|coded| STANDARD.decode(coded).ok());
    let key = coded.unwrap_or_else(|| secret.as_bytes().to_vec());
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).ok()?;
    mac.update(format!("{id}.{seconds}.").as_bytes());
    mac.update(body);
    Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_others_compute() {
        // Made with `printf '1700000000.{"a":1}' | openssl dgst -sha256 -hmac "It's a Secret to Everybody"`.
        let expect = "t=1700000000,v1=51538ab6f6314bb1f45de59d49edd93447bd4ca11fd52ee2fc1bb150735de0c6";
        assert_eq!(sign("It's a Secret to Everybody", 1_700_000_000, b"{\"a\":1}").unwrap(), expect);
    }

    #[test]
    fn the_standard_signature_is_that_of_its_specification() {
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = standard(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, b"{\"test\": 2432232314}");
        assert_eq!(signed.unwrap(), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }
}
