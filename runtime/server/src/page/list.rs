//! `/sessions`: the list.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use provost_domain::ids::{PackName, SessionId};
use provost_domain::pack::Pack;
use provost_domain::port::SessionFilter;
use provost_domain::projection::SessionRow;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_face::{Code, StatusView, ago, minute};
use serde::Deserialize;

use super::frame::{Frame, rendered};
use super::guard::Viewer;
use crate::extract::Search;
use crate::problem::Problem;
use crate::state::Server;

/// Rows of a page.
const PAGE: u32 = 50;
/// The statuses every pack has.
const STATUSES: [&str; 6] = ["new", "in_progress", "awaiting_input", "needs_review", "error", "stopped"];

/// Which sessions. An empty choice is none.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Filter {
    #[serde(default)]
    status: String,
    #[serde(default)]
    pack: String,
    #[serde(default)]
    before: String,
}

#[derive(Debug)]
struct SessionLine {
    id: String,
    handle: String,
    title: String,
    pack: String,
    status: StatusView,
    head: u64,
    opened: String,
    opened_at: String,
    progress: String,
    progress_at: String,
}

#[derive(Debug)]
struct Choice {
    word: String,
    text: String,
    chosen: bool,
}

impl Choice {
    fn new(word: &str, chosen: &str) -> Self {
        Self { word: word.to_owned(), text: word.replace('_', " "), chosen: word == chosen }
    }
}

#[derive(Template)]
#[template(path = "sessions.html")]
struct SessionsPage {
    frame: Frame,
    statuses: Vec<Choice>,
    packs: Vec<Choice>,
    filter: Filter,
    rows: Vec<SessionLine>,
    older: Option<String>,
}

/// Sessions, newest first.
pub(crate) async fn sessions(
    State(server): State<Server>,
    viewer: Viewer,
    Search(filter): Search<Filter>,
) -> Result<Response, Problem> {
    let frame = Frame::new(&server, &viewer, "/sessions").await?;
    let chosen = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let bad = |_| Problem::new(Code::InvalidRequest, "`before` is the id of a session; begin without it");
    let before = chosen(&filter.before).map(|text| text.parse::<SessionId>().map_err(bad)).transpose()?;
    let asked = SessionFilter {
        status: chosen(&filter.status).as_deref().map(Status::of_word),
        pack: chosen(&filter.pack).map(PackName::new),
        before,
        limit: PAGE,
    };
    let rows = server.lookups().session_rows(&viewer.caller, &asked).await?;
    let full = u32::try_from(rows.len()).is_ok_and(|count| count == PAGE);
    let older = rows.last().filter(|_| full).map(|row| row.id.to_string());
    let now = server.access().now();
    let packs = server.operations().loaded_packs(&viewer.caller)?;
    let outcomes = packs.values().flat_map(|pack| pack.outcomes.keys().map(String::as_str));
    let page = SessionsPage {
        frame,
        statuses: STATUSES.into_iter().chain(outcomes).map(|word| Choice::new(word, &filter.status)).collect(),
        packs: packs.keys().map(|name| Choice::new(name.as_str(), &filter.pack)).collect(),
        filter,
        rows: rows.iter().map(|row| shown(row, packs.get(&row.pack).map(|pack| &**pack), now)).collect(),
        older,
    };
    rendered(&page)
}

fn shown(row: &SessionRow, pack: Option<&Pack>, now: Timestamp) -> SessionLine {
    SessionLine {
        id: row.id.to_string(),
        handle: row.handle.to_string(),
        title: row.title.clone(),
        pack: row.pack.to_string(),
        status: StatusView::new(row.status.as_str(), pack),
        head: row.head_seq.0,
        opened: minute(row.created_at),
        opened_at: row.created_at.to_string(),
        progress: ago(now, row.progress_at),
        progress_at: row.progress_at.to_string(),
    }
}
