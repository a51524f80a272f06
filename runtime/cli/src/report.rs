//! The report: Markdown rendered from the log.

use std::fmt::Write as _;

use provost_domain::event::Event;
use provost_domain::session::Session;

use crate::follow::describe;

/// Renders a session and its timeline. Editing the rendering changes nothing: the log is the record.
pub(crate) fn markdown(session: &Session, events: &[Event]) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    writeln!(text, "# {} — {}\n", session.handle(), session.status())?;
    writeln!(text, "{}\n", session.status_reason())?;
    writeln!(text, "| | |\n|---|---|")?;
    writeln!(text, "| session | `{}` |", session.id())?;
    writeln!(text, "| pack | {} (`{}`) |", session.pack(), session.pack_digest())?;
    writeln!(text, "| opened | {} by {} |", session.created_at(), session.requester())?;
    writeln!(text, "| last event | {} |", session.updated_at())?;
    let cost = session
        .usage()
        .cost_micro_usd
        .map_or_else(|| "unknown".to_owned(), |micro| format!("${:.4}", micro_usd(micro)));
    writeln!(text, "| model use | {} tokens, {cost} |\n", session.usage().tokens())?;
    writeln!(text, "## Case\n\n```json\n{:#}\n```\n", session.fields())?;
    for (agent, report) in session.reports() {
        writeln!(text, "## {agent}\n\n{}\n", report.content)?;
        writeln!(text, "Confidence {:.2}: {}\n", report.confidence, report.rationale)?;
    }
    writeln!(text, "## Timeline\n\n```text")?;
    for event in events {
        if let Some(line) = describe(&event.body) {
            writeln!(text, "{:>4}  {}", event.seq, anstream::adapter::strip_str(&line))?;
        }
    }
    writeln!(text, "```")?;
    Ok(text)
}

#[expect(clippy::cast_precision_loss, reason = "shown with four digits")]
fn micro_usd(micro: u64) -> f64 {
    micro as f64 / 1_000_000.0
}
