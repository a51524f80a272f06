//! Typed noes: to a model's call (it reads them and can repair) and to a command from outside.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::claims::ClaimKey;
use crate::command::Verb;
use crate::gate::GateReason;
use crate::ids::{AgentName, ApprovalId, CallId, PackName, Seq, SessionId};
use crate::nesting::TooDeep;
use crate::principal::Principal;
use crate::retry::RetryReason;
use crate::roster::RosterRefusal;
use crate::status::Status;
use crate::time::Timestamp;

/// Why a call was refused. The model sees `kind` and the text.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ToolRefusal {
    /// No tool of that name is offered to this agent.
    #[error("no such tool here; the tools are: {}", offered.join(", "))]
    UnknownTool {
        /// The wire names on offer.
        offered: Vec<String>,
    },
    /// The arguments are not a JSON object, or are too large.
    #[error("the arguments are not a JSON object: {detail}")]
    BrokenArguments {
        /// What was seen.
        detail: String,
    },
    /// The arguments break the tool's schema.
    #[error("the arguments do not fit the schema: {}", problems.join("; "))]
    InvalidArguments {
        /// Every problem, `path: what`.
        problems: Vec<String>,
    },
    /// A value is not in its roster.
    #[error("{}", refusals.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "))]
    OutOfRoster {
        /// Every value that is not.
        refusals: Vec<RosterRefusal>,
    },
    /// The gate denies it.
    #[error("the gate policy denies this call (`{reason}`)")]
    Denied {
        /// Why.
        reason: GateReason,
    },
    /// A person said no.
    #[error("{by} refused this call: {reason}")]
    Rejected {
        /// Who.
        by: Principal,
        /// Why.
        reason: String,
    },
    /// Nobody answered in time.
    #[error("nobody approved this call in time; it did not run")]
    Expired,
    /// The session was stopped or closed first.
    #[error("the session ended before this call ran")]
    Cancelled,
    /// Too many calls in this turn.
    #[error("this turn's limit of tool calls is reached; it did not run")]
    LimitReached,
    /// A terminal claim beside calls that failed or were refused.
    #[error("other calls of the same message did not succeed ({}); look at them, then claim again", calls.join(", "))]
    SiblingsFailed {
        /// Those calls.
        calls: Vec<String>,
    },
    /// Two terminal claims in one message.
    #[error("one message may hold only one terminal claim")]
    SecondClaim,
    /// Evidence that does not exist.
    #[error("not evidence of this session: {}; cite ids of its tool results, as `evidence` shows them", unknown.join(", "))]
    UnknownEvidence {
        /// The ids that do not.
        unknown: Vec<String>,
    },
    /// Results that count as no evidence.
    #[error("no evidence: {}; cite results that came back whole", cited.join(", "))]
    NoEvidence {
        /// Each id, and what stands there.
        cited: Vec<String>,
    },
    /// The session holds as many findings as it may.
    #[error("this session holds {max} findings{}, as many as it may; report what is left with the turn's end", match tool { Some(tool) => format!(" of `{tool}`"), None => String::new() })]
    TooManyFindings {
        /// How many.
        max: usize,
        /// The findings tool that has its own limit; `None` where it is the session's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tool: Option<String>,
    },
    /// The agent recorded the same finding before.
    #[error("you recorded this finding before, with the same {}; it counts once", by.join(", "))]
    FindingRepeated {
        /// The arguments that tell findings apart.
        by: Vec<String>,
    },
    /// An agent's report that must stand first does not.
    #[error("`{agent}` must have reported `{wants}` since the last change; {}", match has { Some(has) => format!("it reported `{has}`"), None => "it has not reported".to_owned() })]
    Unmet {
        /// The agent whose report is required.
        agent: AgentName,
        /// The signal it must have given.
        wants: String,
        /// The one it gave.
        has: Option<String>,
    },
    /// A condition of the terminal tool does not hold, or nobody can tell.
    #[error("{otherwise}")]
    ConditionUnmet {
        /// What the pack says about it.
        otherwise: String,
    },
    /// The tool that must act before the status changes failed.
    #[error("`{tool}` had to succeed first and did not: {detail}")]
    EffectFailed {
        /// The full name of the tool that failed.
        tool: String,
        /// How it failed.
        detail: String,
    },
    /// Somebody acts on the target now, or nobody knows what came of it.
    #[error("session {holder} acts on `{target}` since {since}; call again later, ask a person or escalate")]
    TargetBusy {
        /// What is acted on.
        target: ClaimKey,
        /// The session that holds it: perhaps this one, by an outcome that nobody knows.
        holder: SessionId,
        /// Since when.
        since: Timestamp,
    },
    /// The tool acted on the target as often as it may.
    #[error("this tool acted on `{target}` {max} times within {} s, as often as it may; it may again at {free_at}", within.as_secs())]
    RepeatLimit {
        /// What is acted on.
        target: ClaimKey,
        /// How often it may act there.
        max: u32,
        /// Within which time, in milliseconds at the wire.
        #[serde(with = "crate::time::millis")]
        within: Duration,
        /// When it may again.
        free_at: Timestamp,
    },
}

