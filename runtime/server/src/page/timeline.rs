//! A session's events as rows of its page, one row each, in the log's order.

use provost_face::{Detail, DetailBody, NarratedEvent, VisibleText, clock, span};

use provost_domain::ids::{Seq, SessionId};
use provost_domain::time::Timestamp;

use super::pieces::{Piece, pieces};

/// An event as a row.
#[derive(Debug)]
pub(crate) struct TimelineRow {
    pub(crate) seq: u64,
    /// When, RFC 3339.
    pub(crate) at: String,
    /// The time of day.
    pub(crate) clock: String,
    /// How long after the session's beginning.
    pub(crate) since: String,
    pub(crate) kind: &'static str,
    pub(crate) level: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) glyph: &'static str,
    /// The first words.
    pub(crate) lead: String,
    /// The name of what it is about.
    pub(crate) name: Option<VisibleText>,
    /// The rest of the line.
    pub(crate) text: Vec<Piece>,
    pub(crate) parts: Vec<TimelinePart>,
}

/// A detail of an event, as the page shows it.
#[derive(Debug)]
pub(crate) struct TimelinePart {
    pub(crate) label: &'static str,
    /// Its beginning on one line.
    pub(crate) preview: String,
    /// All of it; `None` when the preview is all.
    pub(crate) text: Option<Vec<Piece>>,
    /// The page with what is not here.
    pub(crate) href: Option<String>,
}

impl TimelineRow {
    /// The row of an event of a session that began then.
    pub(crate) fn new(own: SessionId, began: Timestamp, event: NarratedEvent) -> Self {
        let NarratedEvent { seq, at, kind, narration } = event;
        Self {
            seq: seq.0,
            at: at.to_string(),
            clock: clock(at),
            since: format!("+{}", span(at.since(began))),
            kind,
            level: narration.level.as_str(),
            tone: narration.tone.as_str(),
            glyph: narration.glyph,
            text: pieces(own, narration.text.as_str()),
            parts: narration.details.iter().map(|detail| TimelinePart::new(own, seq, detail)).collect(),
            lead: narration.lead,
            name: narration.name,
        }
    }
}

impl TimelinePart {
    fn new(own: SessionId, seq: Seq, detail: &Detail) -> Self {
        let page = || Some(format!("/sessions/{own}/events/{seq}"));
        let (text, href) = match &detail.body {
            DetailBody::Line(_) => (None, None),
            DetailBody::Passage { text, .. } => (Some(pieces(own, text.as_str())), text.is_cut().then(page).flatten()),
            DetailBody::Stored { .. } => (None, page()),
            DetailBody::Evidence(seqs) => {
                let links = evidence(own, seqs);
                return Self { label: detail.label, preview: String::new(), text: Some(links), href: None };
            }
        };
        Self { label: detail.label, preview: detail.preview(), text, href }
    }
}

/// Tool results of a session as links.
pub(crate) fn evidence(own: SessionId, seqs: &[Seq]) -> Vec<Piece> {
    let ids = seqs.iter().map(|seq| format!("{own}/{seq}"));
    pieces(own, &ids.collect::<Vec<_>>().join(" "))
}
