//! The service outside: it answers slowly, and counts every effect before it answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::Response;
use axum::routing::{get, post};
use axum::{Json, Router};
use provost_domain::ids::Digest;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::strike::{Planned, Strike};

/// The environment whose calls are counted but not answered while they are held.
pub(super) const HELD: &str = "held";
/// How long it looks for a request that is still on its way before it says that nothing happened: all that had arrived when
/// it was asked is read by then, since everything here runs on one thread.
const ON_ITS_WAY: Duration = Duration::from_millis(50);
/// Of 256 keys, those of which it never is sure.
const FORGOTTEN: u8 = 26;

/// How the service behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Manner {
    /// Whether it takes up to 60 ms for an answer, so that kills find calls under way.
    pub(super) slow: bool,
    /// Whether it can be sure that something did not happen. It cannot where somebody who asked may yet act.
    pub(super) sure: bool,
}

/// What one key did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Effect {
    /// Which effect.
    pub(super) what: String,
    /// How often it was asked for, and so happened.
    pub(super) times: u64,
    /// Its number among all effects.
    receipt: usize,
    /// What the caller called it in its arguments.
    pub(super) reasons: BTreeSet<String>,
}

impl Effect {
    /// What is answered: nobody else can know the receipt.
    pub(super) fn answer(&self) -> Value {
        json!({"done": self.what, "receipt": self.receipt})
    }
}

/// Every effect, by key.
#[derive(Debug)]
pub(super) struct Counts {
    effects: Mutex<BTreeMap<String, Effect>>,
    /// Sessions whose held calls came since they were last forgotten.
    came: watch::Sender<BTreeSet<String>>,
    holding: watch::Sender<bool>,
    planned: Planned,
    manner: Manner,
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
    async fn dawdle(&self, key: &str, body: &Value) {
        if body["environment"] == HELD {
            // A key begins with its session.
            let session = key.split('/').next().unwrap_or_default().to_owned();
            self.came.send_modify(|came| came.extend([session]));
            self.holding.subscribe().wait_for(|holding| !holding).await.unwrap();
        }
        self.slowly().await;
    }

    async fn slowly(&self) {
        if self.manner.slow {
            tokio::time::sleep(Duration::from_millis(fastrand::u64(0..60))).await;
        }
    }

    fn happened(&self, key: &str, what: &str, body: &Value) -> Value {
        let mut effects = self.lock();
        let receipt = effects.len() + 1;
        let effect = effects.entry(key.to_owned()).or_insert_with(|| Effect { receipt, ..Effect::default() });
        what.clone_into(&mut effect.what);
        effect.times += 1;
        effect.reasons.extend(body["reason"].as_str().map(str::to_owned));
        effect.answer()
    }

    /// What happened under a key, once all that was on its way has arrived.
    async fn settled(&self, key: &str) -> Option<Effect> {
        let known = self.lock().get(key).cloned();
        if known.is_some() {
            return known;
        }
        tokio::time::sleep(ON_ITS_WAY).await;
        self.lock().get(key).cloned()
    }

    /// Whether it remembers for sure what it did under a key.
    fn remembers(key: &str) -> bool {
        Digest::of(key.as_bytes()).as_bytes()[0] >= FORGOTTEN
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
    pub(super) async fn start(manner: Manner) -> Self {
        let (came, holding) = (watch::Sender::new(BTreeSet::new()), watch::Sender::new(false));
        let counts = Arc::new(Counts { effects: Mutex::default(), came, holding, planned: Planned::default(), manner });
        let router = Router::new()
            .route("/effects", get(all))
            .route("/effect", get(one))
            .route("/strike", post(strike))
            .route("/admin/requests", get(requests))
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

#[derive(Debug, Deserialize)]
struct Key {
    key: String,
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
) -> Response {
    let key = headers.get("idempotency-key").map_or("", |key| key.to_str().unwrap());
    let answer = counts.happened(key, &what, &body);
    counts.dawdle(key, &body).await;
    counts.planned.answer(answer.to_string().into())
}

/// The next call is the end of the daemon that makes it; `null` takes that back.
async fn strike(State(counts): State<Arc<Counts>>, Json(strike): Json<Option<Strike>>) {
    counts.planned.set(strike);
}

/// What `service:deploy` asks about a key.
async fn requests(State(counts): State<Arc<Counts>>, Query(Key { key }): Query<Key>) -> Json<Value> {
    let known = counts.settled(&key).await;
    Json(match known {
        _ if !Counts::remembers(&key) => json!({"happened": null}),
        Some(effect) => json!({"happened": true, "answer": effect.answer()}),
        None if counts.manner.sure => json!({"happened": false}),
        None => json!({"happened": null}),
    })
}

/// What the campaign asks about a key.
async fn one(State(counts): State<Arc<Counts>>, Query(Key { key }): Query<Key>) -> Json<Option<Effect>> {
    Json(counts.settled(&key).await)
}

async fn all(State(counts): State<Arc<Counts>>) -> Json<BTreeMap<String, Effect>> {
    Json(counts.lock().clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A key that it remembers for sure, or not.
    fn key(remembered: bool) -> String {
        (0..1_000).map(|n| format!("ses/{n}")).find(|key| Counts::remembers(key) == remembered).unwrap()
    }

    /// What a witness says of a key, before and after something happened under it.
    async fn said(sure: bool, key: &str) -> (Value, Value, Value) {
        let witness = Witness::start(Manner { slow: false, sure }).await;
        let client = provost_http::client(None).unwrap().build().unwrap();
        let asked = || async {
            let said = client.get(format!("{}/admin/requests?key={key}", witness.url)).send().await.unwrap();
            said.json::<Value>().await.unwrap()
        };
        let before = asked().await;
        let act = client.post(format!("{}/admin/release", witness.url)).header("Idempotency-Key", key);
        let answer = act.json(&json!({"reason": "r"})).send().await.unwrap().json().await.unwrap();
        (before, answer, asked().await)
    }

    #[tokio::test]
    async fn it_says_what_happened_with_its_receipt_and_no_more_than_it_knows() {
        let (before, answer, after) = said(true, &key(true)).await;
        assert_eq!(answer, json!({"done": "release", "receipt": 1}));
        assert_eq!((before, after), (json!({"happened": false}), json!({"happened": true, "answer": answer})));
        let (before, answer, after) = said(false, &key(true)).await;
        assert_eq!((before, after), (json!({"happened": null}), json!({"happened": true, "answer": answer})));
        let (before, _, after) = said(true, &key(false)).await;
        assert_eq!((before, after), (json!({"happened": null}), json!({"happened": null})));
    }
}
