//! Between two works the runtime itself decides how the run goes on. What is to be decided is a fold of the log, so that the
//! decision can be made from the session alone, at any time and by any process.

use serde::{Deserialize, Serialize};

use crate::ids::AgentName;
use crate::pack::RouteTo;

/// What the runtime decides next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Handover {
    /// The run begins with the pack's entry agent.
    Begin,
    /// A new try begins with this agent.
    Again(AgentName),
    /// This agent handed back its report, which is to be routed.
    Route(AgentName),
    /// Where the run goes on is chosen and to be followed.
    Follow {
        /// The agent whose report led there.
        from: AgentName,
        /// Where.
        to: RouteTo,
    },
    /// An agent failed and nothing is in doubt: the retry policy decides.
    Recover,
}
