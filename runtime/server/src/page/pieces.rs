//! Text with links in it: what names a tool result of a session leads to that event.

use provost_domain::evidence::Evidence;
use provost_domain::ids::SessionId;

/// A stretch of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Piece {
    /// The text, as it was written.
    pub(crate) text: String,
    /// Where it leads.
    pub(crate) href: Option<String>,
}

/// Splits a text so that its evidence ids are links.
pub(crate) fn pieces(own: SessionId, text: &str) -> Vec<Piece> {
    let found = provost_face::text_spans(own, text).into_iter();
    found.map(|span| Piece { text: span.text, href: span.evidence.map(|evidence| href(own, evidence)) }).collect()
}

fn href(own: SessionId, Evidence { session, seq }: Evidence) -> String {
    if session == own { format!("#e{seq}") } else { format!("/sessions/{session}#e{seq}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn evidence_ids_become_links() {
        let own: SessionId = "ses_01a1fcfd3e3b7129a71b963246fe7282".parse().unwrap();
        let other = "ses_01a1fcfd3e3b7129a71b963246fe7283";
        let found = pieces(own, &format!("ratio 0.4 ({own}/9), {other}/3 and ses_x/1"));
        let links: Vec<_> = found.iter().filter_map(|piece| piece.href.clone()).collect();
        assert_eq!(links, ["#e9".to_owned(), format!("/sessions/{other}#e3")]);
    }
}
