//! Messages of JSON-RPC as MCP uses them, in both of the revisions that are spoken.

use provost_domain::failure::FailureKind;
use provost_domain::tool::Happened;
use serde_json::{Map, Value, json};

/// The revision in which each request says everything.
pub(super) const MODERN: &str = "2026-07-28";
/// The revision that begins with a handshake, and the older ones a server may answer it with.
pub(super) const LEGACY: &str = "2025-11-25";
pub(super) const LEGACY_KNOWN: [&str; 4] = [LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"];
/// Largest message that is read, in bytes.
pub(super) const MESSAGE_MAX: usize = 4 * 1024 * 1024;

/// How a server is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Era {
    Modern,
    /// After a handshake, in the revision that the server chose.
    Legacy(String),
}

impl Era {
    pub(super) fn version(&self) -> &str {
        match self {
            Self::Modern => MODERN,
            Self::Legacy(version) => version,
        }
    }
}

/// A request that is sent once.
#[derive(Debug, Clone)]
pub(super) struct McpRequest {
    pub(super) id: u64,
    pub(super) method: &'static str,
    pub(super) params: Map<String, Value>,
}

/// The name and version that we give to servers.
pub(super) fn client_info() -> Value {
    json!({"name": "provost", "version": env!("CARGO_PKG_VERSION")})
}

impl McpRequest {
    /// The message; in the modern revision it says who asks.
    pub(super) fn message(&self, era: &Era) -> Value {
        let mut params = self.params.clone();
        if *era == Era::Modern {
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": MODERN,
                "io.modelcontextprotocol/clientInfo": client_info(),
                "io.modelcontextprotocol/clientCapabilities": {},
            });
            params.insert("_meta".to_owned(), meta);
        }
        json!({"jsonrpc": "2.0", "id": self.id, "method": self.method, "params": params})
    }
}

/// Why there is no result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WireFault {
    pub(super) happened: Happened,
    pub(super) kind: FailureKind,
    pub(super) detail: String,
    /// Whether the connection is of no more use.
    pub(super) is_over: bool,
}

impl WireFault {
    /// Nothing was sent, or it was refused before it was worked on.
    pub(super) fn unsent(kind: FailureKind, detail: impl Into<String>) -> Self {
        Self { happened: Happened::No, kind, detail: detail.into(), is_over: true }
    }

    /// It was sent, and what came of it is not known.
    pub(super) fn lost(detail: impl Into<String>) -> Self {
        Self { happened: Happened::Maybe, kind: FailureKind::Transient, detail: detail.into(), is_over: true }
    }
}

/// The result of a request, or the error that a server answered.
pub(super) type WireReply = Result<Value, WireFault>;

/// What came from a server.
#[derive(Debug)]
pub(super) enum McpMessage {
    Reply {
        id: u64,
        reply: WireReply,
    },
    /// A question of the server's, which gets an answer under its id.
    Question {
        id: Value,
        method: String,
    },
    Notice {
        method: String,
    },
    /// Nothing that can be read.
    Odd,
}

impl McpMessage {
    pub(super) fn of(message: &Value) -> Self {
        let method = message.get("method").and_then(Value::as_str).map(str::to_owned);
        let id = message.get("id").filter(|id| !id.is_null());
        match (method, id) {
            (Some(method), Some(id)) => Self::Question { id: id.clone(), method },
            (Some(method), None) => Self::Notice { method },
            (None, Some(id)) => id.as_u64().map_or(Self::Odd, |id| Self::Reply { id, reply: reply(message) }),
            (None, None) => Self::Odd,
        }
    }
}

/// The result in a reply, or what its error says about whether the request was carried out.
pub(super) fn reply(message: &Value) -> WireReply {
    if let Some(error) = message.get("error") {
        let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
        let said = error.get("message").and_then(Value::as_str).unwrap_or_default();
        let said: String = said.chars().take(1000).collect();
        let refused = (-32602..=-32600).contains(&code) || (-32029..=-32020).contains(&code);
        return Err(WireFault {
            happened: if refused { Happened::No } else { Happened::Maybe },
            kind: FailureKind::Permanent,
            detail: format!("the server answered with error {code}: {said}"),
            is_over: false,
        });
    }
    match message.get("result") {
        Some(result) => Ok(result.clone()),
        None => Err(WireFault::lost("the server answered with neither a result nor an error")),
    }
}

/// The answer to a question of a server's: it may know that we are here, and gets nothing else.
pub(super) fn answer(id: &Value, method: &str) -> Value {
    if method == "ping" {
        return json!({"jsonrpc": "2.0", "id": id, "result": {}});
    }
    let error = json!({"code": -32601, "message": "this client answers no questions"});
    json!({"jsonrpc": "2.0", "id": id, "error": error})
}
