//! What a message says of a session as it stands.

use provost_domain::attention::{AttentionNotice, NoticeCause, NoticeLink, TellStep, plain};
use provost_domain::ids::SessionId;
use provost_domain::projection::SessionRow;
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::Catalog;
use serde_json::Value;

use super::asks::{WORDS_MAX, asks, fact};

/// Longest title; a carrier may show less.
const TITLE_MAX: usize = 200;
/// Most needs that are described; the page shows all.
const ASKS_MAX: usize = 4;
/// Most fields of the case.
const FACTS_MAX: usize = 8;
/// Most links from outside.
const LINKS_MAX: usize = 4;
/// Longest address.
const URL_MAX: usize = 500;

/// What one message is written from.
#[derive(Debug, Clone, Copy)]
pub(super) struct NoticeSubject<'a> {
    pub(super) row: &'a SessionRow,
    pub(super) session: &'a Session,
    pub(super) catalog: &'a Catalog,
    /// The page's address, where it is known.
    pub(super) page: Option<&'a str>,
    pub(super) now: Timestamp,
}

/// A message to a contact, of whom an answer needs a role.
pub(super) fn compose(subject: &NoticeSubject<'_>, step: TellStep, contact: &str, role: &str) -> AttentionNotice {
    let NoticeSubject { row, session, catalog, page, now } = *subject;
    let mut asks = asks(session, catalog, role);
    let more = asks.len().saturating_sub(ASKS_MAX);
    asks.truncate(ASKS_MAX);
    let fields = session.fields().as_object().into_iter().flatten();
    let single = |value: &Value| !(value.is_null() || value.is_object() || value.is_array());
    let facts = fields.filter(|(_, value)| single(value) && value.as_str() != Some(&row.title));
    AttentionNotice {
        session: session.id(),
        handle: session.handle().to_string(),
        pack: session.pack().clone(),
        title: plain(&row.title, TITLE_MAX).replace('\n', " "),
        step,
        status: session.status().as_str().to_owned(),
        reason: plain(session.status_reason(), WORDS_MAX),
        facts: facts.take(FACTS_MAX).map(|(name, value)| fact(name, value)).collect(),
        cause: cause(session),
        asks,
        more,
        acknowledged_by: session.acknowledgement().map(|one| plain(&one.by.to_string(), 80)),
        links: links(session.id(), &session.origin().links, page),
        contact: contact.to_owned(),
        at: now,
    }
}

/// What the last report says.
fn cause(session: &Session) -> Option<NoticeCause> {
    let said = session.reports().iter().filter(|(_, report)| !report.content.trim().is_empty());
    let (agent, report) = said.max_by_key(|(_, report)| report.seq)?;
    Some(NoticeCause {
        agent: plain(agent.as_str(), 80),
        text: plain(&report.content, WORDS_MAX),
        confidence: format!("{:.2}", report.confidence),
    })
}

/// The page, and what the case came with. Only addresses of the web: nothing else opens by a click.
fn links(session: SessionId, theirs: &[String], page: Option<&str>) -> Vec<NoticeLink> {
    let own =
        page.map(|page| NoticeLink { title: "Open the case".to_owned(), url: format!("{page}/sessions/{session}") });
    let web = |url: &&String| {
        let fits = url.len() <= URL_MAX && !url.contains(|c: char| c.is_whitespace() || c.is_control());
        fits && (url.starts_with("https://") || url.starts_with("http://")) && plain(url, URL_MAX) == **url
    };
    let theirs = theirs.iter().filter(web).take(LINKS_MAX);
    let theirs = theirs.map(|url| NoticeLink { title: "From the sender".to_owned(), url: url.clone() });
    own.into_iter().chain(theirs).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_addresses_of_the_web_become_links() {
        let id = SessionId::new(uuid::Uuid::from_u128(7));
        let theirs = [
            "https://board.example/d/1?a=b",
            "http://10.0.0.5/x",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "https://a b",
            "https://a\u{202e}b",
            "ftp://x",
        ];
        let long = format!("https://{}", "x".repeat(URL_MAX));
        let theirs: Vec<String> = theirs.iter().map(|url| (*url).to_owned()).chain([long]).collect();
        let urls = |page| links(id, &theirs, page).into_iter().map(|link| link.url).collect::<Vec<_>>();
        let web = ["https://board.example/d/1?a=b", "http://10.0.0.5/x"];
        assert_eq!(urls(None), web);
        assert_eq!(urls(Some("https://p.example"))[0], format!("https://p.example/sessions/{id}"));
        let many = vec!["https://a/".to_owned(); 99];
        assert_eq!(links(id, &many, None).len(), LINKS_MAX);
    }
}
