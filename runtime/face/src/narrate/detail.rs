//! What an event holds besides its sentence.

use provost_domain::ids::Seq;
use provost_domain::tool::Blob;
use serde_json::Value;

use super::words::number;
use crate::visible::VisibleText;

/// What fits on a line beside its label, in characters.
pub const PREVIEW_MAX: usize = 120;
/// What an opened detail shows at most, in characters; the event itself has all of it.
pub const DETAIL_MAX: usize = 8_000;

/// One thing an event holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// What it is.
    pub label: &'static str,
    /// The thing.
    pub body: DetailBody,
    /// Whether it belongs beside the sentence where one line is all there is room for.
    pub key: bool,
}

/// How a detail is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DetailBody {
    /// All of it fits on one line.
    Line(VisibleText),
    /// More than a line.
    Passage {
        /// Its beginning, on one line.
        preview: VisibleText,
        /// As much of it as is shown; [`VisibleText::is_cut`] says whether the event has more.
        text: VisibleText,
    },
    /// A result that is stored beside the log.
    Stored {
        /// Its size, in bytes.
        bytes: u64,
    },
    /// The tool results something stands on, by their positions in the session's log.
    Evidence(Vec<Seq>),
}

impl Detail {
    /// A value as JSON.
    pub(super) fn value(label: &'static str, value: &Value) -> Self {
        let preview = VisibleText::json_line(value, PREVIEW_MAX);
        let body = if preview.is_cut() {
            DetailBody::Passage { preview, text: VisibleText::json(value, DETAIL_MAX) }
        } else {
            DetailBody::Line(preview)
        };
        Self { label, body, key: false }
    }

    /// A text.
    pub(super) fn passage(label: &'static str, text: &str) -> Self {
        let shown = VisibleText::within(text, DETAIL_MAX);
        let body = if text.contains('\n') || text.chars().nth(PREVIEW_MAX).is_some() {
            DetailBody::Passage { preview: shown.line(PREVIEW_MAX), text: shown }
        } else {
            DetailBody::Line(shown)
        };
        Self { label, body, key: false }
    }

    /// A tool's result.
    pub(super) fn result(blob: &Blob) -> Self {
        match blob {
            Blob::Inline(value) => Self::value("result", value),
            Blob::Stored { bytes, .. } => {
                Self { label: "result", body: DetailBody::Stored { bytes: *bytes }, key: false }
            }
        }
    }

    /// The tool results something stands on.
    pub(super) fn evidence(seqs: &[Seq]) -> Self {
        Self { label: "evidence", body: DetailBody::Evidence(seqs.to_vec()), key: false }
    }

    /// Its beginning on one line.
    pub fn preview(&self) -> String {
        match &self.body {
            DetailBody::Line(text) => text.to_string(),
            DetailBody::Passage { preview, .. } => preview.to_string(),
            DetailBody::Stored { bytes } => format!("{} bytes", number(*bytes)),
            DetailBody::Evidence(seqs) => seqs.iter().map(|seq| format!("#{seq}")).collect::<Vec<_>>().join(" "),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_fits_is_a_line_and_what_does_not_can_be_opened() {
        assert_eq!(Detail::value("a", &json!({"b": 1})).body, DetailBody::Line(r#"{"b":1}"#.into()));
        assert_eq!(Detail::passage("a", "one line").body, DetailBody::Line("one line".into()));
        let two = DetailBody::Passage { preview: "two lines".into(), text: "two\nlines".into() };
        assert_eq!(Detail::passage("a", "two\nlines").body, two);
        let long = Detail::passage("a", &"x".repeat(DETAIL_MAX + 1));
        assert!(matches!(&long.body, DetailBody::Passage { text, .. } if text.is_cut()), "{long:?}");
        assert_eq!(long.preview().chars().count(), PREVIEW_MAX + 1);
    }
}
