//! What is known of a session beside its events: limits used, fields, reports, findings.

use provost_face::{VisibleText, dollars, number};

use provost_domain::ids::SessionId;
use provost_domain::pack::Pack;
use provost_domain::session::{AgentReport, Session};
use serde_json::Value;

use super::pieces::{Piece, pieces};
use super::timeline::evidence;

/// Longest text shown of a field or finding, in characters; the events have all of it.
const TEXT_MAX: usize = 4_000;

/// A limit and what of it is used.
#[derive(Debug)]
pub(crate) struct Gauge {
    pub(crate) label: &'static str,
    pub(crate) used: String,
    /// `None` when the pack is not loaded.
    pub(crate) bound: Option<String>,
    /// Used of the bound, in percent.
    pub(crate) percent: Option<u64>,
}

/// A name and its text.
#[derive(Debug)]
pub(crate) struct NamedText {
    pub(crate) name: String,
    pub(crate) text: Vec<Piece>,
    /// Whether it takes room.
    pub(crate) long: bool,
}

/// An agent's last report.
#[derive(Debug)]
pub(crate) struct ShownReport {
    pub(crate) agent: String,
    pub(crate) signal: Option<String>,
    pub(crate) confidence: String,
    pub(crate) content: Vec<Piece>,
    pub(crate) rationale: Vec<Piece>,
    pub(crate) evidence: Vec<Piece>,
    pub(crate) seq: u64,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) fields: Vec<NamedText>,
    pub(crate) reports: Vec<ShownReport>,
    pub(crate) findings: Vec<NamedText>,
}

impl Facts {
    pub(crate) fn new(session: &Session, pack: Option<&Pack>) -> Self {
        let own = session.id();
        let fields = session.fields().as_object().into_iter().flatten();
        let mut reports: Vec<_> =
            session.reports().iter().map(|(agent, report)| report_view(own, agent.as_str(), report)).collect();
        reports.sort_by_key(|report| std::cmp::Reverse(report.seq));
        Self {
            gauges: gauges(session, pack),
            fields: fields.map(|(name, value)| named(own, name, &VisibleText::plain(value, TEXT_MAX))).collect(),
            reports,
            findings: session
                .findings()
                .iter()
                .map(|(tool, value)| named(own, tool.as_str(), &VisibleText::within(outline(value), TEXT_MAX)))
                .collect(),
        }
    }
}

fn named(own: SessionId, name: &str, text: &VisibleText) -> NamedText {
    let long = text.as_str().contains('\n') || text.as_str().chars().count() > 60;
    NamedText { name: name.to_owned(), text: pieces(own, text.as_str()), long }
}

fn report_view(own: SessionId, agent: &str, report: &AgentReport) -> ShownReport {
    let shown = |text: &str| pieces(own, VisibleText::within(text, TEXT_MAX).as_str());
    ShownReport {
        agent: agent.to_owned(),
        signal: report.signal.clone(),
        confidence: format!("{:.2}", report.confidence),
        content: shown(&report.content),
        rationale: shown(&report.rationale),
        evidence: evidence(own, &report.evidence),
        seq: report.seq.0,
    }
}

fn gauge(label: &'static str, used: u64, bound: Option<u64>) -> Gauge {
    let percent = bound.filter(|bound| *bound > 0).map(|bound| (used.saturating_mul(100) / bound).min(100));
    Gauge { label, used: number(used), bound: bound.map(number), percent }
}

fn gauges(session: &Session, pack: Option<&Pack>) -> Vec<Gauge> {
    let limits = pack.map(|pack| pack.limits);
    let usage = session.usage();
    let mut gauges = vec![
        gauge("tokens", usage.tokens(), limits.map(|limits| limits.session_tokens)),
        cost(usage.cost_micro_usd, limits.map(|limits| limits.session_cost_micro_usd)),
        gauge(
            "assignments",
            session.last_assignment().0,
            limits.map(|limits| u64::from(limits.assignments_per_session)),
        ),
        gauge("retries", u64::from(session.retries()), pack.map(|pack| u64::from(pack.retry.max))),
    ];
    if let Some(work) = session.newest_work() {
        let model_calls = limits.map(|limits| u64::from(limits.model_calls_per_turn));
        let tool_calls = limits.map(|limits| u64::from(limits.tool_calls_per_turn));
        let round = work.turn().map_or(0, |turn| turn.round);
        gauges.push(gauge("model calls, this turn", u64::from(round), model_calls));
        gauges.push(gauge("tool calls, this turn", u64::from(work.tool_calls), tool_calls));
    }
    gauges
}

fn cost(used: Option<u64>, bound: Option<u64>) -> Gauge {
    let percent = used.zip(bound).map(|(used, bound)| gauge("", used, Some(bound)).percent.unwrap_or_default());
    Gauge {
        label: "cost",
        used: used.map_or_else(|| "unknown".to_owned(), dollars),
        bound: bound.map(dollars),
        percent,
    }
}

/// A value as an indented list, for reading.
fn outline(value: &Value) -> String {
    let mut lines = Vec::new();
    write_outline(value, 0, &mut lines);
    lines.join("\n")
}

/// How deep an outline goes; what lies deeper is shown as JSON.
const DEPTH_MAX: usize = 6;

fn write_outline(value: &Value, depth: usize, lines: &mut Vec<String>) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(fields) if depth < DEPTH_MAX => {
            for (name, value) in fields {
                write_entry(format!("{indent}{name}:"), value, depth, lines);
            }
        }
        Value::Array(items) if depth < DEPTH_MAX => {
            for (number, item) in (1..).zip(items) {
                write_entry(format!("{indent}{number}."), item, depth, lines);
            }
        }
        other => lines.push(format!("{indent}{}", VisibleText::plain(other, TEXT_MAX))),
    }
}

fn write_entry(head: String, value: &Value, depth: usize, lines: &mut Vec<String>) {
    if value.is_object() || value.is_array() {
        lines.push(head);
        write_outline(value, depth + 1, lines);
    } else {
        lines.push(format!("{head} {}", VisibleText::plain(value, TEXT_MAX)));
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_finding_reads_as_a_list() {
        let value = json!({"confidence": 0.85, "hypotheses": [{"cause": "bad release"}, {"cause": "slow"}]});
        let expect = "confidence: 0.85\nhypotheses:\n  1.\n    cause: bad release\n  2.\n    cause: slow";
        assert_eq!(outline(&value), expect);
    }

    #[test]
    fn an_unknown_cost_is_not_nothing() {
        assert_eq!(cost(None, Some(2_000_000)).used, "unknown");
        assert_eq!(cost(Some(1_234_567), Some(2_000_000)).used, "$1.23");
        assert_eq!(cost(Some(1_000_000), Some(2_000_000)).percent, Some(50));
    }
}
