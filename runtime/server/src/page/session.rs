//! `/sessions/{session}`: a session as it happens, and one event in full.

use provost_face::{
    ActView, SessionDetail, SessionState, StatusView, StoredEvent, Timeline, VisibleText, WaitView, ago, minute,
};

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use provost_domain::ids::Seq;
use provost_domain::pack::Pack;
use provost_domain::time::Timestamp;
use serde::Deserialize;
use serde_json::Value;

use super::asks::ShownAsks;
use super::facts::{Facts, ShownPart};
use super::flow::{FlowStep, flow};
use super::frame::{Frame, rendered};
use super::guard::Viewer;
use super::timeline::TimelineRow;
use crate::extract::{Named, Search};
use crate::problem::Problem;
use crate::state::Server;

/// Events on one page: a long session's page stays quick.
const ROWS_MAX: u64 = 1_000;
/// Most characters of an event's own page.
const EVENT_MAX: usize = 1024 * 1024;

/// Which events.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Window {
    /// Only those after this one: what a page that is open lacks.
    after: Option<u64>,
    /// A page of them from this one on.
    from: Option<u64>,
}

#[derive(Debug)]
struct Head {
    id: String,
    handle: String,
    title: String,
    status: StatusView,
    reason: String,
    pack: String,
    requester: String,
    opened: String,
    opened_at: String,
    progress: String,
    progress_at: String,
    /// Who works on what.
    agent: Option<String>,
    ended: bool,
    /// What is known of its beginning, what it acts on and waits for, in words.
    notes: Vec<String>,
    /// Addresses that its delivery named: of the web only, since a page opens them.
    links: Vec<String>,
}

#[derive(Template)]
#[template(path = "session.html")]
struct SessionPage {
    frame: Frame,
    head: Head,
    asks: ShownAsks,
    facts: Facts,
    /// Empty where the pack is not loaded.
    flow: Vec<FlowStep>,
    rows: Vec<TimelineRow>,
    /// Where the page of events before these begins.
    earlier: Option<u64>,
    /// Where the page of events after these begins; without it the page follows the session.
    later: Option<u64>,
}

/// One session.
pub(crate) async fn session(
    State(server): State<Server>,
    Named(id): Named,
    viewer: Viewer,
    Search(window): Search<Window>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/sessions").await?;
    let state = server.lookups().session(&viewer.caller, id).await?;
    let newest = state.row.head_seq.0.saturating_sub(ROWS_MAX);
    let after = window.after.unwrap_or_else(|| window.from.map_or(newest, |from| from.saturating_sub(1)));
    let Timeline { events, names } = server.lookups().timeline(&viewer.caller, id, Seq(after), ROWS_MAX).await?;
    let asks = server.operations().asks(&viewer.caller, &state)?;
    let (session, now) = (&state.session, server.access().now());
    let pack = server.operations().pack_of(&state);
    let last = events.last().map_or(after, |event| event.seq.0);
    let flow = pack.as_deref().map(|pack| flow(session, pack, &asks.approvals)).unwrap_or_default();
    let page = SessionPage {
        flow,
        asks: ShownAsks::new(id, asks, &names, now),
        facts: Facts::new(session, &state.detail(), pack.as_deref()),
        head: head(&state, pack.as_deref(), now),
        earlier: (after > 0).then(|| after.saturating_sub(ROWS_MAX).saturating_add(1)),
        later: (last < session.head().0).then_some(last.saturating_add(1)),
        frame,
        rows: events.into_iter().map(|event| TimelineRow::new(id, session.created_at(), event)).collect(),
    };
    rendered(&page)
}

fn head(state: &SessionState, pack: Option<&Pack>, now: Timestamp) -> Head {
    let SessionState { row, session } = state;
    let detail = state.detail();
    let at_work = session.newest_work().map(|work| match work.turn().map_or(0, |turn| turn.round) {
        0 => work.agent.to_string(),
        round => format!("{}, round {round}", work.agent),
    });
    Head {
        id: row.id.to_string(),
        handle: row.handle.to_string(),
        title: row.title.clone(),
        status: StatusView::new(session.status().as_str(), pack),
        reason: session.status_reason().to_owned(),
        pack: session.pack().to_string(),
        requester: session.requester().to_string(),
        opened: minute(session.created_at()),
        opened_at: session.created_at().to_string(),
        progress: ago(now, session.updated_at()),
        progress_at: session.updated_at().to_string(),
        agent: at_work,
        ended: session.status().is_end(),
        notes: notes(&detail),
        links: detail.origin.links.iter().filter(|link| is_of_the_web(link)).cloned().collect(),
    }
}

/// What is known of a session's beginning, what it acts on and what it waits for.
fn notes(detail: &SessionDetail) -> Vec<String> {
    let origin = detail.origin.notes().into_iter();
    let acts = detail.acts_on.iter().map(ActView::words);
    origin.chain(acts).chain(detail.waiting_for.iter().map(WaitView::words)).map(|note| note.to_string()).collect()
}

fn is_of_the_web(link: &str) -> bool {
    ["https://", "http://"].iter().any(|scheme| link.starts_with(scheme))
}

#[derive(Template)]
#[template(path = "event.html")]
struct EventPage {
    frame: Frame,
    session: String,
    handle: String,
    seq: u64,
    kind: &'static str,
    at: String,
    event: VisibleText,
    /// A result that is stored beside its event.
    content: Option<VisibleText>,
    cut: bool,
}

/// One event, with all it holds.
pub(crate) async fn event(
    State(server): State<Server>,
    Path((name, seq)): Path<(String, u64)>,
    viewer: Viewer,
) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/sessions").await?;
    let id = server.lookups().session_named(&viewer.caller, &name).await?;
    let handle = server.lookups().row(&viewer.caller, id).await?.handle.to_string();
    let StoredEvent { event, content } = server.lookups().event(&viewer.caller, id, Seq(seq)).await?;
    let (shown, content) = (VisibleText::json(&event.body.data(), EVENT_MAX), content.as_deref().map(result));
    let cut = content.iter().chain([&shown]).any(VisibleText::is_cut);
    let page = EventPage {
        frame,
        session: id.to_string(),
        handle,
        seq,
        kind: event.body.kind(),
        at: event.at.to_string(),
        event: shown,
        content,
        cut,
    };
    rendered(&page)
}

/// A stored result: JSON over several lines, or as it is.
fn result(bytes: &[u8]) -> VisibleText {
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => VisibleText::json(&value, EVENT_MAX),
        Err(_) => VisibleText::within(String::from_utf8_lossy(bytes), EVENT_MAX),
    }
}