impl From<TooDeep> for Refusal {
    fn from(too_deep: TooDeep) -> Self {
        let problems = vec![format!("arguments: {too_deep}")];
        Self::CallRefused { refusal: ToolRefusal::InvalidArguments { problems } }
    }
}

impl ToolRefusal {
    /// The word a model, a script or a page keys on.
    pub fn word(&self) -> &'static str {
        match self {
            Self::UnknownTool { .. } => "unknown_tool",
            Self::BrokenArguments { .. } => "broken_arguments",
            Self::InvalidArguments { .. } => "invalid_arguments",
            Self::OutOfRoster { .. } => "out_of_roster",
            Self::Denied { .. } => "denied",
            Self::Rejected { .. } => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::LimitReached => "limit_reached",
            Self::SiblingsFailed { .. } => "siblings_failed",
            Self::SecondClaim => "second_claim",
            Self::UnknownEvidence { .. } => "unknown_evidence",
            Self::NoEvidence { .. } => "no_evidence",
            Self::TooManyFindings { .. } => "too_many_findings",
            Self::FindingRepeated { .. } => "finding_repeated",
            Self::Unmet { .. } => "unmet",
            Self::ConditionUnmet { .. } => "condition_unmet",
            Self::EffectFailed { .. } => "effect_failed",
            Self::TargetBusy { .. } => "target_busy",
            Self::RepeatLimit { .. } => "repeat_limit",
        }
    }

    /// What a model is told besides the words, where it is to reckon with it.
    pub(crate) fn data(&self) -> Option<Map<String, Value>> {
        let data = match self {
            Self::TargetBusy { target, holder, since } => {
                json!({"target": target, "holder": holder, "since": since.to_string()})
            }
            Self::RepeatLimit { target, max, within, free_at } => {
                json!({"target": target, "max": max, "within": format!("{}s", within.as_secs()), "free_at": free_at.to_string()})
            }
            Self::UnknownTool { .. }
            | Self::BrokenArguments { .. }
            | Self::InvalidArguments { .. }
            | Self::OutOfRoster { .. }
            | Self::Denied { .. }
            | Self::Rejected { .. }
            | Self::Expired
            | Self::Cancelled
            | Self::LimitReached
            | Self::SiblingsFailed { .. }
            | Self::SecondClaim
            | Self::UnknownEvidence { .. }
            | Self::NoEvidence { .. }
            | Self::TooManyFindings { .. }
            | Self::FindingRepeated { .. }
            | Self::Unmet { .. }
            | Self::ConditionUnmet { .. }
            | Self::EffectFailed { .. } => return None,
        };
        data.as_object().cloned()
    }
}

