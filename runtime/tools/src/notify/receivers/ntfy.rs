//! Push messages by ntfy, or by a server that takes the same JSON.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_form::{ErrorLog, ReadSecret, SecretPlace, Table};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::letter::{Letter, Urgency, within};
use super::receiver::{BadReceiver, OwnSection, Receiver, ReceiverSection};
use super::web;
use crate::http::PostFailure;

pub(super) const KEYS: &[&str] = &["kind", "url", "topic", "token", "outbox"];
/// Longest message, in bytes: a longer one becomes an attachment, which a phone does not show.
const MESSAGE_MAX: usize = 4096;
/// Longest title: one line on a phone.
const TITLE_MAX: usize = 240;
/// A visitor may send a message in five seconds, and many at once before that.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct NtfySection {
    url: String,
    topic: SecretPlace,
    token: Option<SecretPlace>,
}

impl OwnSection for NtfySection {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self {
            url: table.required("url", log),
            topic: table.required("topic", log),
            token: table.optional("token", log),
        }
    }
}

impl ReceiverSection for NtfySection {
    fn places(&self) -> Vec<&SecretPlace> {
        self.token.iter().chain([&self.topic]).collect()
    }

    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        let token = self.token.as_ref().map(secret).transpose()?;
        let url = web::secret_address(&self.url, "the topic")?;
        Ok(Arc::new(Ntfy { url, topic: secret(&self.topic)?, token }))
    }
}

#[derive(Debug)]
struct Ntfy {
    url: Url,
    /// Whoever knows it may read and write.
    topic: SecretString,
    token: Option<SecretString>,
}

#[async_trait]
impl Receiver for Ntfy {
    async fn send(&self, call: &ToolCall, client: &Client, _: Timestamp) -> Result<Value, PostFailure> {
        let message = message(&Letter::of(call), self.topic.expose_secret().trim()).to_string().into_bytes();
        let request = web::request(client, &self.url, &call.key, message);
        let request = match &self.token {
            Some(token) => request.bearer_auth(token.expose_secret().trim()),
            None => request,
        };
        web::send(request).await
    }

    fn secrets(&self) -> Vec<&SecretString> {
        self.token.iter().chain([&self.topic]).collect()
    }

    fn pause(&self) -> Option<Duration> {
        Some(PAUSE)
    }
}

fn message(letter: &Letter, topic: &str) -> Value {
    let (priority, tag) = match letter.urgency {
        Urgency::Critical => (5, "rotating_light"),
        Urgency::High => (4, "warning"),
        Urgency::Medium => (3, "hourglass"),
        Urgency::Low => (2, "white_check_mark"),
    };
    json!({
        "topic": topic, "title": within(&letter.headline, TITLE_MAX), "message": within(&letter.text(), MESSAGE_MAX),
        "priority": priority, "tags": [tag], "markdown": false, "click": letter.links.first().map(|link| &link.url),
    })
}

#[cfg(test)]
mod tests {
    use provost_domain::attention::TellStep;

    use super::*;
    use crate::notify::tests::{approval, hostile, notice};

    #[test]
    fn a_push_is_short_and_as_loud_as_it_is_pressing() {
        for (step, asks, priority) in [
            (TellStep::Begun, vec![approval()], 4),
            (TellStep::Expiring, vec![hostile(), hostile(), hostile(), hostile()], 5),
            (TellStep::Ended, vec![], 2),
        ] {
            let message = message(&Letter::of(&notice(step, asks)), "topic");
            assert_eq!((&message["topic"], &message["priority"]), (&json!("topic"), &json!(priority)), "{message}");
            assert!(message["message"].as_str().unwrap().len() <= MESSAGE_MAX);
            assert!(message["title"].as_str().unwrap().len() <= TITLE_MAX);
            assert_eq!(message["click"], "https://provost.example/sessions/1");
        }
    }

    #[test]
    fn a_text_is_cut_between_two_characters() {
        assert_eq!((within("äöü", 6), within("äöü", 5)), ("äöü".to_owned(), "ä…".to_owned()));
    }
}
