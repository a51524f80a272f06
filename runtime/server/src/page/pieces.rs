//! Text with links in it: what names a tool result of a session leads to that event.

use provost_domain::evidence::Evidence;
use provost_domain::ids::SessionId;

/// Length of an evidence id's part before the slash.
const ID_PREFIX: &str = "ses_";

/// A stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The text, as it was written.
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) href: Option<String>,
}

impl Piece {
    fn plain(text: &str) -> Self {
        Self { text: text.to_owned(), href: None }
    }

    fn link(own: SessionId, evidence: Evidence) -> Self {
        let Evidence { session, seq } = evidence;
        if session == own {
            return Self { text: format!("#{seq}"), href: Some(format!("#e{seq}")) };
        }
        Self { text: evidence.to_string(), href: Some(format!("/sessions/{session}#e{seq}")) }
    }
}

/// Splits a text so that its evidence ids are links.
pub(crate) fn pieces(own: SessionId, text: &str) -> Vec<Piece> {
    let mut found = Vec::new();
    let mut plain_from = 0;
    for (at, _) in text.match_indices(ID_PREFIX) {
        let rest = text.get(at..).unwrap_or_default();
        let length = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '/')).unwrap_or(rest.len());
        let Some(evidence) = rest.get(..length).and_then(Evidence::parse) else { continue };
        if at > plain_from {
            found.push(Piece::plain(text.get(plain_from..at).unwrap_or_default()));
        }
        found.push(Piece::link(own, evidence));
        plain_from = at + length;
    }
    if plain_from < text.len() {
        found.push(Piece::plain(text.get(plain_from..).unwrap_or_default()));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_ids_become_links_and_nothing_else_does() {
        let own: SessionId = "ses_01a1fcfd3e3b7129a71b963246fe7282".parse().unwrap();
        let other = "ses_01a1fcfd3e3b7129a71b963246fe7283";
        let text = format!("ratio 0.4 ({own}/9), {other}/3 and ses_x/1 {own}/");
        let found = pieces(own, &text);
        let links: Vec<_> = found.iter().filter_map(|piece| piece.href.clone()).collect();
        assert_eq!(links, ["#e9".to_owned(), format!("/sessions/{other}#e3")]);
        let texts: String = found.into_iter().map(|piece| piece.text).collect();
        assert_eq!(texts, format!("ratio 0.4 (#9), {other}/3 and ses_x/1 {own}/"));
        assert_eq!(pieces(own, ""), []);
    }
}
