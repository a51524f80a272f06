//! The tool results that a text names: each face shows them shorter, or as links.

use provost_domain::evidence::Evidence;
use provost_domain::ids::SessionId;

use crate::visible::VisibleText;

/// How the part of an evidence id before its slash begins.
const ID_PREFIX: &str = "ses_";

/// A stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextSpan {
    /// As it is shown: of the session's own results only the position, `#8`.
    pub text: String,
    /// The tool result that it names.
    pub evidence: Option<Evidence>,
}

impl TextSpan {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), evidence: None }
    }

    fn cited(own: SessionId, evidence: Evidence) -> Self {
        let text = if evidence.session == own { format!("#{}", evidence.seq) } else { evidence.to_string() };
        Self { text, evidence: Some(evidence) }
    }
}

/// Splits a text of a session at the evidence ids in it.
pub fn text_spans(own: SessionId, text: &str) -> Vec<TextSpan> {
    let mut found = Vec::new();
    let mut plain_from = 0;
    for (at, _) in text.match_indices(ID_PREFIX) {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '/')).unwrap_or(rest.len());
        let Some(evidence) = rest.get(..length).and_then(Evidence::parse) else { continue };
        if at > plain_from {
            found.push(TextSpan::plain(text.get(plain_from..at).unwrap_or_default()));
        }
        found.push(TextSpan::cited(own, evidence));
        plain_from = at + length;
    }
    if plain_from < text.len() {
        found.push(TextSpan::plain(text.get(plain_from..).unwrap_or_default()));
    }
    found
}

/// The text with every id of the session's own results as its position, for faces without links.
pub fn shortened(own: SessionId, text: &VisibleText) -> VisibleText {
    let spans = text_spans(own, text.as_str());
    VisibleText::within(spans.into_iter().map(|span| span.text).collect::<String>(), usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_ids_are_found_and_nothing_else_is() {
        let own: SessionId = "ses_01a1fcfd3e3b7129a71b963246fe7282".parse().unwrap();
        let other = "ses_01a1fcfd3e3b7129a71b963246fe7283";
        let text = format!("ratio 0.4 ({own}/9), {other}/3 and ses_x/1 {own}/");
        let found = text_spans(own, &text);
        let cited: Vec<_> = found.iter().filter_map(|span| span.evidence).map(|cited| cited.to_string()).collect();
        assert_eq!(cited, [format!("{own}/9"), format!("{other}/3")]);
        let short = shortened(own, &VisibleText::new(&text));
        assert_eq!(short.as_str(), format!("ratio 0.4 (#9), {other}/3 and ses_x/1 {own}/"));
        assert_eq!(text_spans(own, ""), []);
    }
}
