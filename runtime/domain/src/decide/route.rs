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
use crate::pack::{AgentSpec, Pack, RouteTo};
use crate::route::{self, RouteChoice};
use crate::session::{AgentReport, Session};
use crate::terminal::FrameworkStatus;
use crate::time::Timestamp;

/// How much of a report an operator is shown.
const SUMMARY_MAX: usize = 2_000;

/// Where an agent's report leads, by its pack.
pub fn route_choice(
    (pack, agent): (&Pack, &AgentSpec),
    session: &Session,
    report: &AgentReport,
    now: Timestamp,
) -> RouteChoice {
    let (signal, from) = (report.signal.as_deref(), &agent.name);
    let facts = json!({
        "signal": signal, "agent": from, "confidence": report.confidence,
        "fields": session.fields(), "retries": session.retries(),
    });
    let names = CaseNames::new(session, now)
        .with("signal", json!(signal))
        .with("agent", json!(from))
        .with("confidence", json!(report.confidence));
    let names = match names.report_of(from) {
        Some(report) => names.with("report", report),
        None => names,
    };
    route::choose(agent, &pack.dispatch, (&facts, &|expression: &Expression| names.judge(expression)), signal)
}

/// Chooses the route, and pauses for an operator where its gate asks for more confidence than the report has.
pub(super) fn decide(draft: &mut Draft<'_>, from: &AgentName) {
    let pack = draft.facts.pack;
    let (Some(agent), Some(report)) = (pack.agents.get(from), draft.session.reports().get(from)) else {
        let reason = format!("the pack has no agent `{from}`");
        draft.set_status(FrameworkStatus::NeedsReview, reason, &runtime());
        return;
    };
    let confidence = report.confidence;
    let summary = report.content.chars().take(SUMMARY_MAX).collect();
    let choice = route_choice((pack, agent), &draft.session, report, draft.now);
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
