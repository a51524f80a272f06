//! Mail by SMTP.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use lettre::message::header::{HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use provost_domain::failure::FailureKind;
use provost_domain::ids::Digest;
use provost_domain::time::Timestamp;
use provost_domain::tool::{Happened, ToolCall};
use provost_form::{At, Count, ErrorLog, FromYaml, ReadSecret, SecretPlace, Table, YamlNode, words};
use reqwest::Client;
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;
use serde_json::Value;
use tokio::time::timeout;

use super::letter::{Letter, Part, Urgency};
use super::receiver::{BadReceiver, OwnSection, Receiver, ReceiverSection};
use crate::http::PostFailure;

pub(super) const KEYS: &[&str] = &["kind", "host", "port", "security", "username", "password", "from", "to", "outbox"];
/// How long one attempt may take, with a greylisting server's slow greeting.
const ATTEMPT: Duration = Duration::from_secs(15);
/// Most people of one target.
const TO_MAX: usize = 20;

/// How the way to the server is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Security {
    /// The connection begins in the clear and must become TLS.
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// Nothing: to this machine only.
    None,
}

words! { impl Security = Security::Starttls; }

impl Security {
    const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }
}

/// The address of a person, with or without a name.
#[derive(Debug, Clone)]
struct Address(Option<Mailbox>);

impl FromYaml for Address {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let text = String::read(node, log)?;
        let refused = |_| log.report(node.place, "not an address of mail", "write `name@example.org`");
        text.parse().map_err(refused).ok().map(|mailbox| Self(Some(mailbox)))
    }

    fn blank() -> Self {
        Self(None)
    }
}

#[derive(Debug)]
pub(super) struct EmailSection {
    host: String,
    port: Option<Count<1>>,
    security: Security,
    username: Option<String>,
    password: Option<SecretPlace>,
    from: Address,
    to: At<Vec<Address>>,
}

impl OwnSection for EmailSection {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let to: At<Vec<Address>> = table.required("to", log);
        if table.get("to").is_some_and(YamlNode::is_list) && !(1..=TO_MAX).contains(&to.len()) {
            log.report(to.place, format!("{} addresses", to.len()), format!("write from 1 to {TO_MAX}"));
        }
        Self {
            host: table.required("host", log),
            port: table.optional("port", log),
            security: table.optional("security", log).unwrap_or(Security::Starttls),
            username: table.optional("username", log),
            password: table.optional("password", log),
            from: table.required("from", log),
            to,
        }
    }
}

impl ReceiverSection for EmailSection {
    fn places(&self) -> Vec<&SecretPlace> {
        self.password.iter().collect()
    }

    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        let wrong = |detail: String| BadReceiver::Settings(detail);
        let host = self.host.trim();
        let here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        if self.security == Security::None && !here {
            return Err(wrong("the mail would cross the network in the clear; use starttls or tls".to_owned()));
        }
        let parameters = || TlsParameters::new(host.to_owned()).map_err(|error| wrong(error.to_string()));
        let tls = match self.security {
            Security::Starttls => Tls::Required(parameters()?),
            Security::Tls => Tls::Wrapper(parameters()?),
            Security::None => Tls::None,
        };
        let port = self.port.map_or(self.security.port(), |port| u16::try_from(port.0).unwrap_or(u16::MAX));
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(host).port(port).tls(tls);
        let transport = transport.timeout(Some(ATTEMPT));
        let password = self.password.as_ref().map(secret).transpose()?;
        let transport = match (&self.username, &password) {
            (Some(name), Some(password)) => {
                transport.credentials(Credentials::new(name.clone(), password.expose_secret().to_owned()))
            }
            (None, None) => transport,
            _ => return Err(wrong("it has a username or a password, not both; write both or none".to_owned())),
        };
        let from = self.from.0.clone().ok_or_else(|| wrong("it has no sender".to_owned()))?;
        let to = self.to.iter().filter_map(|address| address.0.clone()).collect();
        Ok(Arc::new(Email { transport: transport.build(), from, to, password }))
    }
}

#[derive(Debug)]
struct Email {
    transport: AsyncSmtpTransport<Tokio1Executor>,
    from: Mailbox,
    to: Vec<Mailbox>,
    password: Option<SecretString>,
}

#[async_trait]
impl Receiver for Email {
    async fn send(&self, call: &ToolCall, _: &Client, now: Timestamp) -> Result<Value, PostFailure> {
        let message = self.message(call, now).map_err(|error| {
            PostFailure::of(Happened::No, FailureKind::Permanent, format!("the mail cannot be written: {error}"))
        })?;
        match timeout(ATTEMPT, self.transport.send(message)).await {
            Ok(Ok(_)) => Ok(Value::String("delivered".to_owned())),
            Ok(Err(error)) if error.is_permanent() => {
                Err(PostFailure::of(Happened::No, FailureKind::Permanent, error.to_string()))
            }
            Ok(Err(error)) if error.is_transient() => {
                Err(PostFailure::of(Happened::No, FailureKind::Transient, error.to_string()))
            }
            Ok(Err(error)) => {
                let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}")).unwrap_or_default();
                Err(PostFailure::of(Happened::Maybe, FailureKind::Transient, format!("{error}{cause}")))
            }
            Err(_elapsed) => {
                Err(PostFailure::of(Happened::Maybe, FailureKind::Transient, "no answer in time".to_owned()))
            }
        }
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.password.iter().collect()
    }
}

