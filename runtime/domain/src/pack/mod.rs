//! A skill pack after validation. The pack loader is the only place that builds one from files; here its meaning.

mod files;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::condition::Condition;
use crate::gate::GatePolicy;
use crate::ids::{AgentName, Digest, ToolName};
use crate::retry::RetryPolicy;
use crate::roster::Rosters;
use crate::schema::ArgSchema;

pub use files::PackFiles;

/// The signal every agent must route.
pub const DEFAULT_SIGNAL: &str = "default";

/// One validated pack, immutable and shared.
#[derive(Debug, Clone)]
pub struct Pack {
    /// Its name.
    pub name: String,
    /// The author's version number.
    pub version: u32,
    /// The digest of all its files: what a session pins.
    pub digest: Digest,
    /// Prefix of its sessions' handles, `INC`.
    pub handle: String,
    /// Schema of a session's fields.
    pub fields: ArgSchema,
    /// Closed lists of allowed values.
    pub rosters: Rosters,
    /// The pack's outcomes.
    pub outcomes: BTreeMap<String, OutcomeKind>,
    /// The only way to an outcome.
    pub terminal_tools: BTreeMap<ToolName, TerminalTool>,
    /// Typed findings, which set no status.
    pub findings_tools: BTreeMap<ToolName, ArgSchema>,
    /// Tools that patch some of the session's fields.
    pub patch_tools: BTreeMap<ToolName, PatchTool>,
    /// Session-derived arguments: argument name → where its value comes from.
    pub inject: BTreeMap<String, InjectSource>,
    /// The first agent.
    pub entry: AgentName,
    /// Its agents.
    pub agents: BTreeMap<AgentName, AgentSpec>,
    /// Rules that choose the next agent without a model, before the routes; first match wins.
    pub dispatch: Vec<DispatchRule>,
    /// The gate policy.
    pub gates: GatePolicy,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// The limits.
    pub limits: Limits,
}

/// What kind of end an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The case is closed well.
    Success,
    /// The case is handed to people.
    Escalation,
    /// Neither.
    Neutral,
}

/// A typed terminal tool.
#[derive(Debug, Clone)]
pub struct TerminalTool {
    /// The outcome a verified claim leads to.
    pub outcome: String,
    /// Whether at least one evidence id is required (argument `evidence`, a list of `session/seq`).
    pub evidence: bool,
    /// Schema of its arguments; unknown keys are refused.
    pub schema: ArgSchema,
    /// Arguments that must be in a roster: argument → roster.
    pub rosters: BTreeMap<String, String>,
    /// The last report each named agent must have given since the last change to the world: agent → signal.
    pub requires: BTreeMap<AgentName, String>,
    /// A tool that is called before the status changes (a notification); its outcome must be good.
    pub effect: Option<ToolName>,
}

/// A tool that patches fields.
#[derive(Debug, Clone)]
pub struct PatchTool {
    /// The fields it may patch; every other key is refused.
    pub fields: Vec<String>,
    /// Schema of its arguments, made from those fields; unknown keys refused, nothing required.
    pub schema: ArgSchema,
    /// Aliases of values: field → alias (lowercase) → value.
    pub aliases: BTreeMap<String, BTreeMap<String, String>>,
}

/// Where an injected argument's value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum InjectSource {
    /// A field of the session (`fields.NAME`).
    Field(String),
    /// The session's id (`session.id`).
    SessionId,
    /// The session's handle (`session.handle`).
    SessionHandle,
}

/// The behaviours in code that a pack's agents map onto.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RoleKind {
    /// First look; reads only.
    Triage,
    /// Finds the cause; reads and records findings.
    Investigator,
    /// Proposes the fix and closes the case.
    Resolution,
    /// Measures a fix until a deadline, without a model.
    Watcher,
}

impl RoleKind {
    /// The word used in packs.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Triage => "triage",
            Self::Investigator => "investigator",
            Self::Resolution => "resolution",
            Self::Watcher => "watcher",
        }
    }

    /// Whether an agent of this role may hold a tool that changes the world, or a terminal tool.
    pub const fn may_act(self) -> bool {
        match self {
            Self::Resolution => true,
            Self::Triage | Self::Investigator | Self::Watcher => false,
        }
    }
}

/// One agent of a pack.
#[derive(Debug, Clone)]
pub struct AgentSpec {
    /// Its name.
    pub name: AgentName,
    /// The role it maps onto.
    pub role: RoleKind,
    /// The configured model's name.
    pub model: String,
    /// The tools it may use: backend tools, findings, patch and terminal tools.
    pub tools: Vec<ToolName>,
    /// How long an assignment may go without anything recorded, and in all for a watcher.
    pub deadline: Duration,
    /// Where its signals lead; holds [`DEFAULT_SIGNAL`].
    pub routes: Vec<Route>,
    /// Its prompt, shared fragments included.
    pub prompt: Arc<str>,
    /// What a watcher measures; exactly the watcher role has one.
    pub watch: Option<WatchSpec>,
}

/// One route.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The signal.
    pub when: String,
    /// Where it leads.
    pub to: RouteTo,
    /// Pause for an operator below this confidence.
    pub gate_below: Option<f64>,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteTo {
    /// To an agent.
    Agent(AgentName),
    /// To the end of the run (without a terminal claim: `needs_review`).
    End,
    /// To an operator's words, then back to the same agent.
    Operator,
}

/// A rule of the dispatcher, over `{signal, agent, confidence, fields, retries}`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DispatchRule {
    /// All must hold.
    pub when: Vec<Condition>,
    /// Where to go.
    pub next: RouteTo,
}

/// What a watcher measures: a read tool, polled until its result meets a condition several times in a row.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WatchSpec {
    /// The read tool.
    pub tool: ToolName,
    /// Its arguments; `{{ fields.NAME }}` as a whole value is replaced by the session's field.
    pub args: Value,
    /// All must hold on the result's content.
    pub until: Vec<Condition>,
    /// Pause between two polls, in milliseconds at the wire.
    #[serde(with = "crate::time::millis")]
    pub every: Duration,
    /// How many polls in a row must hold.
    pub consecutive: u32,
}

/// What a turn and a session may spend. On a limit the partial work is kept and a person looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Model calls per turn.
    pub model_calls_per_turn: u32,
    /// Tool calls per turn.
    pub tool_calls_per_turn: u32,
    /// Wall time per turn, waits for people excluded.
    pub turn_wall: Duration,
    /// Tokens per session.
    pub session_tokens: u64,
    /// Cost per session in millionths of a US dollar; checked only while the cost is known.
    pub session_cost_micro_usd: u64,
    /// The same call with the same arguments and the same result this many times in a row ends the turn.
    pub no_progress: u32,
    /// Assignments per session: routes cannot go round for ever.
    pub assignments_per_session: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            model_calls_per_turn: 12,
            tool_calls_per_turn: 24,
            turn_wall: Duration::from_mins(5),
            session_tokens: 200_000,
            session_cost_micro_usd: 2_000_000,
            no_progress: 3,
            assignments_per_session: 32,
        }
    }
}
