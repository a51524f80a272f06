//! What the node is told.

use provost_domain::ids::SessionId;
use ractor::{ActorId, RpcReplyPort};

use crate::registry::SessionGuard;
use crate::supervisor::Boot;

/// What the node is told.
#[derive(Debug)]
pub(crate) enum ToNode {
    /// Carry this session; the guard says nobody else does.
    Carry(SessionGuard, Boot),
    /// Something waits in this session's log.
    Wake(SessionId),
    /// What a sweep found. Answered once it is woken, with what could not be carried before.
    Found(Vec<SessionId>, RpcReplyPort<()>),
    /// The supervisor of this id is gone for good: its state, and with it the session's guard, was dropped.
    Ended(ActorId, Ending),
    /// Answered once nobody carries this session.
    Rested(SessionId, RpcReplyPort<()>),
    /// End every supervisor in order; answered when none is left.
    Drain(RpcReplyPort<()>),
}

/// How a supervisor ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// By itself, for this reason, or because it was killed.
    Stopped(Option<String>),
    /// It failed with this cause.
    Failed(String),
}
