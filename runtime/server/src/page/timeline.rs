//! A session's events as rows of its page, one row each, in the log's order.

use std::collections::HashMap;

use provost_domain::event::{Event, EventBody};
use provost_domain::ids::{CallId, Seq, SessionId};
use provost_domain::time::Timestamp;
use provost_domain::tool::Blob;
use serde_json::Value;

use super::describe::describe;
use super::pieces::{Piece, pieces};
use super::text::{clock, cut, number, pretty, preview, span};

/// What fits on a row beside its words, in characters.
const SHORT_MAX: usize = 120;
/// What an opened part shows at most, in characters; the event's own page has all of it.
const PART_MAX: usize = 8_000;

/// An event as a row.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) seq: u64,
    /// When, RFC 3339.
    pub(crate) at: String,
    /// The time of day.
    pub(crate) clock: String,
    /// How long after the session's beginning.
    pub(crate) since: String,
    pub(crate) kind: &'static str,
    pub(crate) told: Told,
}

/// Where a row stands in the order of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Level {
    /// Of the session.
    Session,
    /// An agent begins or ends.
    Agent,
    /// A round of a turn.
    Turn,
    /// Of a call.
    Call,
    /// Bookkeeping, shown on request.
    Minor,
}

impl Level {
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Agent => "agent",
            Self::Turn => "turn",
            Self::Call => "call",
            Self::Minor => "minor",
        }
    }
}

/// What a row says.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) level: Level,
    pub(crate) tone: &'static str,
    pub(crate) sign: &'static str,
    /// The first words.
    pub(crate) lead: String,
    /// The name of what it is about.
    pub(crate) code: Option<String>,
    /// The rest of the line.
    pub(crate) text: Vec<Piece>,
    pub(crate) parts: Vec<Part>,
}

/// Something of an event that has its own room.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) label: &'static str,
    /// Its beginning on one line.
    pub(crate) preview: String,
    /// All of it; `None` when the preview is all.
    pub(crate) text: Option<Vec<Piece>>,
    /// The page with what is not here.
    pub(crate) href: Option<String>,
}

/// Tells rows: knows what earlier events said of calls.
#[derive(Debug)]
pub(crate) struct Timeline {
    own: SessionId,
    began: Option<Timestamp>,
    tools: HashMap<CallId, String>,
}

impl Timeline {
    pub(crate) fn new(own: SessionId) -> Self {
        Self { own, began: None, tools: HashMap::new() }
    }

    /// The tool of a call that an event has named.
    pub(crate) fn tool(&self, call: &CallId) -> Option<&str> {
        self.tools.get(call).map(String::as_str)
    }

    /// Learns from an event what later rows need.
    pub(crate) fn learn(&mut self, event: &Event) {
        self.began.get_or_insert(event.at);
        let named = if let EventBody::ToolIntended(e) = &event.body {
            Some((&e.call, e.tool.to_string()))
        } else if let EventBody::ApprovalRequested(e) = &event.body {
            Some((&e.call, e.tool.to_string()))
        } else if let EventBody::ClaimRaised(e) = &event.body {
            Some((&e.call, e.tool.to_string()))
        } else {
            None
        };
        if let Some((call, tool)) = named {
            self.tools.insert(call.clone(), tool);
        }
    }

    /// The row of an event that was learnt from.
    pub(crate) fn row(&self, event: &Event) -> Row {
        let since = event.at.since(self.began.unwrap_or(event.at));
        let told = describe(&Teller { timeline: self, seq: event.seq }, &event.body);
        Row {
            seq: event.seq.0,
            at: event.at.to_string(),
            clock: clock(event.at),
            since: format!("+{}", span(since)),
            kind: event.body.kind(),
            told,
        }
    }
}

/// Tells one event.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Teller<'a> {
    timeline: &'a Timeline,
    seq: Seq,
}

impl Teller<'_> {
    /// The tool of a call, or the call itself.
    pub(crate) fn tool(self, call: &CallId) -> String {
        self.timeline.tool(call).map_or_else(|| format!("call {call}"), str::to_owned)
    }

    /// Text with its links.
    pub(crate) fn pieces(self, text: &str) -> Vec<Piece> {
        pieces(self.timeline.own, text)
    }

    /// Tool results as links.
    pub(crate) fn evidence(self, seqs: &[Seq]) -> Vec<Piece> {
        let ids = seqs.iter().map(|seq| format!("{}/{seq}", self.timeline.own));
        self.pieces(&ids.collect::<Vec<_>>().join(" "))
    }

    fn href(self) -> String {
        format!("/sessions/{}/events/{}", self.timeline.own, self.seq)
    }

    /// A value in its own room.
    pub(crate) fn value(self, label: &'static str, value: &Value) -> Part {
        let short = value.to_string();
        if short.chars().count() <= SHORT_MAX {
            return Part { label, preview: preview(value, SHORT_MAX), text: None, href: None };
        }
        self.long(label, &pretty(value), preview(value, SHORT_MAX))
    }

    /// A text in its own room.
    pub(crate) fn passage(self, label: &'static str, text: &str) -> Part {
        let line: String = text.split_whitespace().collect::<Vec<_>>().join(" ");
        if text.chars().count() <= SHORT_MAX && !text.contains('\n') {
            return Part { label, preview: text.to_owned(), text: None, href: None };
        }
        self.long(label, text, cut(&line, SHORT_MAX))
    }

    fn long(self, label: &'static str, text: &str, preview: String) -> Part {
        let cut_off = text.chars().count() > PART_MAX;
        let shown = cut(text, PART_MAX);
        Part { label, preview, text: Some(self.pieces(&shown)), href: cut_off.then(|| self.href()) }
    }

    /// A result in its own room.
    pub(crate) fn blob(self, label: &'static str, blob: &Blob) -> Part {
        match blob {
            Blob::Inline(value) => self.value(label, value),
            Blob::Stored { bytes, .. } => {
                Part { label, preview: format!("{} bytes", number(*bytes)), text: None, href: Some(self.href()) }
            }
        }
    }
}

impl Told {
    /// A row that begins so.
    pub(crate) fn new(level: Level, tone: &'static str, sign: &'static str, lead: impl Into<String>) -> Self {
        Self { level, tone, sign, lead: lead.into(), code: None, text: Vec::new(), parts: Vec::new() }
    }

    pub(crate) fn code(mut self, code: impl Into<String>) -> Self {
        self.code = Some(code.into());
        self
    }

    pub(crate) fn text(mut self, text: Vec<Piece>) -> Self {
        self.text = text;
        self
    }

    pub(crate) fn part(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }
}
