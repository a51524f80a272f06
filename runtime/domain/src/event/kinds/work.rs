//! What happens to the work of an assignment.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::confidence::Confidence;
use crate::envelope::{Envelope, EnvelopeSource};
use crate::event::list::{Decodable, payloads};
use crate::event::values::Limit;
use crate::failure::{AgentFailure, ModelFailure};
use crate::ids::{AgentName, AssignmentId, Digest, RoleName, Seq};
use crate::model::ModelReply;
use crate::time::Timestamp;
use crate::work::{ReadingTime, WorkForm};

payloads! {
    /// An agent was given work.
    AssignmentIssued {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// Its role.
        role: RoleName,
        /// Which kind of work it is.
        work: WorkForm,
        /// What it is told, byte for byte.
        briefing: Arc<str>,
        /// When silence counts as failure (for measuring: when it ends).
        deadline_at: Timestamp,
        /// For measuring: when the first measurement is taken; at once where it is `None`.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        measure_from: Option<Timestamp>,
    }
    /// A silent or lost worker's assignment was given out again, byte for byte.
    AssignmentRedispatched {
        /// The assignment.
        assignment: AssignmentId,
        /// What its supervisor saw.
        cause: String,
        /// The new deadline.
        deadline_at: Timestamp,
    }
    /// A question to a model was decided on: written before the request leaves. One that is put again after a crash is
    /// written again only where another request leaves.
    ModelRequested {
        /// The assignment.
        assignment: AssignmentId,
        /// The round, from 1.
        round: u32,
        /// Tokens reserved before the call.
        reserved: u64,
        /// The server that is asked. `None`, as the next two, where no request could leave, and in older logs.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        server: Option<String>,
        /// The model that is asked, by its name there.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        model: Option<String>,
        /// SHA-256 of the body of the request, byte for byte.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        body_sha256: Option<Digest>,
    }
    /// A model answered.
    ModelReplied {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// The reply.
        reply: ModelReply,
    }
    /// A model failed in a way that may pass: it is asked again later. Recorded before each pause.
    ModelDeferred {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// What was seen.
        failure: ModelFailure,
        /// How often it failed since it is waited for.
        attempt: u32,
        /// When it failed first.
        waiting_since: Timestamp,
        /// When it is asked next.
        next_at: Timestamp,
        /// When it is waited for no longer.
        budget_ends_at: Timestamp,
    }
    /// A model gave no usable reply, retries included.
    ModelFailed {
        /// The assignment.
        assignment: AssignmentId,
        /// The round.
        round: u32,
        /// The typed cause.
        failure: ModelFailure,
    }
    /// A reply without an envelope was sent back once.
    RepairRequested {
        /// The assignment.
        assignment: AssignmentId,
        /// What was wrong, as the model is told.
        problem: String,
    }
    /// An agent stated its confidence.
    ConfidenceEmitted {
        /// The assignment.
        assignment: AssignmentId,
        /// How sure the agent is.
        confidence: Confidence,
        /// Where it was read from.
        source: EnvelopeSource,
    }
    /// An agent handed back its report.
    AgentFinished {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// Its report.
        envelope: Envelope,
        /// The tool results it stands on, in order.
        evidence: Vec<Seq>,
    }
    /// An agent ended without one.
    AgentFailed {
        /// The assignment.
        assignment: AssignmentId,
        /// The agent.
        agent: AgentName,
        /// The typed cause.
        failure: AgentFailure,
    }
    /// One of several measures was read.
    MeasureRead {
        /// The assignment.
        assignment: AssignmentId,
        /// The measure's name in the pack.
        measure: String,
        /// Which time the reading is of.
        time: ReadingTime,
        /// The reading; `None` when it could not be taken.
        value: Option<f64>,
    }
    /// A poll was measured.
    WatchPolled {
        /// The assignment.
        assignment: AssignmentId,
        /// Whether the condition held; `None` when the poll could not be read.
        met: Option<bool>,
        /// How many polls in a row it has held.
        streak: u32,
        /// When to poll next; `None` when the watch is over.
        next_at: Option<Timestamp>,
    }
    /// A limit ended the turn.
    LimitReached {
        /// Which limit.
        limit: Limit,
        /// Its bound, in the limit's unit.
        bound: u64,
        /// The assignment it ended; `None` where none was under way, and in logs of one work at a time.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        assignment: Option<AssignmentId>,
    }
}