impl Email {
    /// The same key is the same mail, and mails of one thread answer one that was never sent: readers show them together.
    fn message(&self, call: &ToolCall, now: Timestamp) -> Result<Message, Box<dyn std::error::Error + Send + Sync>> {
        let letter = Letter::of(call);
        let domain = self.from.email.domain();
        let id = |what: &str| {
            let digest = Digest::of(what.as_bytes()).hex();
            format!("<{}@{domain}>", digest.chars().take(32).collect::<String>())
        };
        let thread = id(&letter.thread);
        let seconds = u64::try_from(now.micros() / 1_000_000).unwrap_or_default();
        let header = HeaderName::new_from_ascii_str("Auto-Submitted");
        let message = Message::builder()
            .from(self.from.clone())
            .subject(&letter.headline)
            .date(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds))
            .message_id(Some(id(&call.key)))
            .in_reply_to(thread.clone())
            .references(thread)
            .raw_header(HeaderValue::new(header, "auto-generated".to_owned()));
        let message = self.to.iter().fold(message, |message, to| message.to(to.clone()));
        let text = format!("{}\n\n{}\n", letter.headline, letter.text());
        Ok(message.multipart(MultiPart::alternative_plain_html(text, html(&letter)))?)
    }
}

/// Readable on a phone: one column, no images, nothing loaded from anywhere.
fn html(letter: &Letter) -> String {
    let color = match letter.urgency {
        Urgency::Critical | Urgency::High => "#b3261e",
        Urgency::Medium => "#8a5a00",
        Urgency::Low => "#1e6b34",
    };
    let part = |Part { title, text }: &Part| {
        let lines = escaped(text).replace('\n', "<br>");
        format!("<h2 style=\"font-size:1em;margin:1.2em 0 .2em\">{}</h2><div>{lines}</div>", escaped(title))
    };
    let link = |url: &str, title: &str| format!("<p><a href=\"{}\">{}</a></p>", escaped(url), escaped(title));
    let parts: String = letter.parts.iter().map(part).collect();
    let links: String = letter.links.iter().map(|one| link(&one.url, &one.title)).collect();
    format!(
        "<!doctype html><html><head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\"></head>\
         <body style=\"font-family:sans-serif;max-width:40em;margin:0 auto;padding:1em;overflow-wrap:anywhere\">\
         <h1 style=\"font-size:1.2em;color:{color}\">{}</h1>{parts}{links}</body></html>",
        escaped(&letter.headline)
    )
}

fn escaped(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    text.replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use provost_domain::attention::TellStep;

    use super::*;
    use crate::notify::tests::{approval, hostile, notice};

    fn email() -> Email {
        let transport = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous("127.0.0.1").build();
        let to = vec!["Ann <ann@example.org>".parse().unwrap(), "bob@example.org".parse().unwrap()];
        Email { transport, from: "Provost <provost@ops.example>".parse().unwrap(), to, password: None }
    }

    fn written(call: &ToolCall) -> String {
        String::from_utf8(email().message(call, Timestamp::from_micros(7)).unwrap().formatted()).unwrap()
    }

    fn header(mail: &str, name: &str) -> String {
        let unfolded = mail.split("\r\n\r\n").next().unwrap().replace("\r\n ", " ");
        unfolded.lines().find_map(|line| line.strip_prefix(&format!("{name}: "))).unwrap_or_default().to_owned()
    }

    #[test]
    fn the_same_key_is_the_same_mail_and_a_session_is_one_thread() {
        let (first, again) =
            (written(&notice(TellStep::Begun, vec![approval()])), written(&notice(TellStep::Begun, vec![approval()])));
        assert_eq!(header(&first, "Message-ID"), header(&again, "Message-ID"));
        let other = ToolCall { key: "other".to_owned(), ..notice(TellStep::Closed, vec![]) };
        let other = written(&other);
        assert_ne!(header(&first, "Message-ID"), header(&other, "Message-ID"));
        for name in ["In-Reply-To", "References"] {
            assert_eq!(header(&first, name), header(&other, name), "{name}");
            assert!(header(&first, name).ends_with("@ops.example>"), "{first}");
        }
        assert_eq!(header(&first, "Auto-Submitted"), "auto-generated");
        assert!(header(&first, "To").contains("ann@example.org") && header(&first, "To").contains("bob@example.org"));
        assert!(first.contains("text/plain") && first.contains("text/html"));
    }

    #[test]
    fn text_from_outside_is_no_markup_and_no_header() {
        let call = notice(TellStep::Begun, vec![hostile()]);
        let page = html(&Letter::of(&call));
        assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
        assert!(!written(&call).contains("\nBcc:"), "{}", written(&call));
    }
}
