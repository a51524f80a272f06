//! The node as an actor: what it does with each message.

use std::sync::Arc;

use ractor::{Actor, ActorProcessingErr, ActorRef, SupervisionEvent};

use super::messages::{Ending, ToNode};
use super::state::NodeState;
use crate::parts::EngineParts;

#[derive(Debug)]
pub(crate) struct Node;

impl Actor for Node {
    type Msg = ToNode;
    type State = NodeState;
    type Arguments = Arc<EngineParts>;

    async fn pre_start(
        &self,
        _myself: ActorRef<ToNode>,
        shared: Arc<EngineParts>,
    ) -> Result<NodeState, ActorProcessingErr> {
        Ok(NodeState::new(shared))
    }

    async fn handle(
        &self,
        myself: ActorRef<ToNode>,
        message: ToNode,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        match message {
            ToNode::Carry(guard, boot) => state.carry(&myself, guard, boot).await?,
            ToNode::Wake(session) => state.wake(&myself, session).await?,
            ToNode::Found(sessions, reply) => {
                for session in state.take_waiting().into_iter().chain(sessions) {
                    state.wake(&myself, session).await?;
                }
                drop(reply.send(()));
            }
            ToNode::Ended(supervisor, ending) => state.ended(&myself, supervisor, ending),
            ToNode::Rested(session, reply) => state.tell_when_rested(session, reply),
            ToNode::Drain(reply) => state.drain(reply),
        }
        Ok(())
    }

    /// A supervisor that stopped hands its state over, and its session's guard goes with it. One that failed or was killed
    /// drops its state only after this event: then its task's end is waited for.
    async fn handle_supervisor_evt(
        &self,
        myself: ActorRef<ToNode>,
        event: SupervisionEvent,
        state: &mut NodeState,
    ) -> Result<(), ActorProcessingErr> {
        match event {
            SupervisionEvent::ActorTerminated(supervisor, Some(held), reason) => {
                drop(held);
                state.ended(&myself, supervisor.get_id(), Ending::Stopped(reason));
            }
            SupervisionEvent::ActorTerminated(supervisor, None, reason) => {
                state.ending(&myself, supervisor.get_id(), Ending::Stopped(reason));
            }
            SupervisionEvent::ActorFailed(supervisor, cause) => {
                state.ending(&myself, supervisor.get_id(), Ending::Failed(cause.to_string()));
            }
            SupervisionEvent::ActorStarted(_) | SupervisionEvent::ProcessGroupChanged(_) => {}
        }
        Ok(())
    }
}
