//! `/healthz` and `/readyz`: for supervisors and load balancers, without a token and without figures.

use axum::Json;
use axum::extract::State;
use provost_domain::port::SessionFilter;
use provost_engine::ModelOutage;
use provost_face::Code;
use serde::Serialize;
use serde_json::json;
use utoipa::ToSchema;

use crate::problem::{Problem, Problems};
use crate::state::Server;

/// Free space below which no new work should come, in bytes: room for the store to note how its sessions end.
const FREE_MIN: u64 = 64 * 1024 * 1024;

/// Whether something works.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Check {
    /// What.
    name: &'static str,
    /// Whether it works.
    ok: bool,
}

/// Models whose server is away. Work may come all the same: it waits for them, or asks their fallbacks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AwayModels {
    /// The names of the models in the configuration.
    models: Vec<String>,
    /// Since when their server is left alone, but for a question from time to time.
    since: String,
}

/// A target of notifications that did not take the last one. Work may come all the same: its messages wait.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct AwayTarget {
    /// The tool that tells it.
    target: String,
    /// Since when it takes nothing.
    since: String,
}

/// What was looked at.
#[derive(Debug, Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the name that programs read")]
pub(crate) struct Checks {
    /// Each part.
    checks: Vec<Check>,
    /// One entry for each model server that is away.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    models_away: Vec<AwayModels>,
    /// One entry for each target of notifications that does not take them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    targets_away: Vec<AwayTarget>,
    /// What people who run it should know of its tools: those without a sandbox, and those that are not called at present.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tools: Vec<String>,
}

/// The process answers.
#[utoipa::path(get, path = "/healthz", tag = "health", security(()), responses((status = 200, body = Checks)))]
pub(crate) async fn alive() -> Json<Checks> {
    Json(Checks { checks: Vec::new(), models_away: Vec::new(), targets_away: Vec::new(), tools: Vec::new() })
}

/// Work may come: the store answers, there is room, the engine takes work.
#[utoipa::path(get, path = "/readyz", tag = "health", security(()),
    responses((status = 200, body = Checks), Problems))]
pub(crate) async fn ready(State(server): State<Server>) -> Result<Json<Checks>, Problem> {
    let filter = SessionFilter { limit: 1, ..SessionFilter::default() };
    let store = server.engine().reads().sessions(&filter).await.is_ok();
    let disk =
        rustix::fs::statvfs(server.data()).is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > FREE_MIN);
    let engine = !server.engine().stopped().is_cancelled();
    let checks = vec![
        Check { name: "store", ok: store },
        Check { name: "disk", ok: disk },
        Check { name: "engine", ok: engine },
    ];
    if checks.iter().all(|check| check.ok) {
        let outages = server.engine().model_outages().into_iter();
        // Nobody needs a token here: the address stands in the log and among the figures.
        let away = |outage: ModelOutage| AwayModels { models: outage.models, since: outage.since.to_string() };
        let silent = server.outgoing().away().into_iter();
        let silent = silent.map(|(target, since)| AwayTarget { target, since: since.to_string() });
        let (models_away, targets_away) = (outages.map(away).collect(), silent.collect());
        return Ok(Json(Checks { checks, models_away, targets_away, tools: server.engine().tool_notices() }));
    }
    let failed: Vec<_> = checks.iter().filter(|check| !check.ok).map(|check| check.name).collect();
    let detail = format!("does not work: {}; the log of the process says why", failed.join(", "));
    Err(Problem::new(Code::NotReady, detail).with("checks", json!(checks)))
}
