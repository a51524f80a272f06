//! Where a report leads.

use provost_expr::Expression;
use serde_json::json;

use super::assign;
use super::draft::{Draft, runtime};
use crate::confidence::Confidence;
use crate::event::{GateFired, OperatorAsked, RouteDecided};
use crate::gate::{GateAction, GateReason};
use crate::ids::AgentName;
use crate::names::CaseNames;
use crate::pack::RouteTo;
use crate::route;
use crate::terminal::FrameworkStatus;

/// How much of a report an operator is shown.
const SUMMARY_MAX: usize = 2_000;

/// Chooses the route, and pauses for an operator where its gate asks for more confidence than the report has.
pub(super) fn decide(draft: &mut Draft<'_>, from: &AgentName) {
    let pack = draft.facts.pack;
    let (Some(agent), Some(report)) = (pack.agents.get(from), draft.session.reports().get(from)) else {
        let reason = format!("the pack has no agent `{from}`");
        draft.set_status(FrameworkStatus::NeedsReview, reason, &runtime());
        return;
    };
    let (confidence, signal) = (report.confidence, report.signal.clone());
    let summary = report.content.chars().take(SUMMARY_MAX).collect();
    let facts = json!({
        "signal": signal, "agent": from, "confidence": confidence,
        "fields": draft.session.fields(), "retries": draft.session.retries(),
    });
    let choice = {
        let names = CaseNames::new(&draft.session, draft.now)
            .with("signal", json!(signal))
            .with("agent", json!(from))
            .with("confidence", json!(confidence));
        let names = match names.report_of(from) {
            Some(report) => names.with("report", report),
            None => names,
        };
        route::choose(
            agent,
            &pack.dispatch,
            (&facts, &|expression: &Expression| names.judge(expression)),
            signal.as_deref(),
        )
    };
    draft.push(RouteDecided {
        from: from.clone(),
        signal: choice.signal.clone(),
        matched: choice.matched,
        to: choice.to.clone(),
        unclear: choice.unclear.clone(),
    });
    if !route::is_gated(&choice, confidence) {
        return;
    }
    draft.push(GateFired { call: None, action: GateAction::Approve, reason: GateReason::LowConfidence });
    draft.push(OperatorAsked {
        from: from.clone(),
        target: choice.to,
        confidence,
        threshold: choice.gate_below,
        summary,
    });
}

/// Goes where a route leads.
pub(super) fn follow(draft: &mut Draft<'_>, from: &AgentName, to: &RouteTo) {
    match to {
        RouteTo::Agent(agent) => assign::assign(draft, agent),
        RouteTo::End => {
            let reason = format!("`{from}` ended the run without a terminal claim");
            draft.set_status(FrameworkStatus::NeedsReview, reason, &runtime());
        }
        RouteTo::Operator => {
            let report = draft.session.reports().get(from);
            let summary = report.map(|r| r.content.chars().take(SUMMARY_MAX).collect()).unwrap_or_default();
            let confidence = report.map_or(Confidence::ZERO, |r| r.confidence);
            let target = RouteTo::Agent(from.clone());
            draft.push(OperatorAsked { from: from.clone(), target, confidence, threshold: None, summary });
        }
    }
}
