//! A model server on loopback that is told its answers, in the OpenAI-compatible form or in none, and keeps the questions.

use std::fmt;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// A question as it came over the wire.
#[derive(Debug, Clone)]
pub struct Asked {
    /// The path.
    pub path: String,
    /// The `Authorization` header, or nothing.
    pub authorization: String,
    /// The body.
    pub body: Value,
}

/// What the server says.
#[derive(Debug, Clone)]
pub enum Said {
    /// A status, headers and a body.
    Answer(u16, Vec<(&'static str, String)>, String),
    /// Nothing, ever.
    Silence,
}

impl Said {
    /// A status with an error in the protocol's form.
    pub fn error(status: u16, message: &str) -> Self {
        Self::Answer(status, Vec::new(), json!({"error": {"message": message}}).to_string())
    }

    /// A reply with this message.
    pub fn message(message: &Value, finish: &str) -> Self {
        let usage = json!({"prompt_tokens": 10, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 4}});
        let choice = json!({"index": 0, "message": message, "finish_reason": finish});
        let body = json!({"id": "x", "object": "chat.completion", "choices": [choice], "usage": usage});
        Self::Answer(200, Vec::new(), body.to_string())
    }

    /// A reply with a text.
    pub fn text(text: &str) -> Self {
        Self::message(&json!({"role": "assistant", "content": text}), "stop")
    }

    /// A reply that makes calls: each a tool's wire name and its arguments as the model wrote them.
    pub fn calls(calls: &[(&str, &str)]) -> Self {
        let call = |(index, (name, arguments)): (usize, &(&str, &str))| {
            json!({"id": format!("theirs{index}"), "type": "function",
                "function": {"name": name, "arguments": arguments}})
        };
        let calls: Vec<Value> = calls.iter().enumerate().map(call).collect();
        Self::message(&json!({"role": "assistant", "content": null, "tool_calls": calls}), "tool_calls")
    }
}

type Teller = dyn Fn(usize, &Asked) -> Said + Send + Sync;

#[derive(Clone)]
struct Told {
    teller: Arc<Teller>,
    questions: Arc<Mutex<Vec<Asked>>>,
}

/// The running server; it ends when dropped.
pub struct Endpoint {
    /// Its base address, with `/v1`.
    pub base_url: String,
    told: Told,
    _task: JoinSet<()>,
}

impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint").field("base_url", &self.base_url).finish_non_exhaustive()
    }
}

impl Endpoint {
    /// Starts a server that answers the `n`th question, from 0, as `teller` says.
    pub async fn start(teller: impl Fn(usize, &Asked) -> Said + Send + Sync + 'static) -> Self {
        let told = Told { teller: Arc::new(teller), questions: Arc::default() };
        let routes = Router::new().fallback(answer).with_state(told.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}/v1", listener.local_addr().unwrap());
        let mut task = JoinSet::new();
        task.spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { base_url, told, _task: task }
    }

    /// Starts a server that always says the same.
    pub async fn always(said: Said) -> Self {
        Self::start(move |_, _| said.clone()).await
    }

    /// The questions so far.
    pub fn questions(&self) -> Vec<Asked> {
        self.told.questions.lock().unwrap().clone()
    }
}

async fn answer(State(told): State<Told>, uri: Uri, headers: HeaderMap, body: Bytes) -> Response {
    let authorization = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let asked = Asked {
        path: uri.path().to_owned(),
        authorization: authorization.to_owned(),
        body: serde_json::from_slice(&body).unwrap_or(Value::Null),
    };
    let said = {
        let mut questions = told.questions.lock().unwrap();
        questions.push(asked.clone());
        (told.teller)(questions.len() - 1, &asked)
    };
    match said {
        Said::Answer(status, headers, body) => {
            let mut response = (StatusCode::from_u16(status).unwrap(), body).into_response();
            for (name, value) in headers {
                response.headers_mut().insert(name, value.parse().unwrap());
            }
            response
        }
        Said::Silence => std::future::pending().await,
    }
}
