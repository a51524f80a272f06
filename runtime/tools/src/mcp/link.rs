//! The connection to a server over its life: opened by the first call, checked against what was accepted, opened again after
//! growing pauses when it was lost.

use std::collections::BTreeMap;
use std::sync::{Arc, MutexGuard, PoisonError};
use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::Happened;
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::definition::{Definition, difference};
use super::message::{WireFault, WireReply};
use super::pipe::Pipe;
use super::session::{BEGIN, McpSession, ToolList};
use super::web::Web;
use super::wire::McpWire;
use crate::process::Launcher;
use crate::server::RemoteServer;

/// The first pause after a failure to begin; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(1);
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// How old the list of a server's tools may be when one of them is called.
const LIST_AGE_MAX: Duration = Duration::from_mins(5);

/// How a server is reached.
#[derive(Debug)]
pub(super) enum McpReach {
    /// As a child of this process.
    Child(Launcher, Vec<String>),
    /// A server behind an address, one POST for each message.
    Web(RemoteServer),
}

impl McpReach {
    fn wire(&self) -> Result<Box<dyn McpWire>, WireFault> {
        match self {
            Self::Web(server) => Ok(Box::new(Web::new(server.clone()))),
            Self::Child(launcher, argv) => match launcher.start(argv, &[]) {
                Ok(group) => Ok(Box::new(Pipe::new(group))),
                Err(fault) => {
                    let kind = if fault.may_pass { FailureKind::Transient } else { FailureKind::Permanent };
                    Err(WireFault::unsent(kind, fault.detail))
                }
            },
        }
    }

    /// A new conversation with the list of the server's tools.
    pub(super) async fn begin(&self) -> Result<(McpSession, ToolList), WireFault> {
        let begun = tokio::time::timeout(BEGIN, async {
            let session = McpSession::begin(self.wire()?).await?;
            let list = session.list().await?;
            Ok((session, list))
        });
        let late = || WireFault::unsent(FailureKind::Transient, format!("the server did not begin within {BEGIN:?}"));
        begun.await.unwrap_or_else(|_elapsed| Err(late()))
    }
}

#[derive(Debug, Default)]
struct LinkState {
    session: Option<Arc<McpSession>>,
    list: Option<(ToolList, Instant)>,
    failures: u32,
    /// When the server may be started again, and why it failed.
    pause: Option<(Instant, String)>,
}

/// The way to one server, and what is known of it.
#[derive(Debug)]
pub(super) struct McpLink {
    server: String,
    reach: McpReach,
    state: Mutex<LinkState>,
    /// The tools that are not called, with the reasons.
    withdrawn: std::sync::Mutex<BTreeMap<String, String>>,
}

impl McpLink {
    pub(super) fn new(server: &str, reach: McpReach) -> Self {
        Self { server: server.to_owned(), reach, state: Mutex::default(), withdrawn: std::sync::Mutex::default() }
    }

    pub(super) fn reach(&self) -> &McpReach {
        &self.reach
    }

    /// Why a tool is not called, since that was last seen.
    pub(super) fn withdrawn(&self, tool: &str) -> Option<String> {
        self.withdrawals().get(tool).cloned()
    }

    fn withdrawals(&self) -> MutexGuard<'_, BTreeMap<String, String>> {
        self.withdrawn.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Calls a tool once, if the server still says of it what was accepted.
    pub(super) async fn call(&self, tool: &str, accepted: &Definition, args: &Value) -> WireReply {
        let session = self.ready(tool, accepted).await.map_err(|fault| {
            // The call itself was not sent.
            WireFault { happened: Happened::No, ..fault }
        })?;
        let reply = session.call(tool, args).await;
        if !session.is_open() || reply.as_ref().is_err_and(|fault| fault.is_over) {
            let mut state = self.state.lock().await;
            if state.session.as_ref().is_some_and(|own| Arc::ptr_eq(own, &session)) {
                state.session = None;
            }
        }
        reply
    }

    async fn ready(&self, tool: &str, accepted: &Definition) -> Result<Arc<McpSession>, WireFault> {
        let mut state = self.state.lock().await;
        state.session = state.session.take().filter(|session| session.is_open());
        let session = match &state.session {
            Some(session) => Arc::clone(session),
            None => self.begin(&mut state).await?,
        };
        let is_old = state.list.as_ref().is_none_or(|(_, at)| at.elapsed() > LIST_AGE_MAX);
        if session.tools_changed() || is_old {
            let listed = tokio::time::timeout(BEGIN, session.list()).await;
            let late = || WireFault::unsent(FailureKind::Transient, "the server did not list its tools in time");
            let listed = listed.unwrap_or_else(|_elapsed| Err(late()));
            if listed.is_err() {
                state.session = None;
            }
            state.list = Some((listed?, Instant::now()));
        }
        let now = state.list.as_ref().and_then(|(list, _)| list.tools.get(tool));
        let again = format!("look at it with `provost tools check {0}`, then `provost tools accept {0}`", self.server);
        let withdrawn = match now {
            None => format!("the server has no usable tool `{tool}` any more; {again}"),
            Some(now) => match difference(accepted, now) {
                None => {
                    self.withdrawals().remove(tool);
                    return Ok(session);
                }
                Some(parts) => {
                    format!("the server changed what it says of `{tool}` ({parts}) since that was accepted; {again}")
                }
            },
        };
        self.withdrawals().insert(tool.to_owned(), withdrawn.clone());
        Err(WireFault { is_over: false, ..WireFault::unsent(FailureKind::Permanent, withdrawn) })
    }

    async fn begin(&self, state: &mut LinkState) -> Result<Arc<McpSession>, WireFault> {
        if let Some((until, why)) = &state.pause
            && *until > Instant::now()
        {
            let detail = format!("{why} (started again in {} s)", until.duration_since(Instant::now()).as_secs() + 1);
            return Err(WireFault::unsent(FailureKind::Transient, detail));
        }
        match self.reach.begin().await {
            Ok((session, list)) => {
                let session = Arc::new(session);
                *state = LinkState {
                    session: Some(Arc::clone(&session)),
                    list: Some((list, Instant::now())),
                    failures: 0,
                    pause: None,
                };
                Ok(session)
            }
            Err(fault) => {
                let pause = PAUSE.saturating_mul(1 << state.failures.min(6)).min(PAUSE_MAX);
                state.failures = state.failures.saturating_add(1);
                state.pause = Some((Instant::now() + pause, fault.detail.clone()));
                Err(fault)
            }
        }
    }
}
