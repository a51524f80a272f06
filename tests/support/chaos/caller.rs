//! Requests that survive the daemon: each is sent again, under the same key, until it is answered.

use std::time::Duration;

use reqwest::{Client, Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;
use tokio::sync::watch;
use tokio::time::sleep;

/// Before a request is sent again.
const PAUSE: Duration = Duration::from_millis(15);
/// How long one try may take: a daemon that is halted answers later.
const TRY_MAX: Duration = Duration::from_secs(20);

/// Somebody with a token.
#[derive(Debug, Clone)]
pub(super) struct Caller {
    client: Client,
    /// Where the daemon listens while it is up.
    url: watch::Receiver<Option<String>>,
    secret: String,
}

impl Caller {
    pub(super) fn new(url: watch::Receiver<Option<String>>, secret: &str) -> Self {
        let client = provost_http::client(None).unwrap().build().unwrap();
        Self { client, url, secret: secret.to_owned() }
    }

    /// The same connections with another token.
    pub(super) fn as_other(&self, secret: &str) -> Self {
        Self { secret: secret.to_owned(), ..self.clone() }
    }

    /// A request to the daemon of this moment, once there is one.
    async fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let mut url = self.url.clone();
        let url = url.wait_for(Option::is_some).await.unwrap().clone().unwrap_or_default();
        self.client.request(method, format!("{url}{path}")).bearer_auth(&self.secret)
    }

    /// Posts until there is an answer that stands: status and body.
    pub(super) async fn post(&self, path: &str, key: &str, body: &Value) -> (StatusCode, Value) {
        loop {
            let request = self.request(Method::POST, path).await;
            let sent = request.header("Idempotency-Key", key).timeout(TRY_MAX).json(body).send().await;
            if let Some((status, answer)) = read(sent).await
                && !is_passing(status, &answer)
            {
                return (status, answer);
            }
            sleep(PAUSE).await;
        }
    }

    /// Reads until there is an answer that stands.
    pub(super) async fn get(&self, path: &str) -> (StatusCode, Value) {
        loop {
            let sent = self.request(Method::GET, path).await.timeout(TRY_MAX).send().await;
            if let Some((status, answer)) = read(sent).await
                && !is_passing(status, &answer)
            {
                return (status, answer);
            }
            sleep(PAUSE).await;
        }
    }

    /// A stream of events after a position, once it begins; an error is a refusal to show what was there.
    pub(super) async fn stream(&self, path: &str, after: u64) -> Result<Response, String> {
        loop {
            let request = self.request(Method::GET, path).await.header("accept", "text/event-stream");
            match request.header("last-event-id", after.to_string()).send().await {
                Ok(response) if response.status().is_success() => return Ok(response),
                Ok(response) => {
                    let status = response.status();
                    let answer = read(Ok(response)).await.map(|(_, answer)| answer).unwrap_or_default();
                    if status.is_client_error() && !is_passing(status, &answer) {
                        return Err(format!("{status}: {answer}"));
                    }
                }
                Err(_) => {}
            }
            sleep(PAUSE).await;
        }
    }
}

/// An answer, unless it broke off.
async fn read(sent: reqwest::Result<Response>) -> Option<(StatusCode, Value)> {
    let response = sent.ok()?;
    let status = response.status();
    let text = response.text().await.ok()?;
    Some((status, serde_json::from_str(&text).unwrap_or(Value::Null)))
}

/// An answer that says to ask again.
fn is_passing(status: StatusCode, answer: &Value) -> bool {
    let again = ["idempotency_in_progress", "stale", "session_busy"];
    let later = [StatusCode::ACCEPTED, StatusCode::TOO_MANY_REQUESTS];
    status.is_server_error() || later.contains(&status) || again.iter().any(|code| answer["code"] == *code)
}
