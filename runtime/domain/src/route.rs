//! Where a signal leads: dispatch rules first, then the agent's routes, then its default.

use serde_json::Value;

use crate::condition::all_hold;
use crate::confidence::Confidence;
use crate::pack::{AgentSpec, DEFAULT_SIGNAL, DispatchRule, RouteTo};

/// The chosen route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteChoice {
    /// Where it leads.
    pub to: RouteTo,
    /// The signal as given, or `default`.
    pub signal: String,
    /// Whether a rule fitted or a route names the signal; an unknown or missing one falls to the default.
    pub matched: bool,
    /// Pause for an operator below this confidence.
    pub gate_below: Option<Confidence>,
}

/// Chooses. `facts` is `{signal, agent, confidence, fields, retries}`.
pub fn choose(agent: &AgentSpec, dispatch: &[DispatchRule], facts: &Value, signal: Option<&str>) -> RouteChoice {
    let word = signal.unwrap_or(DEFAULT_SIGNAL).to_owned();
    if let Some(rule) = dispatch.iter().find(|rule| all_hold(&rule.when, facts)) {
        return RouteChoice { to: rule.next.clone(), signal: word, matched: true, gate_below: None };
    }
    let route_of = |signal: &str| agent.routes.iter().find(|route| route.when == signal);
    let named = signal.and_then(route_of);
    let matched = named.is_some();
    match named.or_else(|| route_of(DEFAULT_SIGNAL)) {
        Some(route) => RouteChoice { to: route.to.clone(), signal: word, matched, gate_below: route.gate_below },
        None => RouteChoice { to: RouteTo::End, signal: word, matched: false, gate_below: None },
    }
}

/// Whether the route's gate asks for more confidence than there is.
pub fn is_gated(choice: &RouteChoice, confidence: Confidence) -> bool {
    choice.gate_below.is_some_and(|below| confidence < below)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::condition::{Condition, Op};
    use crate::ids::AgentName;
    use crate::pack::Route;
    use crate::role::{Authority, RoleSpec};
    use crate::work::WorkForm;

    fn to(agent: &str) -> RouteTo {
        RouteTo::Agent(AgentName::new(agent))
    }

    fn agent(routes: Vec<Route>) -> AgentSpec {
        AgentSpec {
            name: AgentName::new("one"),
            role: RoleSpec { name: "reader".into(), authority: Authority::Reads, work: WorkForm::Asking },
            model: String::new(),
            tools: Vec::new(),
            deadline: Duration::ZERO,
            routes,
            report_required: false,
            prompt: "".into(),
            watch: None,
        }
    }

    fn routed() -> AgentSpec {
        let route = |when: &str, to, gate_below| Route { when: when.to_owned(), to, gate_below };
        agent(vec![route("success", to("two"), Some(sure(0.75))), route(DEFAULT_SIGNAL, RouteTo::Operator, None)])
    }

    fn sure(value: f64) -> Confidence {
        Confidence::new(value).unwrap()
    }

    fn rule(op: Op, confidence: f64, next: RouteTo) -> DispatchRule {
        DispatchRule { when: vec![Condition { path: "confidence".to_owned(), op, value: json!(confidence) }], next }
    }

    fn choice(to: RouteTo, signal: &str, matched: bool, gate_below: Option<f64>) -> RouteChoice {
        RouteChoice { to, signal: signal.to_owned(), matched, gate_below: gate_below.map(sure) }
    }

    #[test]
    fn a_signal_leads_to_its_route_and_everything_else_to_the_default() {
        let choose = |signal| choose(&routed(), &[], &json!({}), signal);
        assert_eq!(choose(Some("success")), choice(to("two"), "success", true, Some(0.75)));
        assert_eq!(choose(Some("surprise")), choice(RouteTo::Operator, "surprise", false, None));
        assert_eq!(choose(Some(DEFAULT_SIGNAL)), choice(RouteTo::Operator, DEFAULT_SIGNAL, true, None));
        assert_eq!(choose(None), choice(RouteTo::Operator, DEFAULT_SIGNAL, false, None));
    }

    #[test]
    fn the_first_rule_that_fits_beats_the_routes() {
        let rules = [rule(Op::Lt, 0.2, RouteTo::End), rule(Op::Lt, 0.5, to("three")), rule(Op::Lt, 0.6, to("four"))];
        let choose = |confidence: f64| choose(&routed(), &rules, &json!({"confidence": confidence}), Some("success"));
        assert_eq!(choose(0.3), choice(to("three"), "success", true, None));
        assert_eq!(choose(0.9), choice(to("two"), "success", true, Some(0.75)));
    }

    #[test]
    fn no_default_ends_the_run() {
        assert_eq!(choose(&agent(vec![]), &[], &json!({}), Some("x")), choice(RouteTo::End, "x", false, None));
    }

    proptest! {
        #[test]
        fn a_gate_holds_exactly_below_its_threshold(below in 0.0..=1.0, confidence in 0.0..=1.0) {
            let gated = choice(RouteTo::End, "s", true, Some(below));
            prop_assert_eq!(is_gated(&gated, sure(confidence)), confidence < below);
            prop_assert!(!is_gated(&gated, sure(below)));
            prop_assert!(!is_gated(&choice(RouteTo::End, "s", true, None), sure(confidence)));
        }
    }
}
