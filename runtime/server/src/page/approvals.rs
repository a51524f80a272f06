//! `/approvals`: every call that waits for a person, across sessions, and what was decided last.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use provost_domain::ids::SessionId;
use provost_domain::port::{ApprovalFilter, ApprovalRow};

use super::asks::{ApprovalCard, Look, approval_cards};
use super::describe::word;
use super::frame::{Frame, rendered};
use super::guard::Viewer;
use super::text::ago;
use crate::app::Server;
use crate::problem::Problem;
use crate::sessions::folded;

/// Most sessions whose approvals are shown at once.
const SESSIONS_MAX: usize = 50;
/// Rows looked at; decided ones among them are shown below.
const ROWS: u32 = 100;
/// Decided ones shown.
const DECIDED_MAX: usize = 20;

#[derive(Debug)]
struct Decided {
    id: String,
    session: String,
    tool: String,
    state: String,
    by: String,
    at: String,
    when: String,
}

#[derive(Template)]
#[template(path = "approvals.html")]
struct Page {
    frame: Frame,
    cards: Vec<ApprovalCard>,
    decided: Vec<Decided>,
    /// How many pending ones are not shown.
    more: usize,
}

/// The queue; the first to expire first.
pub(crate) async fn approvals(State(server): State<Server>, viewer: Viewer) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/approvals").await?;
    let reads = server.engine().reads();
    let filter = |pending_only| ApprovalFilter { session: None, pending_only, limit: ROWS };
    let pending = reads.approvals(&filter(true)).await?;
    let mut sessions: Vec<SessionId> = pending.iter().map(|row| row.session).collect();
    sessions.sort_unstable();
    sessions.dedup();
    let now = server.access().now();
    let catalog = server.engine().catalog();
    let mut cards = Vec::new();
    for id in sessions.into_iter().take(SESSIONS_MAX) {
        let title = reads.session(id).await?.title;
        let (session, _) = folded(&server, id).await?;
        let look = Look { who: &frame.who, now, catalog: &catalog, title: &title };
        cards.extend(approval_cards(&session, look));
    }
    cards.sort_by(|a, b| a.expires_at.cmp(&b.expires_at));
    let decided = reads.approvals(&filter(false)).await?;
    let decided = decided.iter().filter(|row| row.state != "pending").take(DECIDED_MAX);
    let page = Page {
        more: pending.len().saturating_sub(cards.len()),
        cards,
        decided: decided.map(|row| shown(row, ago(now, row.decided_at.unwrap_or(row.requested_at)))).collect(),
        frame,
    };
    rendered(&page)
}

fn shown(row: &ApprovalRow, when: String) -> Decided {
    Decided {
        id: row.id.to_string(),
        session: row.session.to_string(),
        tool: row.tool.to_string(),
        state: word(&row.state.clone().into()),
        by: row.decided_by.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string),
        at: row.decided_at.unwrap_or(row.requested_at).to_string(),
        when,
    }
}
