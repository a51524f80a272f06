//! Microsoft Teams: a webhook of a workflow that posts adaptive cards.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_form::{ErrorLog, ReadSecret, SecretPlace, Table};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::letter::{Letter, Part, Urgency, within};
use super::receiver::{BadReceiver, OwnSection, Receiver, ReceiverSection};
use super::web::SecretHook;
use crate::http::PostFailure;

pub(super) const KEYS: &[&str] = &["kind", "url", "outbox"];
/// A message may have 28 KiB; its text has less, as JSON around it and the escaping in it need room.
const TEXT_MAX: usize = 12 * 1024;
/// One webhook may send four messages a second.
const PAUSE: Duration = Duration::from_millis(250);
/// How a run looks where nothing is said.
const STANDARD: &str = "default";
/// Most buttons of a card.
const ACTIONS_MAX: usize = 6;

/// The address is the secret: whoever has it may write.
#[derive(Debug)]
pub(super) struct TeamsSection {
    url: SecretPlace,
}

impl OwnSection for TeamsSection {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self { url: table.required("url", log) }
    }
}

impl ReceiverSection for TeamsSection {
    fn places(&self) -> Vec<&SecretPlace> {
        vec![&self.url]
    }

    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        SecretHook::new(secret(&self.url)?).map(|hook| Arc::new(Teams(hook)) as Arc<dyn Receiver>)
    }
}

#[derive(Debug)]
struct Teams(SecretHook);

#[async_trait]
impl Receiver for Teams {
    async fn send(&self, call: &ToolCall, client: &Client, _: Timestamp) -> Result<Value, PostFailure> {
        self.0.post(client, call, &message(&Letter::of(call))).await
    }

    fn secrets(&self) -> Vec<&SecretString> {
        vec![self.0.secret()]
    }

    fn pause(&self) -> Option<Duration> {
        Some(PAUSE)
    }
}

/// Text from outside stands in text runs, which know no markup; a text block would read it as Markdown.
fn message(letter: &Letter) -> Value {
    let color = match letter.urgency {
        Urgency::Critical | Urgency::High => "attention",
        Urgency::Medium => "warning",
        Urgency::Low => "good",
    };
    let mut body = vec![run(&letter.headline, ["bolder", "large", color])];
    let mut room = TEXT_MAX;
    for Part { title, text } in &letter.parts {
        let text = within(text, room);
        room = room.saturating_sub(text.len() + title.len());
        body.push(run(title, ["bolder", STANDARD, STANDARD]));
        body.extend(text.lines().map(|line| run(line, [STANDARD; 3])));
    }
    let actions = letter.links.iter().take(ACTIONS_MAX);
    let actions: Vec<Value> =
        actions.map(|link| json!({"type": "Action.OpenUrl", "title": link.title, "url": link.url})).collect();
    let card = json!({
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4",
        "msteams": {"width": "Full"}, "body": body, "actions": actions,
    });
    let content_type = "application/vnd.microsoft.card.adaptive";
    json!({"type": "message", "attachments": [{"contentType": content_type, "contentUrl": null, "content": card}]})
}

/// One line of text with its weight, size and colour. An empty run is refused.
fn run(text: &str, [weight, size, color]: [&str; 3]) -> Value {
    let text = if text.trim().is_empty() { "\u{a0}" } else { text };
    let run = json!({"type": "TextRun", "text": text, "weight": weight, "size": size, "color": color});
    json!({"type": "RichTextBlock", "inlines": [run]})
}

#[cfg(test)]
mod tests {
    use provost_domain::attention::TellStep;

    use super::*;
    use crate::notify::tests::{hostile, notice};

    #[test]
    fn a_card_is_small_and_reads_nothing_as_markup() {
        let letter = Letter::of(&notice(TellStep::Escalated, vec![hostile(), hostile(), hostile(), hostile()]));
        let message = message(&letter);
        assert!(message.to_string().len() <= 28 * 1024, "{}", message.to_string().len());
        let card = &message["attachments"][0]["content"];
        assert_eq!((&card["type"], &card["version"]), (&json!("AdaptiveCard"), &json!("1.4")));
        for block in card["body"].as_array().unwrap() {
            assert_eq!((&block["type"], &block["inlines"][0]["type"]), (&json!("RichTextBlock"), &json!("TextRun")));
            assert!(!block["inlines"][0]["text"].as_str().unwrap().is_empty());
        }
        assert_eq!(card["actions"][0]["url"], "https://provost.example/sessions/1");
    }
}
