//! The report of a session for people: Markdown, rendered from the log.

use std::fmt::{self, Write as _};

use provost_domain::event::Event;
use provost_domain::ids::SessionId;
use provost_domain::session::Session;

use super::card::{ReportCard, report_cards};
use super::cite::shortened;
use super::field::{FieldCard, field_cards};
use super::part::{DataPart, DataTable, data_parts};
use crate::narrate::{CallNames, Level, StatusView, dollars, narrate, number, unknown_cost};
use crate::view::{agent_reports, field_authors};
use crate::visible::{TEXT_MAX, VisibleText, fenced};

/// A session and its timeline as a Markdown document. What came from outside is shown in it and never followed as markup.
/// Editing the document changes nothing: the log is the record.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn markdown(session: &Session, events: &[Event]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    head(&mut text, session)?;
    let own = session.id();
    for card in report_cards(&agent_reports(session)) {
        agent_report(&mut text, own, &card)?;
    }
    let findings = session.findings().iter().flat_map(|(tool, all)| all.iter().map(move |finding| (tool, finding)));
    for (tool, finding) in findings {
        writeln!(text, "## Finding by {}\n", VisibleText::new(tool.as_str()).markdown())?;
        data(&mut text, own, &data_parts(finding))?;
    }
    writeln!(text, "## Timeline\n")?;
    timeline(&mut text, events)?;
    Ok(text)
}

fn head(text: &mut String, session: &Session) -> fmt::Result {
    let status = StatusView::new(session.status().as_str(), None);
    let line = |text: String| VisibleText::new(text).line(TEXT_MAX);
    let handle = line(session.handle().to_string());
    writeln!(text, "# {}: {}\n", handle.markdown(), VisibleText::new(&status.text).markdown())?;
    writeln!(text, "{}\n", VisibleText::new(session.status_reason()).markdown())?;
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| session | `{}` |", session.id())?;
    let pack = line(session.pack().to_string());
    writeln!(text, "| pack | {} (`{}`) |", pack.markdown(), session.pack_digest())?;
    let requester = line(session.requester().to_string());
    writeln!(text, "| opened | {} by {} |", session.created_at(), requester.markdown())?;
    writeln!(text, "| last event | {} |", session.updated_at())?;
    let usage = session.usage();
    let cost =
        usage.cost_micro_usd.map_or_else(|| format!("cost {}", unknown_cost(session.priced_micro_usd())), dollars);
    let about = if usage.estimated { "about " } else { "" };
    writeln!(text, "| model use | {about}{} tokens, {cost} |\n", number(usage.tokens()))?;
    writeln!(text, "## Case\n\n{}\n", fenced("json", &VisibleText::json(session.fields(), TEXT_MAX)))?;
    authors(text, session)
}

/// What of the case is not as it came.
fn authors(text: &mut String, session: &Session) -> fmt::Result {
    let cards = field_cards(session.fields(), &field_authors(session));
    if cards.is_empty() {
        return Ok(());
    }
    writeln!(text, "Written by agents, not as the case came:\n\n| field | agent | as the case came |\n|---|---|---|")?;
    let cell = |text: &VisibleText| text.line(TEXT_MAX).markdown().to_string();
    for FieldCard { name, agent, seq, now: _, came_as } in &cards {
        let came_as = came_as.as_ref().map_or_else(|| "absent".to_owned(), cell);
        writeln!(text, "| {} | {} (event {seq}) | {came_as} |", cell(name), cell(agent))?;
    }
    writeln!(text)
}

fn agent_report(text: &mut String, own: SessionId, card: &ReportCard) -> fmt::Result {
    let short = |text: &VisibleText| shortened(own, text);
    writeln!(text, "## {}\n", card.agent.line(TEXT_MAX).markdown())?;
    writeln!(text, "{}\n", short(&card.content).markdown())?;
    let signal =
        card.signal.as_ref().map(|signal| format!(", signal {}", signal.line(TEXT_MAX).markdown())).unwrap_or_default();
    writeln!(text, "Confidence {:.2}{signal}: {}\n", card.confidence, short(&card.rationale).markdown())?;
    data(text, own, &card.parts)?;
    if !card.evidence.is_empty() {
        let ids: Vec<String> = card.evidence.iter().map(|id| short(id).markdown().to_string()).collect();
        writeln!(text, "Evidence: {}\n", ids.join(", "))?;
    }
    Ok(())
}

/// Values as a list, and each table.
fn data(text: &mut String, own: SessionId, parts: &[DataPart]) -> fmt::Result {
    let mut listed = false;
    for part in parts {
        match part {
            DataPart::Value { name, value } => {
                let value = shortened(own, value);
                let (name, lines) = (name.markdown(), value.as_str().lines().count());
                if lines > 1 {
                    writeln!(text, "- {name}:\n\n{}\n", indented(&fenced("text", &value)))?;
                } else {
                    writeln!(text, "- {name}: {}", value.markdown())?;
                }
                listed = true;
            }
            DataPart::Table(table) => {
                if std::mem::take(&mut listed) {
                    writeln!(text)?;
                }
                rows(text, own, table)?;
            }
        }
    }
    if listed { writeln!(text) } else { Ok(()) }
}

/// Belongs to the item of a list before it.
fn indented(block: &str) -> String {
    block.lines().map(|line| format!("  {line}")).collect::<Vec<_>>().join("\n")
}

fn rows(text: &mut String, own: SessionId, table: &DataTable) -> fmt::Result {
    let cell = |text: &VisibleText| shortened(own, text).line(TEXT_MAX).markdown().to_string();
    let row = |cells: &[VisibleText]| format!("| {} |", cells.iter().map(cell).collect::<Vec<_>>().join(" | "));
    writeln!(text, "{}:\n", table.name.markdown())?;
    writeln!(text, "{}\n|{}", row(&table.columns), "---|".repeat(table.columns.len()))?;
    for cells in &table.rows {
        writeln!(text, "{}", row(cells))?;
    }
    if table.more > 0 {
        writeln!(text, "\n{} more are in the log.", table.more)?;
    }
    writeln!(text)
}

/// One item per event, without bookkeeping.
fn timeline(text: &mut String, events: &[Event]) -> fmt::Result {
    let mut names = CallNames::default();
    for event in events {
        names.learn(&event.body);
        let narration = narrate(&event.body, &names);
        if narration.level == Level::Minor {
            continue;
        }
        let detail = narration.key_detail().map(|detail| format!(" · {detail}")).unwrap_or_default();
        let line = VisibleText::new(format!("{}{detail}", narration.sentence())).line(TEXT_MAX);
        writeln!(text, "- `{}` {} {}", event.seq, narration.glyph, line.markdown())?;
    }
    Ok(())
}
