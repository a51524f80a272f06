//! A server that is reached over HTTP: each request is one POST, whose answer is a document or a stream of events.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use provost_domain::tool::Happened;
use reqwest::header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use super::events::EventReader;
use super::message::{Era, MESSAGE_MAX, McpMessage, McpRequest, WireFault, WireReply, answer, reply};
use super::wire::McpWire;
use crate::http::{describe, start};
use crate::server::RemoteServer;
use crate::status::{StatusRules, StatusWord};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");

/// A server over HTTP.
#[derive(Debug)]
pub(super) struct Web {
    server: RemoteServer,
    /// The session that a server of the older revisions opened.
    session: Mutex<Option<HeaderValue>>,
    /// Whether that session is gone.
    over: AtomicBool,
    changed: AtomicBool,
}

impl Web {
    pub(super) fn new(server: RemoteServer) -> Self {
        let (session, over, changed) = (Mutex::new(None), AtomicBool::new(false), AtomicBool::new(false));
        Self { server, session, over, changed }
    }

    fn post(&self, message: &Value, headers: HeaderMap) -> RequestBuilder {
        let request = self.server.page_with(Method::POST).headers(headers);
        request.header(ACCEPT, "application/json, text/event-stream").json(message)
    }

    fn headers(&self, request: Option<&McpRequest>, era: &Era) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Ok(version) = HeaderValue::from_str(era.version()) {
            headers.insert(VERSION, version);
        }
        match era {
            Era::Modern => {
                let method = request.map(|request| HeaderValue::from_static(request.method));
                headers.extend(method.map(|method| (METHOD, method)));
                let name = request.and_then(|request| request.params.get("name")?.as_str());
                headers.extend(name.and_then(|name| HeaderValue::from_str(name).ok()).map(|name| (NAME, name)));
            }
            Era::Legacy(_) => {
                let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).clone();
                headers.extend(session.map(|session| (SESSION, session)));
            }
        }
        headers
    }

    /// Reads the reply to a request out of a stream of events. The stream's end without it loses the reply.
    async fn streamed(&self, mut response: Response, id: u64, era: &Era) -> WireReply {
        let (mut events, mut bytes) = (EventReader::default(), 0);
        loop {
            let chunk = match response.chunk().await {
                Ok(Some(chunk)) => chunk,
                Ok(None) => return Err(over("the stream ended before the server answered")),
                Err(error) => return Err(over(&format!("the stream broke off: {}", describe(&error).1))),
            };
            bytes += chunk.len();
            if bytes > MESSAGE_MAX {
                return Err(over(&format!("the server sent more than {MESSAGE_MAX} bytes")));
            }
            for data in events.take(&chunk) {
                let Ok(message) = serde_json::from_str::<Value>(&data) else { continue };
                match McpMessage::of(&message) {
                    McpMessage::Reply { id: own, reply } if own == id => return reply,
                    McpMessage::Question { id, method } => self.tell(answer(&id, &method), era).await,
                    McpMessage::Notice { method } if method == "notifications/tools/list_changed" => {
                        self.changed.store(true, Ordering::SeqCst);
                    }
                    McpMessage::Reply { .. } | McpMessage::Notice { .. } | McpMessage::Odd => {}
                }
            }
        }
    }

    /// What an answer with a status of a failure says.
    async fn refused(&self, response: Response) -> WireFault {
        let status = response.status();
        let had_session = self.session.lock().unwrap_or_else(PoisonError::into_inner).is_some();
        let text = crate::http::body(response, 64 * 1024).await.map(|body| body.text).unwrap_or_default();
        if let Ok(message) = serde_json::from_str::<Value>(&text)
            && status.is_client_error()
            && message.get("error").is_some_and(|error| error.get("code").is_some())
            && let Err(fault) = reply(&message)
        {
            let refused = StatusRules::default().word(status.as_u16()) == StatusWord::Refused;
            let happened = if refused { Happened::No } else { fault.happened };
            return WireFault { happened, detail: format!("HTTP {status}: {}", fault.detail), ..fault };
        }
        if status == StatusCode::NOT_FOUND && had_session {
            self.over.store(true, Ordering::SeqCst);
            return WireFault::unsent(FailureKind::Transient, "the server no longer knows the session");
        }
        let happened = match StatusRules::default().word(status.as_u16()) {
            StatusWord::Refused => Happened::No,
            StatusWord::Answered | StatusWord::Unknown => Happened::Maybe,
        };
        let kind = crate::http::kind_of(status);
        WireFault { happened, kind, detail: format!("HTTP {status}: {}", start(&text)), is_over: false }
    }
}

/// A stream that was lost ends nothing but itself.
fn over(detail: &str) -> WireFault {
    WireFault { is_over: false, ..WireFault::lost(detail) }
}

#[async_trait]
impl McpWire for Web {
    async fn exchange(&self, request: &McpRequest, era: &Era) -> WireReply {
        let sent = self.post(&request.message(era), self.headers(Some(request), era)).send().await;
        let response = sent.map_err(|error| {
            let (kind, detail) = describe(&error);
            let happened = if error.is_connect() || error.is_builder() { Happened::No } else { Happened::Maybe };
            WireFault { happened, kind, detail, is_over: false }
        })?;
        if !response.status().is_success() {
            return Err(self.refused(response).await);
        }
        if let Some(session) = response.headers().get(SESSION) {
            *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session.clone());
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        if kind.starts_with("text/event-stream") {
            return self.streamed(response, request.id, era).await;
        }
        let body = crate::http::body(response, MESSAGE_MAX).await;
        let body = body.map_err(|error| over(&format!("the answer broke off: {}", describe(&error).1)))?;
        if body.cut {
            return Err(over(&format!("the server sent more than {MESSAGE_MAX} bytes")));
        }
        let message: Value =
            serde_json::from_str(&body.text).map_err(|error| over(&format!("the answer is not JSON: {error}")))?;
        match McpMessage::of(&message) {
            McpMessage::Reply { id, reply } if id == request.id => reply,
            McpMessage::Reply { .. } | McpMessage::Question { .. } | McpMessage::Notice { .. } | McpMessage::Odd => {
                Err(over("the answer belongs to another request"))
            }
        }
    }

    async fn tell(&self, message: Value, era: &Era) {
        drop(self.post(&message, self.headers(None, era)).send().await);
    }

    fn is_open(&self) -> bool {
        !self.over.load(Ordering::SeqCst)
    }

    fn tools_changed(&self) -> bool {
        self.changed.swap(false, Ordering::SeqCst)
    }
}
