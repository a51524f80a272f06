//! What a worker is told and started with.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::AssignmentId;
use provost_domain::request::Question;
use ractor::ActorRef;
use tokio_util::sync::CancellationToken;

use crate::gateway::{Inquiry, Permit};
use crate::parts::EngineParts;
use crate::resources::Resources;
use crate::supervisor::ToSupervisor;

/// What a worker is told to perform.
#[derive(Debug)]
pub(crate) enum ToWorker {
    /// Put the question to its model; report the reply within this time.
    Ask(Arc<Question>, Duration),
    /// Make these permitted calls side by side; report the outcomes, those that are there at one time together.
    Calls(Vec<Permit>),
    /// Ask the tool whether a call happened; report what it says.
    Probe(Inquiry),
}

impl ToWorker {
    /// What performing it is called among the engine's tasks.
    pub(super) fn task(&self) -> &'static str {
        match self {
            Self::Ask(..) => "asking a model",
            Self::Calls(_) => "calling tools",
            Self::Probe(_) => "asking a tool about a call",
        }
    }
}

/// What a worker is started with.
#[derive(Debug)]
pub(crate) struct WorkerArguments {
    pub(crate) shared: Arc<EngineParts>,
    pub(crate) resources: Arc<Resources>,
    pub(crate) supervisor: ActorRef<ToSupervisor>,
    pub(crate) assignment: AssignmentId,
    /// Cancels everything it has under way; its supervisor holds it too, for a worker that does not listen any more.
    pub(crate) cancelled: CancellationToken,
}
