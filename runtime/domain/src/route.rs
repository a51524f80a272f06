//! Where a signal leads: dispatch rules first, then the agent's routes, then its default.

use serde_json::Value;

use crate::condition::all_hold;
use crate::pack::{AgentSpec, DEFAULT_SIGNAL, DispatchRule, RouteTo};

/// The chosen route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteChoice {
    /// Where it leads.
    pub to: RouteTo,
    /// The signal as given, or `default`.
    pub signal: String,
    /// Whether a rule or route named it; otherwise it fell to the default.
    pub matched: bool,
    /// Pause for an operator below this confidence.
    pub gate_below: Option<f64>,
}

/// Chooses. `facts` is `{signal, agent, confidence, fields, retries}`.
pub fn choose(agent: &AgentSpec, dispatch: &[DispatchRule], facts: &Value, signal: Option<&str>) -> RouteChoice {
    let word = signal.unwrap_or(DEFAULT_SIGNAL).to_owned();
    if let Some(rule) = dispatch.iter().find(|rule| all_hold(&rule.when, facts)) {
        return RouteChoice { to: rule.next.clone(), signal: word, matched: true, gate_below: None };
    }
    let named = agent.routes.iter().find(|route| route.when == word);
    let matched = named.is_some();
    match named.or_else(|| agent.routes.iter().find(|route| route.when == DEFAULT_SIGNAL)) {
        Some(route) => RouteChoice { to: route.to.clone(), signal: word, matched, gate_below: route.gate_below },
        None => RouteChoice { to: RouteTo::End, signal: word, matched: false, gate_below: None },
    }
}

/// Whether the route's gate asks for more confidence than there is.
pub fn is_gated(choice: &RouteChoice, confidence: f64) -> bool {
    choice.gate_below.is_some_and(|below| confidence.is_nan() || confidence < below)
}
