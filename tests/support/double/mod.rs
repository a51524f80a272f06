//! Model servers of several makes on loopback. Each refuses what its make refuses, in its words, and else plays a model that
//! reads, reports and closes the case. The rules are written here once more, apart from the product's own.

mod history;
mod play;
mod schemas;

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// Whose rules a server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Make {
    /// `OpenAI`'s chat completions.
    OpenAi,
    /// Mistral's API.
    Mistral,
    /// Gemini behind its `OpenAI` form.
    Gemini,
    /// `DeepSeek` with thinking.
    DeepSeek,
    /// llama.cpp's server.
    LlamaCpp,
    /// A template that knows no system message, such as Gemma's.
    Gemma,
}

impl Make {
    /// Every make.
    pub const ALL: [Self; 6] = [Self::OpenAi, Self::Mistral, Self::Gemini, Self::DeepSeek, Self::LlamaCpp, Self::Gemma];
}

/// A refusal, as a server of that make words it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal400 {
    /// What is said.
    pub message: String,
    /// The machine's word for it.
    pub code: String,
    /// Which part of the request it is about.
    pub param: Option<String>,
}

impl Refusal400 {
    fn new(code: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), code: code.to_owned(), param: None }
    }
}

type Spoiler = dyn Fn(&mut Value) + Send + Sync;

struct DoubleState {
    make: Make,
    spoil: Box<Spoiler>,
    asked: Mutex<Vec<Value>>,
    refused: Mutex<Vec<Refusal400>>,
}

/// The running server; it ends when dropped.
pub struct Double {
    /// Its base address, with `/v1`.
    pub base_url: String,
    shared: Arc<DoubleState>,
    _task: JoinSet<()>,
}

impl fmt::Debug for Double {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Double").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Double {
    /// Starts a server of a make.
    pub async fn start(make: Make) -> Self {
        Self::spoilt(make, |_| ()).await
    }

    /// The same, where each request is changed before its rules are looked at: what the product does for this make, undone.
    pub async fn spoilt(make: Make, spoil: impl Fn(&mut Value) + Send + Sync + 'static) -> Self {
        let shared =
            Arc::new(DoubleState { make, spoil: Box::new(spoil), asked: Mutex::default(), refused: Mutex::default() });
        let routes = Router::new().fallback(answer).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { base_url, shared, _task: task }
    }

    /// The bodies that came, as its rules saw them.
    pub fn asked(&self) -> Vec<Value> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// What it refused.
    pub fn refused(&self) -> Vec<Refusal400> {
        self.shared.refused.lock().unwrap().clone()
    }
}

/// What a server of this make refuses of a request.
pub fn refusal(make: Make, body: &Value) -> Option<Refusal400> {
    schemas::refusal(make, body).or_else(|| history::refusal(make, body))
}

async fn answer(State(shared): State<Arc<DoubleState>>, bytes: Bytes) -> Response {
    let mut body: Value = serde_json::from_slice(&bytes).unwrap();
    (shared.spoil)(&mut body);
    shared.asked.lock().unwrap().push(body.clone());
    if let Some(refusal) = refusal(shared.make, &body) {
        let error = json!({"message": refusal.message, "code": refusal.code, "param": refusal.param,
            "type": "invalid_request_error"});
        shared.refused.lock().unwrap().push(refusal);
        return (StatusCode::BAD_REQUEST, json!({"error": error}).to_string()).into_response();
    }
    play::reply(shared.make, &body).to_string().into_response()
}
