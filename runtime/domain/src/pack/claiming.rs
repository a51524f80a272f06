//! Terminal tools: what a claim leads to, and what must hold before it counts.

use std::collections::BTreeMap;

use provost_expr::Expression;
use serde_json::Value;

use crate::ids::{AgentName, ToolName};
use crate::schema::ArgSchema;

/// A typed terminal tool.
#[derive(Debug, Clone)]
pub struct TerminalTool {
    /// What it does, in the pack's words for the model.
    pub about: Option<String>,
    /// The outcome a verified claim leads to.
    pub outcome: ClaimOutcome,
    /// Schema of its arguments; unknown keys are refused.
    pub schema: ArgSchema,
    /// Arguments that must be in a roster: argument → roster.
    pub rosters: BTreeMap<String, String>,
    /// The last report each named agent must have given since the last change to the world: agent → signal.
    pub requires: BTreeMap<AgentName, String>,
    /// What must hold besides, in this order.
    pub conditions: Vec<Requirement>,
    /// Fields of the session that a claim sets: field → the expression of its value.
    pub set: BTreeMap<String, Expression>,
    /// A tool that is called before the status changes (a notification); its outcome must be good.
    pub effect: Option<ToolName>,
}

/// Which outcome a claim leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ClaimOutcome {
    /// Always this one.
    Fixed(String),
    /// The one that the table gives for the value of an argument.
    ByArgument {
        /// The argument; each claim has it, and it has one of the table's values.
        argument: String,
        /// Value → outcome.
        table: BTreeMap<String, String>,
    },
}

impl ClaimOutcome {
    /// The outcome of a claim with these arguments; `None` where they do not say it.
    pub fn of(&self, args: &Value) -> Option<&str> {
        match self {
            Self::Fixed(outcome) => Some(outcome),
            Self::ByArgument { argument, table } => table.get(args.get(argument)?.as_str()?).map(String::as_str),
        }
    }

    /// What a model is told of it.
    pub(crate) fn told(&self) -> String {
        match self {
            Self::Fixed(outcome) => format!("Claims the outcome `{outcome}`; verified before it counts."),
            Self::ByArgument { argument, table } => {
                let rows: Vec<_> = table.iter().map(|(value, outcome)| format!("{value} → {outcome}")).collect();
                format!("Claims the outcome that `{argument}` names ({}); verified before it counts.", rows.join(", "))
            }
        }
    }
}

/// A condition of a terminal tool.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requirement {
    /// What must hold; what cannot be told does not.
    pub that: Expression,
    /// What an agent is told where it does not hold.
    pub otherwise: String,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_outcome_is_fixed_or_chosen_by_an_argument() {
        let fixed = ClaimOutcome::Fixed("done".to_owned());
        assert_eq!(fixed.of(&json!({"verdict": "yes"})), Some("done"));
        let table = [("yes", "approved"), ("no", "refused")].map(|(value, end)| (value.to_owned(), end.to_owned()));
        let chosen = ClaimOutcome::ByArgument { argument: "verdict".to_owned(), table: table.into() };
        for (args, outcome) in [
            (json!({"verdict": "yes"}), Some("approved")),
            (json!({"verdict": "no"}), Some("refused")),
            (json!({"verdict": "maybe"}), None),
            (json!({"verdict": 1}), None),
            (json!({}), None),
        ] {
            assert_eq!(chosen.of(&args), outcome, "{args}");
        }
        assert!(chosen.told().contains("no → refused, yes → approved"), "{}", chosen.told());
    }
}
