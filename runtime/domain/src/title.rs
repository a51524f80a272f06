//! The one line by which people know a case in lists.

use crate::event::{Event, EventBody, SessionCreated};
use crate::ids::{Fence, Seq};
use crate::names::CaseNames;
use crate::pack::Pack;
use crate::session::Session;
use crate::time::Timestamp;

/// Longest title, in characters: a list shows it on one line.
pub const TITLE_MAX: usize = 200;

/// The title of a session that is about to open: what the pack says with its holes filled, on one line; else the pack's name.
pub fn title_of(pack: &Pack, created: &SessionCreated, now: Timestamp) -> String {
    let event = Event { seq: Seq(1), at: now, fence: Fence(1), body: EventBody::SessionCreated(created.clone()) };
    let session = Session::create(&event).ok();
    let text = pack.title.as_ref().zip(session).map(|(title, session)| CaseNames::new(&session, now).render(title));
    let line = text.unwrap_or_default().split_whitespace().collect::<Vec<_>>().join(" ");
    if line.is_empty() { pack.name.to_string() } else { line.chars().take(TITLE_MAX).collect() }
}
