//! An event in words, for any face to render.

use super::detail::{Detail, PREVIEW_MAX};
use crate::visible::VisibleText;

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Narration {
    /// How much it matters to who follows the session.
    pub level: Level,
    /// Whether it is good news.
    pub tone: Tone,
    /// One character before the words, so that nothing is told by colour alone.
    pub glyph: &'static str,
    /// The first words, our own; empty where the name says it.
    pub lead: String,
    /// The tool, agent or status it is about.
    pub name: Option<VisibleText>,
    /// The rest of the sentence.
    pub text: VisibleText,
    /// What the event holds besides, the most telling first.
    pub details: Vec<Detail>,
}

/// What an event belongs to, from the whole to the part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Level {
    /// The session began, changed its status or ended.
    Session,
    /// An agent begins or ends, or a person speaks.
    Agent,
    /// Of a round with a model.
    Turn,
    /// A call was made, asked about or came back.
    Call,
    /// Bookkeeping: shown on request only.
    Minor,
}

impl Level {
    /// A stable word, for style sheets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Agent => "agent",
            Self::Turn => "turn",
            Self::Call => "call",
            Self::Minor => "minor",
        }
    }
}

/// Whether it is good news.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Tone {
    /// Nothing to look at.
    Calm,
    /// Something goes on.
    Busy,
    /// Somebody is asked.
    Ask,
    /// It went well.
    Good,
    /// It may need a look.
    Warn,
    /// It failed.
    Bad,
}

impl Tone {
    /// A stable word, for style sheets.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Calm => "calm",
            Self::Busy => "busy",
            Self::Ask => "ask",
            Self::Good => "good",
            Self::Warn => "warn",
            Self::Bad => "bad",
        }
    }
}

impl Narration {
    pub(super) fn new(level: Level, tone: Tone, glyph: &'static str, lead: impl Into<String>) -> Self {
        let text = VisibleText::default();
        Self { level, tone, glyph, lead: lead.into(), name: None, text, details: Vec::new() }
    }

    pub(super) fn name(mut self, name: impl AsRef<str>) -> Self {
        self.name = Some(VisibleText::within(name, PREVIEW_MAX));
        self
    }

    pub(super) fn text(mut self, text: impl AsRef<str>) -> Self {
        self.text = VisibleText::new(text);
        self
    }

    pub(super) fn by(self, who: impl std::fmt::Display) -> Self {
        self.text(format!("by {who}"))
    }

    /// A detail that belongs beside the sentence.
    pub(super) fn key(self, detail: Detail) -> Self {
        self.detail(Detail { key: true, ..detail })
    }

    pub(super) fn detail(mut self, detail: Detail) -> Self {
        self.details.push(detail);
        self
    }

    /// What belongs beside the sentence, on one line.
    pub fn key_detail(&self) -> Option<String> {
        self.details.iter().find(|detail| detail.key).map(Detail::preview).filter(|preview| !preview.is_empty())
    }

    /// The words without glyph and details, as one sentence.
    pub fn sentence(&self) -> String {
        let name = self.name.as_ref().map(VisibleText::as_str).unwrap_or_default();
        let parts = [self.lead.as_str(), name, self.text.as_str()];
        parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
    }
}
