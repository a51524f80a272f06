//! What may be asked of a session: commands from outside, and reports from its own workers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::Permission;
use crate::event::Settlement;
use crate::failure::ModelFailure;
use crate::ids::{ApprovalId, AssignmentId, CallId, Seq, ToolName};
use crate::model::ModelReply;
use crate::nesting::{self, TooDeep};
use crate::principal::{Principal, PrincipalKind};
use crate::tool::{ProbeAnswer, ToolOutcome};
use crate::word::closed_list;

/// A request from outside that may be refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Command {
    /// Who asks.
    pub by: Principal,
    /// The version the caller looked at; refused with `StaleVersion` when the session moved on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub if_version: Option<Seq>,
    /// What is asked.
    pub ask: Ask,
}

/// `NAME { fields } = "words", needs PERMISSION, asked by [KINDS], FLOW, RULES`: a command, what it is called, what a caller
/// needs, which kinds of principals may ask it besides people, whether it starts work, and whether the session's pack decides
/// about it.
macro_rules! commands {
    ($(
        $(#[$doc:meta])*
        $name:ident $({ $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)? })?
            = $words:literal, needs $permission:ident, asked by [$($who:ident),*], $flow:ident, $rules:ident;
    )*) => {
        /// What a command asks.
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "ask", rename_all = "snake_case")]
        pub enum Ask {
            $($(#[$doc])* $name $({ $($(#[$field_doc])* $field: $type),* })?,)*
        }

        closed_list! {
            /// The kinds of commands; see [`Ask`] for what each asks.
            Verb { $($(#[$doc])* $name = $words,)* }
        }

        impl Ask {
            /// What kind of command it is.
            pub const fn verb(&self) -> Verb {
                match self { $(Self::$name { .. } => Verb::$name),* }
            }
        }

        impl Verb {
            /// Whether a principal of this kind may ask it. People may ask everything; what an agent does, it does through the
            /// tools it is offered and not through commands.
            pub const fn may_be_asked_by(self, who: PrincipalKind) -> bool {
                match (self, who) {
                    (_, PrincipalKind::Person) => true,
                    $($((Self::$name, PrincipalKind::$who) => true,)*)*
                    (
                        _,
                        PrincipalKind::Agent
                        | PrincipalKind::Intake
                        | PrincipalKind::Ticker
                        | PrincipalKind::Client
                        | PrincipalKind::Runtime
                        | PrincipalKind::Other,
                    ) => false,
                }
            }

            /// What a caller needs to ask it through a face.
            pub const fn permission(self) -> Permission {
                match self { $(Self::$name => Permission::$permission),* }
            }

            /// Whether it starts work: then the guard is taken or the answer is `SessionBusy`.
            pub const fn starts_work(self) -> bool {
                match self { $(Self::$name => flow!($flow)),* }
            }

            /// Whether the session's pack decides about it; the others are decided also where that is not loaded.
            pub const fn needs_pack(self) -> bool {
                match self { $(Self::$name => rules!($rules)),* }
            }
        }
    };
}

macro_rules! flow {
    (starts_work) => {
        true
    };
    (to_live_work) => {
        false
    };
}

macro_rules! rules {
    (by_pack) => {
        true
    };
    (by_runtime) => {
        false
    };
}

commands! {
    /// Begin the run of a new session.
    Start = "start a session", needs Operate, asked by [Intake, Client], starts_work, by_pack;
    /// Carry on what is owed.
    Continue = "continue a session", needs Operate, asked by [Ticker, Runtime], starts_work, by_pack;
    /// Try again after an end that a person can leave.
    Retry {
        /// Also where the policy says no.
        #[serde(default)]
        force: bool,
    } = "retry a session", needs Operate, asked by [Intake, Runtime], starts_work, by_pack;
    /// Stop for good. A sender of deliveries may stop only what it opened, where another case takes its place.
    Stop {
        /// Why.
        reason: String,
    } = "stop a session", needs Operate, asked by [Intake], to_live_work, by_runtime;
    /// Answer an approval.
    Answer {
        /// The approval.
        approval: ApprovalId,
        /// The answer.
        answer: Answer,
        /// Why, in the person's words, where the answer itself does not say it.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    } = "answer an approval", needs Approve, asked by [], to_live_work, by_pack;
    /// Say what the operator was asked for.
    Speak {
        /// The words.
        text: String,
    } = "speak as the operator", needs Operate, asked by [], to_live_work, by_pack;
    /// Use a terminal tool under one's own name.
    Claim {
        /// The terminal tool.
        tool: ToolName,
        /// Its arguments.
        args: Map<String, Value>,
    } = "claim an outcome", needs Operate, asked by [], to_live_work, by_pack;
    /// Settle an unknown outcome.
    Settle {
        /// The call.
        call: CallId,
        /// How.
        settlement: Settlement,
    } = "settle a call", needs Operate, asked by [], to_live_work, by_runtime;
    /// Leave a note for people; moves no status, legal on closed sessions, and no agent is told.
    Annotate {
        /// The note.
        text: String,
    } = "annotate a session", needs Operate, asked by [], to_live_work, by_runtime;
    /// Say that one is at it: nobody is reminded of what is needed now; moves no status.
    Acknowledge = "acknowledge what a session needs", needs Operate, asked by [], to_live_work, by_runtime;
    /// Record something from outside; moves no status, legal on closed sessions.
    Signal {
        /// Where it came from.
        source: String,
        /// What it said.
        payload: Value,
    } = "signal a session", needs Deliver, asked by [Intake, Ticker, Client, Runtime], to_live_work, by_runtime;
}

/// An answer to an approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
pub enum Answer {
    /// Run it as asked.
    Approve,
    /// Run it with these arguments instead of the model's (all of them; injected ones stay).
    Edit {
        /// The new arguments.
        args: Map<String, Value>,
    },
    /// Do not run it.
    Reject {
        /// Why; the model is told.
        reason: String,
    },
    /// Do not run it; give the model this text as its result.
    Respond {
        /// What the person wrote; the model gets it in place of a result.
        text: String,
    },
}

/// What a session's own side reports: workers, timers, the takeover itself.
#[derive(Debug, Clone)]
pub enum Report {
    /// The session was taken over: what is in doubt is planned anew.
    TakenOver,
    /// A model answered.
    Replied {
        /// The assignment whose model request was answered.
        assignment: AssignmentId,
        /// The model call within its turn, counted from 1.
        round: u32,
        /// What came back.
        result: Result<ModelReply, ModelFailure>,
    },
    /// A tool came back.
    Returned {
        /// The call whose tool returned.
        call: CallId,
        /// What came back.
        outcome: ToolOutcome,
    },
    /// A tool said whether one of its calls happened.
    Probed {
        /// The call whose tool was asked whether it happened.
        call: CallId,
        /// What it said.
        answer: ProbeAnswer,
    },
    /// Carrying the session failed too often.
    GivenUp {
        /// What was seen.
        cause: String,
    },
    /// Time passed: expiries, deadlines and polls that are due.
    Tick,
    /// The worker carrying the assignment died.
    WorkerLost {
        /// The assignment whose worker ended.
        assignment: AssignmentId,
        /// What was seen.
        cause: String,
    },
}

impl Command {
    /// The command as it may be stored: what machines sent is cut where it is nested too deeply.
    ///
    /// # Errors
    /// See [`Self::check_nesting`].
    pub fn bounded(mut self) -> Result<Self, TooDeep> {
        self.check_nesting()?;
        if let Ask::Signal { payload, .. } = &mut self.ask {
            nesting::cut(payload, nesting::LEVELS_MAX);
        }
        Ok(self)
    }

    /// The words that a person must have written, and wrote blank; `None` when they say something.
    pub fn blank_words(&self) -> Option<&'static str> {
        let (what, words): (_, &str) = match &self.ask {
            Ask::Stop { reason } | Ask::Answer { answer: Answer::Reject { reason }, .. } => ("a reason", reason),
            Ask::Answer { answer: Answer::Respond { text }, .. } => ("an answer", text),
            Ask::Speak { text } => ("words", text),
            Ask::Annotate { text } => ("a note", text),
            Ask::Settle { settlement, .. } => ("what was seen", settlement.note()),
            Ask::Start
            | Ask::Continue
            | Ask::Retry { .. }
            | Ask::Answer { answer: Answer::Approve | Answer::Edit { .. }, .. }
            | Ask::Claim { .. }
            | Ask::Acknowledge
            | Ask::Signal { .. } => return None,
        };
        words.trim().is_empty().then_some(what)
    }

    /// Refuses what a person wrote too deeply nested.
    ///
    /// # Errors
    /// The arguments of a claim or an edit are.
    pub fn check_nesting(&self) -> Result<(), TooDeep> {
        let args = match &self.ask {
            Ask::Claim { args, .. } | Ask::Answer { answer: Answer::Edit { args }, .. } => args,
            Ask::Start
            | Ask::Continue
            | Ask::Retry { .. }
            | Ask::Stop { .. }
            | Ask::Answer { answer: Answer::Approve | Answer::Reject { .. } | Answer::Respond { .. }, .. }
            | Ask::Speak { .. }
            | Ask::Annotate { .. }
            | Ask::Settle { .. }
            | Ask::Acknowledge
            | Ask::Signal { .. } => return Ok(()),
        };
        let fits = args.values().all(|value| nesting::fits(value, nesting::LEVELS_MAX - 1));
        if fits { Ok(()) } else { Err(TooDeep) }
    }
}

impl Report {
    /// Whether it says that a call did what was asked, which stays true whoever says it and whatever was tried since.
    pub fn tells_of_success(&self) -> bool {
        match self {
            Self::Returned { outcome, .. } => match outcome {
                ToolOutcome::Ok { .. }
                | ToolOutcome::Empty { .. }
                | ToolOutcome::Truncated { .. }
                | ToolOutcome::Partial { .. } => true,
                ToolOutcome::Failed { .. } => false,
            },
            Self::TakenOver
            | Self::Replied { .. }
            | Self::Probed { .. }
            | Self::GivenUp { .. }
            | Self::Tick
            | Self::WorkerLost { .. } => false,
        }
    }
}
