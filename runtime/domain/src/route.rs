//! Where a signal leads: dispatch rules first, then the agent's routes, then its default.

use provost_expr::{Expression, Judgement};
use serde_json::Value;

use crate::condition::all_hold;
use crate::confidence::Confidence;
use crate::pack::{AgentSpec, DEFAULT_SIGNAL, DispatchRule, Route, RouteTo};

/// Which entry of a pack a choice followed, counted from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RoutePlace {
    /// A rule of `dispatch`.
    Dispatch(usize),
    /// A route of the agent.
    Route(usize),
}

/// The chosen route.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteChoice {
    /// What it followed; `None` where the agent has no default.
    pub place: Option<RoutePlace>,
    /// Where it leads.
    pub to: RouteTo,
    /// The signal as given, or `default`.
    pub signal: String,
    /// Whether a rule fitted or a route names the signal; an unknown or missing one falls to the default.
    pub matched: bool,
    /// Pause for an operator below this confidence.
    pub gate_below: Option<Confidence>,
    /// Conditions of earlier rules and routes that could not be told, each with why: they did not match.
    pub unclear: Vec<String>,
}

/// Chooses. `facts` is `{signal, agent, confidence, fields, retries}`, which the older conditions of dispatch rules read;
/// `judge` evaluates expressions. The first rule or route that fits wins, and the default takes what no other does.
pub fn choose(
    agent: &AgentSpec,
    dispatch: &[DispatchRule],
    (facts, judge): (&Value, &dyn Fn(&Expression) -> Judgement),
    signal: Option<&str>,
) -> RouteChoice {
    let word = signal.unwrap_or(DEFAULT_SIGNAL).to_owned();
    let mut unclear = Vec::new();
    let mut holds = |condition: Option<&Expression>| match condition.map(judge) {
        None | Some(Judgement::True) => true,
        Some(Judgement::False) => false,
        Some(Judgement::CannotTell(why)) => {
            unclear.extend(condition.map(|condition| format!("`{condition}`: {why}")));
            false
        }
    };
    let mut rules = dispatch.iter().enumerate();
    let rule = rules.find(|(_, rule)| all_hold(&rule.when, facts) && holds(rule.condition.as_ref()));
    if let Some((index, rule)) = rule {
        let place = Some(RoutePlace::Dispatch(index));
        return RouteChoice { place, to: rule.next.clone(), signal: word, matched: true, gate_below: None, unclear };
    }
    let takes = |route: &Route| route.when == DEFAULT_SIGNAL || signal == Some(route.when.as_str());
    let named = agent.routes.iter().enumerate().find(|(_, route)| {
        // An unconditional default comes last, wherever it stands.
        !route.is_default() && takes(route) && holds(route.condition.as_ref())
    });
    let matched = named.is_some() || (signal == Some(DEFAULT_SIGNAL) && agent.routes.iter().any(Route::is_default));
    match named.or_else(|| agent.routes.iter().enumerate().find(|(_, route)| route.is_default())) {
        Some((index, Route { to, gate_below, .. })) => {
            let place = Some(RoutePlace::Route(index));
            RouteChoice { place, to: to.clone(), signal: word, matched, gate_below: *gate_below, unclear }
        }
        None => RouteChoice { place: None, to: RouteTo::End, signal: word, matched: false, gate_below: None, unclear },
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
    use crate::role::{Authority, RoleSpec};
    use crate::work::WorkForm;

    /// For routes without a condition: evaluating one is a fault.
    fn none(expression: &Expression) -> Judgement {
        panic!("{expression}")
    }

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
            report_fields: None,
            prompt: "".into(),
            watch: None,
        }
    }

    fn routed() -> AgentSpec {
        let route = |when: &str, to, gate_below| Route { when: when.to_owned(), condition: None, to, gate_below };
        agent(vec![route("success", to("two"), Some(sure(0.75))), route(DEFAULT_SIGNAL, RouteTo::Operator, None)])
    }

    fn sure(value: f64) -> Confidence {
        Confidence::new(value).unwrap()
    }

    fn rule(op: Op, confidence: f64, next: RouteTo) -> DispatchRule {
        let when = vec![Condition { path: "confidence".to_owned(), op, value: json!(confidence) }];
        DispatchRule { when, condition: None, next }
    }

    fn choice(
        (place, to): (Option<RoutePlace>, RouteTo),
        signal: &str,
        matched: bool,
        gate_below: Option<f64>,
    ) -> RouteChoice {
        let gate_below = gate_below.map(sure);
        RouteChoice { place, to, signal: signal.to_owned(), matched, gate_below, unclear: Vec::new() }
    }

    fn route(index: usize, to: RouteTo) -> (Option<RoutePlace>, RouteTo) {
        (Some(RoutePlace::Route(index)), to)
    }

    #[test]
    fn a_signal_leads_to_its_route_and_everything_else_to_the_default() {
        let choose = |signal| choose(&routed(), &[], (&json!({}), &none), signal);
        assert_eq!(choose(Some("success")), choice(route(0, to("two")), "success", true, Some(0.75)));
        assert_eq!(choose(Some("surprise")), choice(route(1, RouteTo::Operator), "surprise", false, None));
        assert_eq!(choose(Some(DEFAULT_SIGNAL)), choice(route(1, RouteTo::Operator), DEFAULT_SIGNAL, true, None));
        assert_eq!(choose(None), choice(route(1, RouteTo::Operator), DEFAULT_SIGNAL, false, None));
    }

    #[test]
    fn the_first_rule_that_fits_beats_the_routes() {
        let rules = [rule(Op::Lt, 0.2, RouteTo::End), rule(Op::Lt, 0.5, to("three")), rule(Op::Lt, 0.6, to("four"))];
        let choose =
            |confidence: f64| choose(&routed(), &rules, (&json!({ "confidence": confidence }), &none), Some("success"));
        assert_eq!(choose(0.3), choice((Some(RoutePlace::Dispatch(1)), to("three")), "success", true, None));
        assert_eq!(choose(0.9), choice(route(0, to("two")), "success", true, Some(0.75)));
    }

    #[test]
    fn no_default_ends_the_run() {
        assert_eq!(
            choose(&agent(vec![]), &[], (&json!({}), &none), Some("x")),
            choice((None, RouteTo::End), "x", false, None)
        );
    }

    /// What an expression comes to on the three values: `t`, `f`, and `u`, which is absent.
    fn of_three(expression: &Expression) -> Judgement {
        expression.judge(&json!({"t": true, "f": false}))
    }

    /// The table of the three values: a route and a dispatch rule match only what certainly holds.
    #[test]
    fn what_cannot_be_told_does_not_match_and_is_recorded() {
        for (condition, matches, is_recorded) in [("t", true, false), ("f", false, false), ("u", false, true)] {
            let expression = || Expression::parse(condition).ok();
            let route = |when: &str, condition, to| Route { when: when.to_owned(), condition, to, gate_below: None };
            let routes =
                vec![route(DEFAULT_SIGNAL, expression(), to("conditional")), route(DEFAULT_SIGNAL, None, to("rest"))];
            let chosen = choose(&agent(routes), &[], (&json!({}), &of_three), Some("success"));
            assert_eq!(chosen.to, to(if matches { "conditional" } else { "rest" }), "{condition}");
            assert_eq!((chosen.matched, !chosen.unclear.is_empty()), (matches, is_recorded), "{condition}");
            let rules = [DispatchRule { when: Vec::new(), condition: expression(), next: to("rule") }];
            let chosen = choose(&routed(), &rules, (&json!({}), &of_three), Some("success"));
            assert_eq!(chosen.to, to(if matches { "rule" } else { "two" }), "{condition}");
            assert_eq!(!chosen.unclear.is_empty(), is_recorded, "{condition}");
        }
    }

    #[test]
    fn the_first_route_that_fits_wins_and_a_signal_may_have_several() {
        let route = |when: &str, condition: Option<&str>, to| {
            let condition = condition.map(|text| Expression::parse(text).unwrap());
            Route { when: when.to_owned(), condition, to, gate_below: None }
        };
        let agent = agent(vec![
            route(DEFAULT_SIGNAL, None, to("rest")),
            route("found", Some("u || f"), to("first")),
            route("found", Some("u || t"), to("second")),
            route("found", None, to("third")),
            route(DEFAULT_SIGNAL, Some("t"), to("fourth")),
        ]);
        let choose = |signal| choose(&agent, &[], (&json!({}), &of_three), signal);
        assert_eq!(choose(Some("found")).to, to("second"));
        assert_eq!(choose(Some("found")).unclear.len(), 1);
        assert_eq!(choose(Some("lost")).to, to("fourth"));
        assert_eq!(agent.signals().collect::<Vec<_>>(), ["found"]);
    }

    proptest! {
        #[test]
        fn a_gate_holds_exactly_below_its_threshold(below in 0.0..=1.0, confidence in 0.0..=1.0) {
            let gated = choice((None, RouteTo::End), "s", true, Some(below));
            prop_assert_eq!(is_gated(&gated, sure(confidence)), confidence < below);
            prop_assert!(!is_gated(&gated, sure(below)));
            prop_assert!(!is_gated(&choice((None, RouteTo::End), "s", true, None), sure(confidence)));
        }
    }
}
