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
use tokio::sync::watch;
use tokio::task::JoinSet;

/// How the service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pace {
    /// At once.
    Quick,
    /// Up to 60 ms later, so that kills find calls under way.
    Slow,
}

/// The environment whose calls are counted but not answered while they are held.
pub(super) const HELD: &str = "held";

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
#[derive(Debug)]
pub(super) struct Counts {
    effects: Mutex<BTreeMap<String, Effect>>,
    /// Sessions whose held calls came since they were last forgotten.
    came: watch::Sender<BTreeSet<String>>,
    holding: watch::Sender<bool>,
    pace: Pace,
}

impl Counts {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Effect>> {
        self.effects.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins or ceases to hold calls.
    pub(super) fn hold(&self, holding: bool) {
        self.holding.send_replace(holding);
    }

    /// Forgets which held calls came.
    pub(super) fn forget(&self) {
        self.came.send_replace(BTreeSet::new());
    }

    /// Waits until held calls of so many sessions have come.
    pub(super) async fn until_came(&self, count: usize) {
        self.came.subscribe().wait_for(|came| came.len() >= count).await.unwrap();
    }

    /// Takes as long as it takes to answer.
    async fn answer(&self, key: &str, body: &Value) {
        if body["environment"] == HELD {
            // A key begins with its session.
            let session = key.split('/').next().unwrap_or_default().to_owned();
            self.came.send_modify(|came| came.extend([session]));
            self.holding.subscribe().wait_for(|holding| !holding).await.unwrap();
        }
        self.slowly().await;
    }

    async fn slowly(&self) {
        match self.pace {
            Pace::Quick => {}
            Pace::Slow => tokio::time::sleep(Duration::from_millis(fastrand::u64(0..60))).await,
        }
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
    pub(super) async fn start(pace: Pace) -> Self {
        let (came, holding) = (watch::Sender::new(BTreeSet::new()), watch::Sender::new(false));
        let counts = Arc::new(Counts { effects: Mutex::default(), came, holding, pace });
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

async fn look(State(counts): State<Arc<Counts>>, Path(what): Path<String>) -> Json<Value> {
    counts.slowly().await;
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
    counts.answer(key, &body).await;
    Json(json!({"done": what}))
}
