//! `/sessions/{session}`: a session as it happens, and one event in full.

use askama::Template;
use axum::extract::{Path, State};
use axum::response::Response;
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::SessionRow;
use provost_domain::session::Session;
use provost_engine::LogReader;
use serde::Deserialize;
use serde_json::Value;

use super::asks::{Asks, Look};
use super::facts::Facts;
use super::frame::{Frame, rendered};
use super::guard::Viewer;
use super::status::{StatusView, status};
use super::text::{ago, cut, minute, pretty};
use super::timeline::{Row, Timeline};
use crate::app::Server;
use crate::codes::Code;
use crate::extract::{Named, Search};
use crate::problem::Problem;

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
}

#[derive(Template)]
#[template(path = "session.html")]
struct Page {
    frame: Frame,
    head: Head,
    asks: Asks,
    facts: Facts,
    rows: Vec<Row>,
    /// Where the page of events before these begins.
    earlier: Option<u64>,
    /// Where the page of events after these begins; without it the page follows the session.
    later: Option<u64>,
}

/// What was read of a session's log.
struct Read {
    session: Session,
    timeline: Timeline,
    rows: Vec<Row>,
}

/// Folds the whole log and tells the events after `after`, at most a page of them.
async fn read(server: &Server, id: SessionId, after: u64) -> Result<Read, Problem> {
    let reads = server.engine().reads();
    let (mut log, mut timeline, mut rows) = (LogReader::new(id), Timeline::new(id), Vec::new());
    loop {
        let events = log.next(&**reads).await?;
        if events.is_empty() {
            break;
        }
        for event in &events {
            timeline.learn(event);
            if event.seq.0 > after && event.seq.0 <= after.saturating_add(ROWS_MAX) {
                rows.push(timeline.row(event));
            }
        }
    }
    let session =
        log.session().cloned().ok_or_else(|| Problem::new(Code::NotFound, "the session has no events yet"))?;
    Ok(Read { session, timeline, rows })
}

/// One session.
pub(crate) async fn session(
    State(server): State<Server>,
    Named(id): Named,
    viewer: Viewer,
    Search(window): Search<Window>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/sessions").await?;
    let row = server.engine().reads().session(id).await?;
    let newest = row.head_seq.0.saturating_sub(ROWS_MAX);
    let after = window.after.unwrap_or_else(|| window.from.map_or(newest, |from| from.saturating_sub(1)));
    let Read { session, timeline, rows } = read(&server, id, after).await?;
    let pack = server.engine().pack_of(&session);
    let pack = pack.as_deref();
    let catalog = server.engine().catalog();
    let now = server.access().now();
    let look = Look { who: &frame.who, now, catalog: &catalog, title: &row.title };
    let last = rows.last().map_or(after, |row| row.seq);
    let page = Page {
        asks: Asks::new(&session, &timeline, pack, look),
        facts: Facts::new(&session, pack),
        head: head(&server, &row, &session),
        earlier: (after > 0).then(|| after.saturating_sub(ROWS_MAX).saturating_add(1)),
        later: (last < session.head().0).then_some(last.saturating_add(1)),
        frame,
        rows,
    };
    rendered(&page)
}

fn head(server: &Server, row: &SessionRow, session: &Session) -> Head {
    let now = server.access().now();
    let pack = server.engine().pack_of(session);
    let at_work = session.turn().map(|turn| match turn.round {
        0 => turn.agent.to_string(),
        round => format!("{}, round {round}", turn.agent),
    });
    Head {
        id: row.id.to_string(),
        handle: row.handle.to_string(),
        title: row.title.clone(),
        status: status(session.status().as_str(), pack.as_deref()),
        reason: session.status_reason().to_owned(),
        pack: session.pack().to_owned(),
        requester: session.requester().to_string(),
        opened: minute(session.created_at()),
        opened_at: session.created_at().to_string(),
        progress: ago(now, session.updated_at()),
        progress_at: session.updated_at().to_string(),
        agent: at_work,
        ended: session.status().is_end(),
    }
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
    event: String,
    /// A result that is stored beside its event.
    content: Option<String>,
    cut: bool,
}

/// One event, with all it holds.
pub(crate) async fn event(
    State(server): State<Server>,
    Path((name, seq)): Path<(String, u64)>,
    viewer: Viewer,
) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/sessions").await?;
    let id = crate::extract::session_named(&server, name).await?;
    let row = server.engine().reads().session(id).await?;
    let event = one(&server, id, seq).await?;
    let (shown, content) = (pretty(&event.body.data()), stored(&server, &event).await?);
    let cut_off = content.iter().chain([&shown]).any(|text| text.chars().count() > EVENT_MAX);
    let page = EventPage {
        frame,
        session: id.to_string(),
        handle: row.handle.to_string(),
        seq,
        kind: event.body.kind(),
        at: event.at.to_string(),
        event: cut(&shown, EVENT_MAX),
        content: content.map(|text| cut(&text, EVENT_MAX)),
        cut: cut_off,
    };
    rendered(&page)
}

async fn one(server: &Server, id: SessionId, seq: u64) -> Result<Event, Problem> {
    let mut tail = provost_engine::Tail::new(id, Seq(seq.saturating_sub(1)));
    let events = tail.next(&**server.engine().reads()).await?;
    let missing = || Problem::new(Code::NotFound, format!("the session has no event {seq}; look at its timeline"));
    events.into_iter().find(|event| event.seq.0 == seq).ok_or_else(missing)
}

/// The content an event refers to.
async fn stored(server: &Server, event: &Event) -> Result<Option<String>, Problem> {
    let EventBody::ToolReturned(returned) = &event.body else { return Ok(None) };
    let Some(provost_domain::tool::Blob::Stored { sha256, .. }) = returned.outcome.blob() else { return Ok(None) };
    let bytes = server.engine().reads().content(*sha256).await?;
    let text = match serde_json::from_slice::<Value>(&bytes) {
        Ok(value) => pretty(&value),
        Err(_) => String::from_utf8_lossy(&bytes).into_owned(),
    };
    Ok(Some(text))
}
