//! Slack's incoming webhooks.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_form::{ErrorLog, ReadSecret, SecretPlace, Table};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::{Value, json};

use super::letter::{Letter, Part};
use super::receiver::{BadReceiver, OwnSection, Receiver, ReceiverSection};
use super::web::SecretHook;
use crate::http::PostFailure;

pub(super) const KEYS: &[&str] = &["kind", "url", "outbox"];
/// Longest text of a header block, in characters.
const HEADER_MAX: usize = 150;
/// Longest text of a section block.
const SECTION_MAX: usize = 3000;
/// Most blocks of a message.
const BLOCKS_MAX: usize = 50;
/// One webhook may send a message a second.
const PAUSE: Duration = Duration::from_secs(1);

/// The address is the secret: whoever has it may write.
#[derive(Debug)]
pub(super) struct SlackSection {
    url: SecretPlace,
}

impl OwnSection for SlackSection {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        Self { url: table.required("url", log) }
    }
}

impl ReceiverSection for SlackSection {
    fn places(&self) -> Vec<&SecretPlace> {
        vec![&self.url]
    }

    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver> {
        // Without secrets it is only asked what it is.
        SecretHook::new(secret(&self.url)?).map(|hook| Arc::new(Slack(hook)) as Arc<dyn Receiver>)
    }
}

#[derive(Debug)]
struct Slack(SecretHook);

#[async_trait]
impl Receiver for Slack {
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

/// Text from outside stands in plain text, where nothing is markup and nobody is mentioned.
fn message(letter: &Letter) -> Value {
    let mut blocks = vec![json!({"type": "header", "text": plain_text(&letter.headline, HEADER_MAX)})];
    let section = |Part { title, text }: &Part| json!({"type": "section", "text": plain_text(&format!("{title}\n{text}"), SECTION_MAX)});
    blocks.extend(letter.parts.iter().map(section));
    if !letter.links.is_empty() {
        let link = |url: &str, title: &str| {
            format!("<{}|{}>", escaped(url).replace('|', "%7C"), escaped(title).replace('|', "/"))
        };
        let links = letter.links.iter().map(|one| link(&one.url, &one.title)).collect::<Vec<_>>().join("  ·  ");
        let links: String = if links.chars().count() > SECTION_MAX { String::from("see the page") } else { links };
        blocks.push(json!({"type": "section", "text": {"type": "mrkdwn", "text": links, "verbatim": true}}));
    }
    blocks.truncate(BLOCKS_MAX);
    json!({"text": escaped(&letter.headline), "blocks": blocks, "unfurl_links": false, "unfurl_media": false})
}

fn plain_text(text: &str, max: usize) -> Value {
    let mut short: String = text.chars().take(max).collect();
    if short.len() < text.len() {
        short.pop();
        short.push('…');
    }
    json!({"type": "plain_text", "text": short, "emoji": false})
}

/// The three characters that Slack's own markup is made of.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use provost_domain::attention::TellStep;

    use super::*;
    use crate::notify::tests::{approval, hostile, notice};

    #[test]
    fn a_message_keeps_within_the_published_limits_and_mentions_nobody() {
        let letter = Letter::of(&notice(TellStep::Begun, vec![hostile(), approval(), hostile(), hostile()]));
        let message = message(&letter);
        let blocks = message["blocks"].as_array().unwrap();
        assert!((3..=BLOCKS_MAX).contains(&blocks.len()), "{message}");
        assert!(!message["text"].as_str().unwrap().contains('<'), "{message}");
        for block in blocks {
            let text = block["text"]["text"].as_str().unwrap();
            let max = if block["type"] == "header" { HEADER_MAX } else { SECTION_MAX };
            assert!((1..=max).contains(&text.chars().count()), "{block}");
            match block["text"]["type"].as_str().unwrap() {
                "plain_text" => assert_eq!(block["text"]["emoji"], false),
                "mrkdwn" => assert!(text.starts_with("<https://provost.example/") && !text.contains("<!"), "{text}"),
                other => panic!("{other}"),
            }
        }
        assert!(message.to_string().contains("<!channel>"), "it stands there as text: {message}");
    }
}