/// Why a command was refused. Nothing changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, thiserror::Error)]
#[serde(tag = "code", rename_all = "snake_case")]
pub enum Refusal {
    /// The session moved on since the caller looked.
    #[error("the session is at version {actual}, not {expected}; reload it and look again")]
    StaleVersion {
        /// The version the caller gave.
        expected: Seq,
        /// The version it has.
        actual: Seq,
    },
    /// The session has ended.
    #[error("the session has ended as `{status}`; {hint}")]
    SessionEnded {
        /// How the session ended.
        #[serde(with = "crate::status::as_word")]
        status: Status,
        /// What can be done.
        hint: EndedHint,
    },
    /// A principal of this kind may not ask that.
    #[error("`{by}` is {} and may not {verb}; a person must do it", by.kind())]
    NotAuthorised {
        /// Who asked.
        by: Principal,
        /// What was asked.
        verb: Verb,
    },
    /// Nothing to carry on.
    #[error("the session is `{status}`: nothing to {verb}")]
    NothingToDo {
        /// Where the session stands.
        #[serde(with = "crate::status::as_word")]
        status: Status,
        /// The command's verb.
        verb: String,
    },
    /// No approval of that id in this session.
    #[error("this session has no approval `{approval}`; list approvals and check the id")]
    ApprovalUnknown {
        /// The id.
        approval: ApprovalId,
    },
    /// Another answer came first, or the time was up.
    #[error("approval `{approval}` is no longer pending; another answer came first or it expired")]
    ApprovalAlreadyDecided {
        /// The id.
        approval: ApprovalId,
    },
    /// Whoever caused a call may not approve it.
    #[error(
        "{by} caused this call (opened or started the session, claimed the outcome, or edited the call) and may not approve it; ask somebody else"
    )]
    ApproverIsRequester {
        /// Who.
        by: Principal,
    },
    /// The same person again where several are needed.
    #[error("{by} has approved already; another person must")]
    AlreadyApproved {
        /// Who.
        by: Principal,
    },
    /// An edit touches arguments the runtime supplies.
    #[error("these arguments come from the session and cannot be edited: {}", arguments.join(", "))]
    NotEditable {
        /// Those.
        arguments: Vec<String>,
    },
    /// Edited arguments, or a person's claim, do not hold.
    #[error("{refusal}")]
    CallRefused {
        /// Why.
        refusal: ToolRefusal,
    },
    /// A call of this session may have acted on the same target, and nobody knows what came of it.
    #[error(
        "nobody knows what came of an earlier call on `{target}`, since {since}; settle it first (`provost sessions settle`)"
    )]
    TargetBusy {
        /// What would be acted on.
        target: ClaimKey,
        /// The session that holds it.
        holder: SessionId,
        /// Since when.
        since: Timestamp,
    },
    /// No operator is asked for.
    #[error("this session does not wait for an operator's words")]
    NobodyAsked,
    /// The call's outcome is not in doubt.
    #[error("the outcome of call `{call}` is not in doubt; `provost sessions show` lists what is")]
    NotInDoubt {
        /// The call that was named.
        call: CallId,
    },
    /// The call is still being made.
    #[error("call `{call}` is still under way; wait for its result")]
    CallUnderWay {
        /// The call that may still return.
        call: CallId,
    },
    /// Nobody knows yet what became of these calls.
    #[error("what became of {} is not known; settle it first (`provost sessions settle`)", calls.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    OutcomeUnsettled {
        /// Those whose outcome nobody knows.
        calls: Vec<CallId>,
    },
    /// The retry policy says no, or there is nothing to retry (another retry may have come first).
    #[error("retry rejected: the session is `{status}`{}", match reason { Some(reason) => format!(" and the policy says `{reason}`"), None => String::new() })]
    RetryRejected {
        /// The session's status.
        #[serde(with = "crate::status::as_word")]
        status: Status,
        /// What the policy says, where it was asked.
        reason: Option<RetryReason>,
    },
    /// No terminal tool of that name.
    #[error("the pack has no terminal tool `{tool}`; it has: {}", known.join(", "))]
    UnknownTerminalTool {
        /// The name asked for.
        tool: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// It stands in the session's inbox in a form that nobody can read.
    #[error("the stored command cannot be read ({detail}); nothing of it was done: send it again")]
    CommandUnreadable {
        /// Where it stands, and what was seen.
        detail: String,
    },
    /// What the session said may not be erased yet.
    #[error("the session cannot be erased: {why}")]
    NotErasable {
        /// Why, and what to do.
        why: String,
    },
    /// The reason that would stay in the log is not one.
    #[error("a reason is needed, of at most {max} bytes, which stays in the log for good")]
    InvalidReason {
        /// Its longest length, in bytes.
        max: usize,
    },
    /// Words are asked for, and nothing is written.
    #[error("{what} must be given, and the text is blank; write it")]
    BlankWords {
        /// What is missing.
        what: String,
    },
    /// The session's pack is loaded in another version.
    #[error(
        "the session pinned pack `{pack}` as {pinned}, and {loaded} is loaded; load the pinned version, then retry"
    )]
    PackChanged {
        /// The pack's name.
        pack: PackName,
        /// Digest of the version that the session was opened with.
        pinned: String,
        /// Digest of the version that is configured.
        loaded: String,
    },
}

/// What can be done about an ended session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedHint {
    /// Nothing leads out.
    Final,
    /// Retry it, claim an outcome, or stop it.
    RetryOrClaim,
}

impl fmt::Display for EndedHint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Final => "that is final; start a new session",
            Self::RetryOrClaim => "retry it, claim an outcome yourself, or stop it",
        })
    }
}

impl Refusal {
    /// The stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::StaleVersion { .. } => "stale_version",
            Self::SessionEnded { .. } => "session_ended",
            Self::NotAuthorised { .. } => "not_authorised",
            Self::NothingToDo { .. } => "nothing_to_do",
            Self::ApprovalUnknown { .. } => "approval_unknown",
            Self::ApprovalAlreadyDecided { .. } => "approval_already_decided",
            Self::ApproverIsRequester { .. } => "approver_is_requester",
            Self::AlreadyApproved { .. } => "already_approved",
            Self::NotEditable { .. } => "not_editable",
            Self::CallRefused { .. } => "call_refused",
            Self::TargetBusy { .. } => "target_busy",
            Self::NobodyAsked => "nobody_asked",
            Self::NotInDoubt { .. } => "not_in_doubt",
            Self::RetryRejected { .. } => "retry_rejected",
            Self::UnknownTerminalTool { .. } => "unknown_terminal_tool",
            Self::CallUnderWay { .. } => "call_under_way",
            Self::OutcomeUnsettled { .. } => "outcome_unsettled",
            Self::CommandUnreadable { .. } => "command_unreadable",
            Self::NotErasable { .. } => "not_erasable",
            Self::InvalidReason { .. } | Self::BlankWords { .. } => "invalid_body",
            Self::PackChanged { .. } => "pack_changed",
        }
    }
}
