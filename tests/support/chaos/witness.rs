//! The service outside: it answers slowly, and counts every effect before it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The longest answer takes this long, so that kills find calls under way.
const SLOWEST_MS: u64 = 60;

/// What one key did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Effect {
    /// Which effect.
    pub(super) what: String,
    /// How often it was asked for, and so happened.
    pub(super) times: u64,
    /// What the caller called it in its arguments.
    pub(super) reasons: BTreeSet<String>,
}

/// Every effect, by key.
#[derive(Debug, Default)]
pub(super) struct Counts(Mutex<BTreeMap<String, Effect>>);

impl Counts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Effect>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn happened(&self, key: &str, what: &str, body: &Value) {
        let mut effects = self.lock();
        let effect = effects.entry(key.to_owned()).or_default();
        what.clone_into(&mut effect.what);
        effect.times += 1;
        effect.reasons.extend(body["reason"].as_str().map(str::to_owned));
    }

    /// Whether anything happened under a key.
    pub(super) fn knows(&self, key: &str) -> bool {
        self.lock().contains_key(key)
    }

    /// All of them.
    pub(super) fn all(&self) -> BTreeMap<String, Effect> {
        self.lock().clone()
    }
}

/// The running service.
#[derive(Debug)]
pub(super) struct Witness {
    pub(super) url: String,
    pub(super) counts: Arc<Counts>,
    _answering: JoinSet<()>,
}

impl Witness {
    pub(super) async fn start() -> Self {
        let counts = Arc::new(Counts::default());
        let router = Router::new()
            .route("/admin/{what}", get(look).post(act))
            .route("/{what}", post(act))
            .with_state(Arc::clone(&counts));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let mut answering = JoinSet::new();
        answering.spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { url, counts, _answering: answering }
    }
}

async fn slowly() {
    tokio::time::sleep(Duration::from_millis(fastrand::u64(0..SLOWEST_MS))).await;
}

async fn look(Path(what): Path<String>) -> Json<Value> {
    slowly().await;
    Json(json!({"looked_at": what}))
}

async fn act(
    State(counts): State<Arc<Counts>>,
    Path(what): Path<String>,
    headers: HeaderMap,
    Json(body): Json<Value>,
) -> Json<Value> {
    let key = headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap());
    counts.happened(key, &what, &body);
    slowly().await;
    Json(json!({"done": what}))
}
