//! How far a case has come: the pack's agents in the order in which its routes reach them, each with where it stands.

use std::collections::BTreeSet;

use provost_domain::ids::AgentName;
use provost_domain::pack::{Pack, RouteTo};
use provost_domain::session::Session;
use provost_face::{ApprovalCard, VisibleText};

/// Most agents shown.
const AGENTS_MAX: usize = 12;

/// One agent on the way of a case.
#[derive(Debug)]
pub(crate) struct FlowStep {
    pub(crate) agent: VisibleText,
    /// How it looks: `waits`, `works`, `done` or `ahead`.
    pub(crate) class: &'static str,
    pub(crate) glyph: &'static str,
    /// Where it stands, in words.
    pub(crate) words: String,
    /// The event with its last report.
    pub(crate) report: Option<u64>,
}

/// The agents of a session's pack. The ones whose calls wait for an answer are named by the approvals.
pub(crate) fn flow(session: &Session, pack: &Pack, approvals: &[ApprovalCard]) -> Vec<FlowStep> {
    let asking: BTreeSet<&str> =
        approvals.iter().filter_map(|card| card.agent.as_ref()).map(VisibleText::as_str).collect();
    let step = |agent: &AgentName| {
        let name = VisibleText::new(agent.as_str());
        let report = session.reports().get(agent);
        let questions = session.operator().is_some_and(|asked| asked.from == *agent);
        let (class, glyph, words) = if questions || asking.contains(name.as_str()) {
            ("waits", "●", "waits for you".to_owned())
        } else if session.works().values().any(|work| work.agent == *agent) {
            ("works", "▸", "at work".to_owned())
        } else if let Some(report) = report {
            ("done", "✓", format!("confidence {}", report.confidence))
        } else if session.status().is_end() {
            ("ahead", "·", "was not needed".to_owned())
        } else {
            ("ahead", "·", "not yet".to_owned())
        };
        FlowStep { agent: name, class, glyph, words, report: report.map(|report| report.seq.0) }
    };
    order(pack).into_iter().take(AGENTS_MAX).map(step).collect()
}

/// The agents as routes reach them from the first one; those that only a dispatch rule reaches come last.
fn order(pack: &Pack) -> Vec<&AgentName> {
    let mut found = vec![&pack.entry];
    let mut next = 0;
    while let Some(spec) = found.get(next).and_then(|agent| pack.agents.get(*agent)) {
        for route in &spec.routes {
            match &route.to {
                RouteTo::Agent(agent) if !found.contains(&agent) => found.push(agent),
                RouteTo::Agent(_) | RouteTo::End | RouteTo::Operator => {}
            }
        }
        next += 1;
    }
    let missing: Vec<&AgentName> = pack.agents.keys().filter(|agent| !found.contains(agent)).collect();
    found.extend(missing);
    found
}
