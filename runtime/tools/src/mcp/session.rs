//! One conversation with a server: which revision it speaks, its tools, and calls of them.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use provost_domain::failure::FailureKind;
use serde_json::{Map, Value, json};

use super::definition::{Definition, Definitions};
use super::message::{Era, LEGACY, LEGACY_KNOWN, McpRequest, WireFault, WireReply, client_info};
use super::wire::McpWire;

/// How long a server may take to say which revision it speaks before it is asked in the older one.
const PROBE: Duration = Duration::from_secs(3);
/// How long it may take to begin, and to list its tools.
pub(super) const BEGIN: Duration = Duration::from_secs(30);
/// Most pages of a list of tools, and most tools.
const PAGES_MAX: usize = 32;
const TOOLS_MAX: usize = 512;

/// A server that was greeted.
#[derive(Debug)]
pub(super) struct McpSession {
    wire: Box<dyn McpWire>,
    era: Era,
    next: AtomicU64,
}

/// The tools of a server, and those of them that cannot be used, with the reasons.
#[derive(Debug, Clone, Default)]
pub(super) struct ToolList {
    pub(super) tools: Definitions,
    pub(super) unusable: Vec<String>,
}

impl McpSession {
    /// Finds out how the server is spoken to: the newest revision first.
    pub(super) async fn begin(wire: Box<dyn McpWire>) -> Result<Self, WireFault> {
        let mut own = Self { wire, era: Era::Modern, next: AtomicU64::new(1) };
        let discovered = tokio::time::timeout(PROBE, own.ask("server/discover", Map::new())).await;
        match discovered {
            Ok(Ok(_)) => return Ok(own),
            // Nothing was reached: the older revision would not be either.
            Ok(Err(fault)) if fault.is_over || fault.kind == FailureKind::Transient => {
                if !own.wire.is_open() || fault.happened == provost_domain::tool::Happened::No {
                    return Err(fault);
                }
            }
            Ok(Err(_)) | Err(_) => {}
        }
        own.era = Era::Legacy(LEGACY.to_owned());
        let Value::Object(params) = json!({"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": client_info()})
        else {
            return Err(WireFault::unsent(FailureKind::Permanent, "nothing to begin with"));
        };
        let greeted = own.ask("initialize", params).await?;
        let version = greeted.get("protocolVersion").and_then(Value::as_str).unwrap_or_default();
        let Some(version) = LEGACY_KNOWN.into_iter().find(|known| *known == version) else {
            let version: String = version.chars().take(40).collect();
            let detail = format!("the server speaks revision `{version}` of the protocol, which is not known here");
            return Err(WireFault::unsent(FailureKind::Permanent, detail));
        };
        own.era = Era::Legacy(version.to_owned());
        own.wire.tell(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}), &own.era).await;
        Ok(own)
    }

    /// The revision that is spoken.
    pub(super) fn version(&self) -> &str {
        self.era.version()
    }

    pub(super) fn is_open(&self) -> bool {
        self.wire.is_open()
    }

    pub(super) fn tools_changed(&self) -> bool {
        self.wire.tools_changed()
    }

    /// All tools that the server lists.
    pub(super) async fn list(&self) -> Result<ToolList, WireFault> {
        let (mut found, mut cursor) = (ToolList::default(), None);
        for _ in 0..PAGES_MAX {
            let params = cursor.map(|cursor: String| Map::from_iter([("cursor".to_owned(), json!(cursor))]));
            let page = self.ask("tools/list", params.unwrap_or_default()).await?;
            for item in page.get("tools").and_then(Value::as_array).into_iter().flatten() {
                match Definition::of(item) {
                    Ok((name, definition)) => drop(found.tools.insert(name, definition)),
                    Err(why) => found.unusable.push(why),
                }
            }
            if found.tools.len() > TOOLS_MAX {
                let detail = format!("the server lists more than {TOOLS_MAX} tools");
                return Err(WireFault::unsent(FailureKind::Permanent, detail));
            }
            cursor = page.get("nextCursor").and_then(Value::as_str).map(str::to_owned);
            if cursor.is_none() {
                return Ok(found);
            }
        }
        let detail = format!("the server lists its tools on more than {PAGES_MAX} pages");
        Err(WireFault::unsent(FailureKind::Permanent, detail))
    }

    /// Calls a tool, once.
    pub(super) async fn call(&self, tool: &str, args: &Value) -> WireReply {
        let params = Map::from_iter([("name".to_owned(), json!(tool)), ("arguments".to_owned(), args.clone())]);
        self.ask("tools/call", params).await
    }

    async fn ask(&self, method: &'static str, params: Map<String, Value>) -> WireReply {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        self.wire.exchange(&McpRequest { id, method, params }, &self.era).await
    }
}
