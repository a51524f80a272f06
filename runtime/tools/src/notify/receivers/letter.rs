//! What a message says in words, the same for every receiver that is made for people.

use provost_domain::attention::{AttentionNotice, NoticeAsk, NoticeFact, NoticeLink, TellStep, plain};
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use serde_json::Value;

/// Longest headline, in characters: what the narrowest receiver shows.
const HEADLINE_MAX: usize = 150;
/// Longest text of one part.
const PART_MAX: usize = 2000;

/// How pressing a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    /// Nobody has to do anything: an end, or that somebody is at it.
    Low,
    /// It can wait a little.
    Medium,
    /// A person is needed, and something waits meanwhile.
    High,
    /// Somebody is needed now.
    Critical,
}

/// One message in words. All of it is data from outside: a receiver escapes it for its own form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Letter {
    /// Messages of one thread belong together.
    pub(super) thread: String,
    /// What it is about, in one line.
    pub(super) headline: String,
    /// How pressing it is.
    pub(super) urgency: Urgency,
    /// What it says, part by part.
    pub(super) parts: Vec<Part>,
    /// The pages to open, ours first.
    pub(super) links: Vec<NoticeLink>,
}

/// A passage under a heading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// The heading of the part.
    pub(super) title: String,
    /// One or more lines.
    pub(super) text: String,
}

impl Part {
    fn new(title: impl Into<String>, text: &str) -> Self {
        Self { title: title.into(), text: plain(text, PART_MAX) }
    }
}

impl Letter {
    /// What a call says, whether it stands for a message of the runtime or is an agent's.
    pub(super) fn of(call: &ToolCall) -> Self {
        AttentionNotice::of(call).map_or_else(|| Self::of_agent(call), |notice| Self::of_notice(&notice))
    }

    /// Everything under the headline, as plain text.
    pub(super) fn text(&self) -> String {
        let parts = self.parts.iter().map(|part| format!("{}\n{}", part.title, part.text));
        let links = self.links.iter().map(|link| format!("{}: {}", link.title, link.url));
        parts.chain(links).collect::<Vec<_>>().join("\n\n")
    }

    fn of_agent(call: &ToolCall) -> Self {
        let text = |name: &str| call.args.get(name).and_then(Value::as_str).filter(|text| !text.trim().is_empty());
        let headline = text("summary").or_else(|| text("reason")).unwrap_or("a message");
        let named = [("Team", "team"), ("Why", "reason")];
        let mut parts: Vec<Part> =
            named.into_iter().filter_map(|(title, name)| Some(Part::new(title, text(name)?))).collect();
        if let Some(details) = call.args.get("details").and_then(Value::as_object) {
            let lines = details.iter().map(|(name, value)| format!("{name}: {}", shown(value)));
            parts.push(Part::new("Details", &lines.collect::<Vec<_>>().join("\n")));
        }
        let urgency = match text("severity") {
            Some("critical") => Urgency::Critical,
            Some("medium") => Urgency::Medium,
            Some("low") => Urgency::Low,
            Some(_) | None => Urgency::High,
        };
        Self { thread: call.session.to_string(), headline: line(headline), urgency, parts, links: Vec::new() }
    }

    fn of_notice(notice: &AttentionNotice) -> Self {
        let mut parts = Vec::new();
        if !notice.facts.is_empty() {
            parts.push(Part::new("What it is about", &facts(&notice.facts)));
        }
        if let Some(cause) = &notice.cause {
            let title = format!("Cause, says {} (confidence {})", cause.agent, cause.confidence);
            parts.push(Part::new(title, &cause.text));
        }
        parts.extend(notice.asks.iter().map(|ask| Part::new(ask.kind.to_string(), &described(ask))));
        if notice.more > 0 {
            parts.push(Part::new("More", &format!("{} more things wait for people; the page shows them", notice.more)));
        }
        if notice.asks.is_empty() && !notice.reason.is_empty() {
            parts.push(Part::new(format!("Status: {}", notice.status), &notice.reason));
        }
        Self {
            thread: notice.session.to_string(),
            headline: line(&format!("{}: {} – {}", notice.handle, why(notice), notice.title)),
            urgency: urgency(notice),
            parts,
            links: notice.links.clone(),
        }
    }
}

/// Why people are told, in a few words.
fn why(notice: &AttentionNotice) -> String {
    let first = notice.asks.first().map(|ask| ask.kind.to_string());
    let needed = first.unwrap_or_else(|| "it goes on".to_owned());
    match notice.step {
        TellStep::Begun => needed,
        TellStep::Reminder => format!("still, {needed}"),
        TellStep::Escalated => format!("nobody came, {needed}"),
        TellStep::Expiring => format!("little time is left, {needed}"),
        TellStep::Acknowledged => format!("{} is at it", notice.acknowledged_by.as_deref().unwrap_or("somebody")),
        TellStep::Ended if notice.is_open() => format!("answered in part, {needed}"),
        TellStep::Ended => format!("nothing is needed any more, it is {}", notice.status.replace('_', " ")),
        TellStep::Closed => format!("closed as {}", notice.status.replace('_', " ")),
    }
}

fn urgency(notice: &AttentionNotice) -> Urgency {
    match notice.step {
        TellStep::Escalated | TellStep::Expiring => Urgency::Critical,
        TellStep::Begun | TellStep::Reminder => Urgency::High,
        TellStep::Acknowledged => Urgency::Low,
        TellStep::Ended if notice.is_open() => Urgency::Medium,
        TellStep::Ended | TellStep::Closed => Urgency::Low,
    }
}

fn described(ask: &NoticeAsk) -> String {
    let mut lines = vec![ask.what.clone()];
    lines.extend(ask.why.iter().cloned());
    lines.extend(ask.changes.iter().map(|change| format!("  {} = {}", change.name, change.value)));
    lines.extend(ask.yes.iter().map(|yes| format!("Yes: {yes}")));
    lines.extend(ask.no.iter().map(|no| format!("No: {no}")));
    lines.extend(ask.until.map(|until| format!("Until {}", minute(until))));
    lines.push(ask.who.clone());
    lines.join("\n")
}

fn facts(facts: &[NoticeFact]) -> String {
    facts.iter().map(|fact| format!("{}: {}", fact.name, fact.value)).collect::<Vec<_>>().join("\n")
}

fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// A text on one line, as short as the narrowest receiver shows.
fn line(text: &str) -> String {
    plain(&text.replace('\n', " "), HEADLINE_MAX)
}

/// Date and minute.
fn minute(at: Timestamp) -> String {
    format!("{} UTC", at.to_string().get(..16).unwrap_or_default().replace('T', " "))
}

/// A text of at most so many bytes, cut between two characters.
pub(super) fn within(text: &str, bytes: usize) -> String {
    if text.len() <= bytes {
        return text.to_owned();
    }
    let room = bytes.saturating_sub('…'.len_utf8());
    let mut end = 0;
    for (index, character) in text.char_indices() {
        if index + character.len_utf8() > room {
            break;
        }
        end = index + character.len_utf8();
    }
    format!("{}…", text.get(..end).unwrap_or_default())
}
