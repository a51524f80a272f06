//! PagerDuty's Events API, version 2.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::attention::{AttentionNotice, TellStep};
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_form::{ErrorLog, ReadSecret, SecretPlace, Table};
use reqwest::{Client, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};

use super::letter::{Letter, Urgency};
use super::receiver::{BadReceiver, OwnSection, Receiver, ReceiverSection};
use super::web;
use crate::http::PostFailure;

pub(super) const KEYS: &[&str] = &["kind", "url", "routing_key", "outbox"];
/// Where PagerDuty takes events.
const URL: &str = "https://events.pagerduty.com/v2/enqueue";
/// Longest `summary`, in characters.
const SUMMARY_MAX: usize = 1024;
/// One key may send 120 events a minute.
const PAUSE: Duration = Duration::from_millis(500);

#[derive(Debug)]
pub(super) struct PagerdutySection {
    url: String,
    routing_key: SecretPlace,
}

impl OwnSection for PagerdutySection {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let url = table.optional("url", log).unwrap_or_else(|| URL.to_owned());
        Self { url, routing_key: table.required("routing_key", log) }
    }
}

impl ReceiverSection for PagerdutySection {
    fn places(&self) -> Vec<&SecretPlace> {
        vec![&self.routing_key]
    }

    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        let key = secret(&self.routing_key)?;
        Ok(Arc::new(Pagerduty { url: web::secret_address(&self.url, "the routing key")?, key }))
    }
}

#[derive(Debug)]
struct Pagerduty {
    url: Url,
    /// Who is paged.
    key: SecretString,
}

#[async_trait]
impl Receiver for Pagerduty {
    async fn send(&self, call: &ToolCall, client: &Client, _: Timestamp) -> Result<Value, PostFailure> {
        let event = event(call, self.key.expose_secret()).to_string().into_bytes();
        web::send(web::request(client, &self.url, &call.key, event)).await
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![&self.key]
    }

    fn pause(&self) -> Option<Duration> {
        Some(PAUSE)
    }
}

/// An agent's message pages once under its own key. Those of the runtime are one alert for each session: triggered while
/// somebody is needed, acknowledged by a person, resolved once nobody is needed.
fn event(call: &ToolCall, key: &str) -> Value {
    let letter = Letter::of(call);
    let notice = AttentionNotice::of(call);
    let (action, dedup) = match &notice {
        None => ("trigger", call.key.clone()),
        Some(notice) => (action(notice), letter.thread.clone()),
    };
    let base = json!({"routing_key": key, "event_action": action, "dedup_key": dedup});
    if action != "trigger" {
        return base;
    }
    let urgency = match letter.urgency {
        Urgency::Critical => "critical",
        Urgency::High => "error",
        Urgency::Medium => "warning",
        Urgency::Low => "info",
    };
    let (summary, details) = match &notice {
        None => (summary(call), (*call.args).clone()),
        Some(_) => (
            letter.headline.clone(),
            json!(letter.parts.iter().map(|part| format!("{}\n{}", part.title, part.text)).collect::<Vec<_>>()),
        ),
    };
    let links: Vec<Value> = letter.links.iter().map(|link| json!({"href": link.url, "text": link.title})).collect();
    let mut event = json!({
        "routing_key": key, "event_action": action, "dedup_key": dedup, "client": "Provost",
        "payload": {
            "summary": summary.chars().take(SUMMARY_MAX).collect::<String>(),
            "source": "provost", "severity": urgency, "custom_details": details,
        },
    });
    if let Some(event) = event.as_object_mut().filter(|_| !links.is_empty()) {
        event.insert("links".to_owned(), links.into());
    }
    event
}

fn action(notice: &AttentionNotice) -> &'static str {
    match notice.step {
        _ if !notice.is_open() => "resolve",
        TellStep::Acknowledged => "acknowledge",
        TellStep::Begun
        | TellStep::Reminder
        | TellStep::Expiring
        | TellStep::Escalated
        | TellStep::Ended
        | TellStep::Closed => "trigger",
    }
}

fn summary(call: &ToolCall) -> String {
    let text = |name: &str| call.args.get(name).and_then(Value::as_str);
    let about = [text("team"), text("reason")].into_iter().flatten().collect::<Vec<_>>().join(": ");
    text("summary").map_or(about, str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::tests::{agents, approval, notice};

    #[test]
    fn an_alert_follows_its_session() {
        let sent = |step, asks| event(&notice(step, asks), "k");
        let begun = sent(TellStep::Begun, vec![approval()]);
        assert_eq!((&begun["event_action"], &begun["payload"]["severity"]), (&json!("trigger"), &json!("error")));
        let session = notice(TellStep::Begun, vec![]).session.to_string();
        for (step, asks, action) in [
            (TellStep::Reminder, vec![approval()], "trigger"),
            (TellStep::Escalated, vec![approval()], "trigger"),
            (TellStep::Acknowledged, vec![approval()], "acknowledge"),
            (TellStep::Ended, vec![approval()], "trigger"),
            (TellStep::Ended, vec![], "resolve"),
            (TellStep::Closed, vec![], "resolve"),
        ] {
            let event = sent(step, asks);
            assert_eq!((&event["event_action"], &event["dedup_key"]), (&json!(action), &json!(session)), "{step:?}");
            assert_eq!(event.get("payload").is_some(), action == "trigger", "{step:?}");
        }
        let summary = begun["payload"]["summary"].as_str().unwrap();
        assert!(summary.starts_with("CASE-1: an approval is needed") && summary.chars().count() <= SUMMARY_MAX);
        let own = event(&agents(json!({"reason": "r", "team": "t"})), "k");
        assert_eq!((&own["dedup_key"], &own["payload"]["summary"]), (&json!("key"), &json!("t: r")));
    }
}
