//! What is known of a session beside its events: limits used, fields, reports, findings.

use provost_face::{
    DataPart, FieldCard, ReportCard, SessionDetail, VisibleText, data_parts, dollars, field_cards, number,
    report_cards, unknown_cost,
};
use serde_json::Value;

use provost_domain::ids::SessionId;
use provost_domain::model::Usage;
use provost_domain::pack::Pack;
use provost_domain::session::Session;

use super::pieces::{Piece, pieces};

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
    /// Who wrote it, where the case did not come with it.
    pub(crate) written: Option<WrittenBy>,
}

/// The agent that wrote a field, and what stood there before any agent wrote it.
#[derive(Debug)]
pub(crate) struct WrittenBy {
    pub(crate) agent: String,
    pub(crate) seq: u64,
    pub(crate) came_as: Option<String>,
}

impl WrittenBy {
    pub(crate) fn new(card: &FieldCard) -> Self {
        let FieldCard { name: _, agent, seq, now: _, came_as } = card;
        Self { agent: agent.to_string(), seq: *seq, came_as: came_as.as_ref().map(VisibleText::to_string) }
    }
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
    /// The typed report.
    pub(crate) parts: Vec<ShownPart>,
    /// Whether something was changed after it.
    pub(crate) stale: bool,
    pub(crate) seq: u64,
}

/// A part of a typed report or of a finding.
#[derive(Debug)]
pub(crate) enum ShownPart {
    Value { name: String, value: Vec<Piece> },
    Table { name: String, columns: Vec<String>, rows: Vec<Vec<Vec<Piece>>>, more: usize },
}

/// What a tool of findings recorded.
#[derive(Debug)]
pub(crate) struct ShownFinding {
    pub(crate) tool: String,
    pub(crate) parts: Vec<ShownPart>,
}

/// All of it.
#[derive(Debug)]
pub(crate) struct Facts {
    pub(crate) gauges: Vec<Gauge>,
    pub(crate) fields: Vec<NamedText>,
    pub(crate) reports: Vec<ShownReport>,
    pub(crate) findings: Vec<ShownFinding>,
}

impl Facts {
    pub(crate) fn new(session: &Session, detail: &SessionDetail, pack: Option<&Pack>) -> Self {
        let own = session.id();
        let fields = detail.fields.as_object().into_iter().flatten();
        let cards = field_cards(&detail.fields, &detail.field_authors);
        let field = |name: &str, value: &Value| {
            let written = cards.iter().find(|card| card.name == VisibleText::new(name)).map(WrittenBy::new);
            NamedText { written, ..named(own, name, &VisibleText::plain(value, TEXT_MAX)) }
        };
        let findings = detail.findings.iter().flat_map(|(tool, all)| all.iter().map(move |value| (tool, value)));
        let finding = |tool: &str, parts: &[DataPart]| ShownFinding {
            tool: VisibleText::new(tool).to_string(),
            parts: shown_parts(own, parts),
        };
        Self {
            gauges: gauges(session, pack),
            fields: fields.map(|(name, value)| field(name, value)).collect(),
            reports: report_cards(&detail.reports).iter().rev().map(|card| shown_report(own, card)).collect(),
            findings: findings.map(|(tool, value)| finding(tool, &data_parts(value))).collect(),
        }
    }
}

fn named(own: SessionId, name: &str, text: &VisibleText) -> NamedText {
    let long = text.as_str().contains('\n') || text.as_str().chars().count() > 60;
    NamedText { name: VisibleText::new(name).to_string(), text: pieces(own, text.as_str()), long, written: None }
}

fn shown_report(own: SessionId, card: &ReportCard) -> ShownReport {
    let shown = |text: &VisibleText| pieces(own, text.as_str());
    let evidence: Vec<&str> = card.evidence.iter().map(VisibleText::as_str).collect();
    ShownReport {
        agent: card.agent.to_string(),
        signal: card.signal.as_ref().map(VisibleText::to_string),
        confidence: format!("{:.2}", card.confidence),
        content: shown(&card.content),
        rationale: shown(&card.rationale),
        evidence: pieces(own, &evidence.join(" ")),
        parts: shown_parts(own, &card.parts),
        stale: card.stale,
        seq: card.seq,
    }
}

fn shown_parts(own: SessionId, parts: &[DataPart]) -> Vec<ShownPart> {
    let shown = |text: &VisibleText| pieces(own, text.as_str());
    let part = |part: &DataPart| match part {
        DataPart::Value { name, value } => ShownPart::Value { name: name.to_string(), value: shown(value) },
        DataPart::Table(table) => ShownPart::Table {
            name: table.name.to_string(),
            columns: table.columns.iter().map(VisibleText::to_string).collect(),
            rows: table.rows.iter().map(|row| row.iter().map(shown).collect()).collect(),
            more: table.more,
        },
    };
    parts.iter().map(part).collect()
}

fn gauge(label: &'static str, used: u64, bound: Option<u64>) -> Gauge {
    let percent = bound.filter(|bound| *bound > 0).map(|bound| (used.saturating_mul(100) / bound).min(100));
    Gauge { label, used: number(used), bound: bound.map(number), percent }
}

fn gauges(session: &Session, pack: Option<&Pack>) -> Vec<Gauge> {
    let limits = pack.map(|pack| pack.limits);
    let usage = session.usage();
    let mut gauges = vec![
        tokens(usage, limits.map(|limits| limits.session_tokens)),
        cost(usage.cost_micro_usd, session.priced_micro_usd(), limits.map(|limits| limits.session_cost_micro_usd)),
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

fn tokens(usage: Usage, bound: Option<u64>) -> Gauge {
    let gauge = gauge("tokens", usage.tokens(), bound);
    if usage.estimated { Gauge { used: format!("about {}", gauge.used), ..gauge } } else { gauge }
}

/// What is priced counts; the rest is unknown.
fn cost(used: Option<u64>, priced: u64, bound: Option<u64>) -> Gauge {
    let percent = used.zip(bound).map(|(used, bound)| gauge("", used, Some(bound)).percent.unwrap_or_default());
    Gauge {
        label: "cost",
        used: used.map_or_else(|| unknown_cost(priced), dollars),
        bound: bound.map(dollars),
        percent,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_cost_is_not_nothing() {
        assert_eq!(cost(None, 0, Some(2_000_000)).used, "unknown");
        assert_eq!(cost(None, 10_000, Some(2_000_000)).used, "$0.01, the rest unknown");
        assert_eq!(cost(Some(1_234_567), 1_234_567, Some(2_000_000)).used, "$1.23");
        assert_eq!(cost(Some(1_000_000), 1_000_000, Some(2_000_000)).percent, Some(50));
    }
}
