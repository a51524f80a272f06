//! A skill pack after validation. The pack loader is the only place that builds one from files; here its meaning.

mod claiming;
mod files;
mod findings;
mod mapping;
mod report;
mod schedule;
mod watch;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use provost_expr::{Expression, Template};
use serde::{Deserialize, Serialize};

use crate::claims::ClaimTarget;
use crate::condition::Condition;
use crate::confidence::Confidence;
use crate::evidence::ResultKind;
use crate::gate::GatePolicy;
use crate::ids::{AgentName, Digest, PackName, ToolName};
use crate::retry::RetryPolicy;
use crate::role::RoleSpec;
use crate::roster::Rosters;
use crate::schema::ArgSchema;

pub use claiming::{ClaimOutcome, Requirement, TerminalTool};
pub use files::PackFiles;
pub use findings::{FINDINGS_MAX, FindingsTool};
pub use mapping::{FieldMapping, IntakeMapping, split_words};
pub use schedule::{CaseSchedule, SCHEDULES, ScheduledTime};
pub use watch::{Baseline, MeasureSpec, SeveralWatch, TIME_ARGUMENT, WatchPlan, WatchSpec};

/// The signal every agent must route.
pub const DEFAULT_SIGNAL: &str = "default";

/// One validated pack, immutable and shared.
#[derive(Debug, Clone)]
pub struct Pack {
    /// The name by which sessions and commands refer to the pack.
    pub name: PackName,
    /// The author's version number.
    pub version: u32,
    /// The digest of all its files: what a session pins.
    pub digest: Digest,
    /// Prefix of its sessions' handles, `INC`.
    pub handle: String,
    /// One line about a case, written when its session opens; without it, whoever opens the session says one.
    pub title: Option<Template>,
    /// Schema of a session's fields.
    pub fields: ArgSchema,
    /// Closed lists of allowed values.
    pub rosters: Rosters,
    /// How a case may end: each name with its kind.
    pub outcomes: BTreeMap<String, OutcomeKind>,
    /// The only way to an outcome.
    pub terminal_tools: BTreeMap<ToolName, TerminalTool>,
    /// Typed findings, which set no status.
    pub findings_tools: BTreeMap<ToolName, FindingsTool>,
    /// The kinds of results that count as evidence besides whole ones.
    pub evidence_also: BTreeSet<ResultKind>,
    /// Tools that patch some of the session's fields.
    pub patch_tools: BTreeMap<ToolName, PatchTool>,
    /// Session-derived arguments: argument name → where its value comes from.
    pub inject: BTreeMap<String, InjectSource>,
    /// What calls act on whose tool does not say it.
    pub target: Option<ClaimTarget>,
    /// The fields that tell one case from another, besides who reported it.
    pub identity: Vec<String>,
    /// The fields that say what a case is about now: where another delivery has another value, its session takes the place of
    /// the one that intake opened before.
    pub supersede: Vec<String>,
    /// How deliveries become cases, by their form.
    pub intake: BTreeMap<String, IntakeMapping>,
    /// Cases that are opened at times of the pack's own.
    pub schedules: Vec<CaseSchedule>,
    /// The first agent.
    pub entry: AgentName,
    /// Everyone who can be given an assignment.
    pub agents: BTreeMap<AgentName, AgentSpec>,
    /// Rules that choose the next agent without a model, before the routes; first match wins.
    pub dispatch: Vec<DispatchRule>,
    /// The gate policy.
    pub gates: GatePolicy,
    /// The retry policy.
    pub retry: RetryPolicy,
    /// What a turn and a session may use up.
    pub limits: Limits,
}

/// What kind of end an outcome is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OutcomeKind {
    /// The case is closed well.
    Success,
    /// The case is closed, and what was looked at is not in order.
    Failure,
    /// The case is handed to people.
    Escalation,
    /// None of these.
    Neutral,
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
    /// The id, written `session.id` in a pack.
    SessionId,
    /// The handle that people use, written `session.handle` in a pack.
    SessionHandle,
}

/// One agent of a pack.
#[derive(Debug, Clone)]
pub struct AgentSpec {
    /// The name by which routes and reports refer to the agent.
    pub name: AgentName,
    /// The role it maps onto.
    pub role: RoleSpec,
    /// The configured model's name.
    pub model: String,
    /// The tools it may use: backend tools, findings, patch and terminal tools.
    pub tools: Vec<ToolName>,
    /// How long an assignment may go without anything recorded, and in all for measuring.
    pub deadline: Duration,
    /// Where its signals lead; holds [`DEFAULT_SIGNAL`].
    pub routes: Vec<Route>,
    /// Whether its turn must end in a typed report of its role; otherwise a report is checked only where it gives one.
    pub report_required: bool,
    /// The fields that the pack adds to the report of its role, as an object that may have others.
    pub report_fields: Option<ArgSchema>,
    /// Its prompt, shared fragments included.
    pub prompt: Arc<str>,
    /// What is measured; exactly agents whose work is measuring have one.
    pub watch: Option<WatchPlan>,
}

impl AgentSpec {
    /// The signals it may end its turn with, besides the default.
    pub fn signals(&self) -> impl Iterator<Item = &str> {
        let mut seen = BTreeSet::new();
        let signals = self.routes.iter().map(|route| route.when.as_str());
        signals.filter(move |signal| *signal != DEFAULT_SIGNAL && seen.insert(*signal))
    }
}

impl Route {
    /// Whether it takes every report that no other route takes.
    pub fn is_default(&self) -> bool {
        self.when == DEFAULT_SIGNAL && self.condition.is_none()
    }
}

/// Where a signal of an agent leads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Route {
    /// The signal; [`DEFAULT_SIGNAL`] stands for any.
    pub when: String,
    /// What must hold besides. What cannot be told does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Expression>,
    /// Where it leads.
    pub to: RouteTo,
    /// Pause for an operator below this confidence.
    pub gate_below: Option<Confidence>,
}

/// Where a route leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RouteTo {
    /// An assignment for this agent follows.
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
    /// What must hold besides. What cannot be told does not hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub condition: Option<Expression>,
    /// Where to go.
    pub next: RouteTo,
}

/// What a turn and a session may spend. On a limit the partial work is kept and a person looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How often a model may be asked in one turn.
    pub model_calls_per_turn: u32,
    /// How many calls of tools one turn may make.
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
