//! The report of a session for people: Markdown, rendered from the log.

use std::fmt::{self, Write as _};

use provost_domain::event::Event;
use provost_domain::session::{AgentReport, Session};

use crate::narrate::{CallNames, Level, StatusView, dollars, narrate, number};
use crate::visible::{TEXT_MAX, VisibleText, fenced};

/// A session and its timeline as a Markdown document. What came from outside is shown in it and never followed as markup.
/// Editing the document changes nothing: the log is the record.
///
/// # Errors
/// Never in practice: writing to a string does not fail.
pub fn markdown(session: &Session, events: &[Event]) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let status = StatusView::new(session.status().as_str(), None);
    writeln!(text, "# {}: {}\n", session.handle(), VisibleText::new(&status.text).markdown())?;
    writeln!(text, "{}\n", VisibleText::new(session.status_reason()).markdown())?;
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| session | `{}` |", session.id())?;
    writeln!(text, "| pack | {} (`{}`) |", session.pack(), session.pack_digest())?;
    let requester = VisibleText::new(session.requester().to_string());
    writeln!(text, "| opened | {} by {} |", session.created_at(), requester.markdown())?;
    writeln!(text, "| last event | {} |", session.updated_at())?;
    let cost = session.usage().cost_micro_usd.map_or_else(|| "cost unknown".to_owned(), dollars);
    writeln!(text, "| model use | {} tokens, {cost} |\n", number(session.usage().tokens()))?;
    writeln!(text, "## Case\n\n{}\n", fenced("json", &VisibleText::json(session.fields(), TEXT_MAX)))?;
    for (agent, report) in session.reports() {
        writeln!(text, "## {}\n", VisibleText::new(agent.as_str()).markdown())?;
        agent_report(&mut text, report)?;
    }
    writeln!(text, "## Timeline\n")?;
    timeline(&mut text, events)?;
    Ok(text)
}

fn agent_report(text: &mut String, report: &AgentReport) -> fmt::Result {
    writeln!(text, "{}\n", VisibleText::new(&report.content).markdown())?;
    let rationale = VisibleText::new(&report.rationale);
    writeln!(text, "Confidence {:.2}: {}\n", report.confidence, rationale.markdown())
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
