//! An agent's last report, the same in every face.

use std::collections::BTreeMap;

use provost_domain::confidence::Confidence;

use super::part::{DataPart, data_parts};
use crate::view::AgentReportView;
use crate::visible::VisibleText;

/// An agent's last report.
#[derive(Debug, Clone)]
pub struct ReportCard {
    /// Whose it is.
    pub agent: VisibleText,
    /// Where it stands in the log.
    pub seq: u64,
    /// What it asks to happen next.
    pub signal: Option<VisibleText>,
    /// How sure the agent is.
    pub confidence: Confidence,
    /// What it says.
    pub content: VisibleText,
    /// Why.
    pub rationale: VisibleText,
    /// The ids of the tool results it stands on.
    pub evidence: Vec<VisibleText>,
    /// The typed report of the agent's role; empty where it gave none.
    pub parts: Vec<DataPart>,
    /// Whether something was changed after it.
    pub stale: bool,
}

/// The last report of each agent, in the log's order.
pub fn report_cards(reports: &BTreeMap<String, AgentReportView>) -> Vec<ReportCard> {
    let mut cards: Vec<ReportCard> = reports
        .iter()
        .map(|(agent, report)| ReportCard {
            agent: VisibleText::new(agent),
            seq: report.seq,
            signal: report.signal.as_ref().map(VisibleText::new),
            confidence: report.confidence,
            content: VisibleText::new(&report.content),
            rationale: VisibleText::new(&report.rationale),
            evidence: report.evidence.iter().map(VisibleText::new).collect(),
            parts: report.report.as_ref().map(data_parts).unwrap_or_default(),
            stale: !report.since_change,
        })
        .collect();
    cards.sort_by_key(|card| card.seq);
    cards
}
