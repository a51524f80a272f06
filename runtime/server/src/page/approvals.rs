//! `/approvals`: every call that waits for a person, across sessions, and what was decided last.

use provost_face::{ago, word};

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use provost_domain::projection::ApprovalRow;

use super::asks::ShownApproval;
use super::frame::{Frame, rendered};
use super::guard::Viewer;
use crate::problem::Problem;
use crate::state::Server;

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
struct ApprovalsPage {
    frame: Frame,
    cards: Vec<ShownApproval>,
    decided: Vec<Decided>,
    /// How many pending ones are not shown.
    more: usize,
}

/// The queue; the first to expire first.
pub(crate) async fn approvals(State(server): State<Server>, viewer: Viewer) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/approvals").await?;
    let queue = server.lookups().approval_queue(&viewer.caller).await?;
    let cards = server.operations().queued(&viewer.caller, &queue)?;
    let now = server.access().now();
    let when = |row: &ApprovalRow| ago(now, row.decided_at.unwrap_or(row.requested_at));
    let page = ApprovalsPage {
        more: queue.pending.len().saturating_sub(cards.len()),
        cards: cards.into_iter().map(|card| ShownApproval::new(card, now)).collect(),
        decided: queue.decided.iter().map(|row| shown(row, when(row))).collect(),
        frame,
    };
    rendered(&page)
}

fn shown(row: &ApprovalRow, when: String) -> Decided {
    Decided {
        id: row.id.to_string(),
        session: row.session.to_string(),
        tool: row.tool.to_string(),
        state: word(&row.state.as_str().into()),
        by: row.decided_by.as_ref().map_or_else(|| "nobody".to_owned(), ToString::to_string),
        at: row.decided_at.unwrap_or(row.requested_at).to_string(),
        when,
    }
}
