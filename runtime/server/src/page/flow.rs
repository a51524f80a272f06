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

/// The agents from the first one along their usual routes: the last route of an agent is the one without a condition. Those
/// that only a dispatch rule reaches come at the end.
fn order(pack: &Pack) -> Vec<&AgentName> {
    let mut walk = RouteWalk { pack, seen: BTreeSet::new(), left: Vec::new() };
    walk.enter(&pack.entry);
    let mut found: Vec<&AgentName> = walk.left.into_iter().rev().collect();
    let missing: Vec<&AgentName> = pack.agents.keys().filter(|agent| !found.contains(agent)).collect();
    found.extend(missing);
    found
}

/// A walk along all routes, which leaves an agent once it has left all those behind it.
struct RouteWalk<'a> {
    pack: &'a Pack,
    seen: BTreeSet<&'a AgentName>,
    left: Vec<&'a AgentName>,
}

impl<'a> RouteWalk<'a> {
    fn enter(&mut self, agent: &'a AgentName) {
        if !self.seen.insert(agent) {
            return;
        }
        for route in self.pack.agents.get(agent).iter().flat_map(|spec| spec.routes.iter().rev()) {
            match &route.to {
                RouteTo::Agent(next) => self.enter(next),
                RouteTo::End | RouteTo::Operator => {}
            }
        }
        self.left.push(agent);
    }
}
