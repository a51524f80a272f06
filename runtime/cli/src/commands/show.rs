//! `provost sessions show`, `tail` and `report`: one session for people and programs. It is read from its last snapshot, and
//! its log page by page.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::Seq;
use provost_engine::{LogReader, Tail};
use provost_face::{
    ApprovalView, DataPart, FieldCard, SessionDetail, TEXT_MAX, VisibleText, data_parts, field_cards, markdown,
    report_cards, shortened,
};
use serde_json::json;

use crate::args::{One, ReachArgs};
use crate::follow::{EventTeller, print};
use crate::output::{DIM, Output, status};
use crate::source::Source;

/// How often a followed log is looked at: it may be another process's.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// Before the further lines of a text.
const INDENT: &str = "            ";

/// Prints where a session stands.
pub(super) async fn show(one: &One<ReachArgs>, output: Output) -> Result<ExitCode> {
    let source = Source::of(&one.config).await?;
    if let Some((row, tombstone)) = source.tombstone(&one.session).await? {
        let value = json!({
            "session": row.session, "handle": row.handle, "status": row.status, "pack": row.pack,
            "erased": tombstone.to_json(),
        });
        let text = VisibleText::new(tombstone.to_string());
        output.result(&value, &format!("{}  {}\n{text}", VisibleText::new(&row.handle), status(&row.status, None)));
        return Ok(ExitCode::SUCCESS);
    }
    let detail = source.session(&one.session).await?;
    if output.is_json() {
        output.json(&serde_json::to_value(&detail)?);
        return Ok(ExitCode::SUCCESS);
    }
    let approvals = match detail.approvals_pending.as_slice() {
        [] => Vec::new(),
        _ => source.approvals(Some(detail.session.session.parse()?), false).await?,
    };
    say(&detail, &approvals, output)?;
    Ok(ExitCode::SUCCESS)
}

/// Ends with what waits for people, so that it is what stands above the prompt.
fn say(detail: &SessionDetail, approvals: &[ApprovalView], output: Output) -> Result<()> {
    let SessionDetail { session, reason, requester, fields, .. } = detail;
    output.line(&format!("{}  {}", one(&session.handle), status(&session.status, None)));
    output.line(&format!("reason    {}", one(reason)));
    output.line(&format!("session   {}", one(&session.session)));
    output.line(&format!("opened    {} by {}", session.created_at, one(requester)));
    output.line(&format!("fields    {}", VisibleText::json_line(fields, TEXT_MAX)));
    for FieldCard { name, agent, seq, now: _, came_as } in field_cards(fields, &detail.field_authors) {
        let came_as = came_as.map_or_else(|| "without it".to_owned(), |text| format!("with: {}", text.line(TEXT_MAX)));
        output.line(&format!("written   {name} by {agent} (event {seq}); the case came {came_as}"));
    }
    say_reports(detail, output)?;
    for note in detail.origin.notes() {
        output.line(&format!("origin    {}", note.line(TEXT_MAX)));
    }
    for link in &detail.origin.links {
        output.line(&format!("link      {}", VisibleText::new(link).line(TEXT_MAX)));
    }
    for act in &detail.acts_on {
        output.line(&format!("acts      {}", act.words().line(TEXT_MAX)));
    }
    for wait in &detail.waiting_for {
        output.line(&format!("waits     {}", wait.words().line(TEXT_MAX)));
    }
    for approval in approvals {
        let (tool, args) = (one(&approval.tool), VisibleText::json_line(&approval.args, TEXT_MAX));
        output.line(&format!("approval  {}: {tool} {args}", one(&approval.approval)));
    }
    for (call, cause) in &detail.outcomes_unknown {
        output.line(&format!("unknown   call {}: {}", one(call), one(cause)));
    }
    if let Some(asked) = &detail.operator_asked {
        output.line(&format!("operator  is asked: {}", under(asked)));
    }
    Ok(())
}

/// A text on one line.
fn one(text: impl AsRef<str>) -> VisibleText {
    VisibleText::new(text).line(TEXT_MAX)
}

/// A text whose further lines stand under its first.
fn under(text: impl AsRef<str>) -> String {
    VisibleText::new(text).hanging(INDENT)
}

/// What the agents reported and recorded.
fn say_reports(detail: &SessionDetail, output: Output) -> Result<()> {
    let own = detail.session.session.parse()?;
    let short = |text: &VisibleText| shortened(own, text);
    let say_parts = |parts: &[DataPart]| {
        for part in parts {
            match part {
                DataPart::Value { name, value } => {
                    let value = short(value).hanging(INDENT);
                    output.line(&format!("  {DIM}{name}{DIM:#}  {value}"));
                }
                DataPart::Table(table) => {
                    let rows = table.rows.iter().map(|row| row.iter().map(short).collect()).collect();
                    output.line(&format!("  {DIM}{}{DIM:#}", table.name));
                    output.columns(&table.columns, rows);
                    if table.more > 0 {
                        output.line(&format!("  {} more are in the log", table.more));
                    }
                }
            }
        }
    };
    for card in report_cards(&detail.reports) {
        let signal =
            card.signal.as_ref().map(|signal| format!(", signal {}", signal.line(TEXT_MAX))).unwrap_or_default();
        let stale = if card.stale { ", before the last change" } else { "" };
        output.line(&format!(
            "{:<9} {} ({:.2}{signal}{stale})",
            card.agent,
            short(&card.content).hanging(INDENT),
            card.confidence
        ));
        say_parts(&card.parts);
    }
    for (tool, finding) in detail.findings.iter().flat_map(|(tool, all)| all.iter().map(move |finding| (tool, finding)))
    {
        output.line(&format!("finding   {}", one(tool)));
        say_parts(&data_parts(finding));
    }
    Ok(())
}

/// Prints a session's events, and those that come, until it ends.
pub(super) async fn tail(one: &One<ReachArgs>, follow: bool, output: Output) -> Result<ExitCode> {
    let source = Source::of(&one.config).await?;
    let mut tail = Tail::new(source.session_id(&one.session).await?, Seq(0));
    let (mut told, mut ended) = (EventTeller::default(), false);
    loop {
        let events = source.events(&mut tail).await?;
        for event in &events {
            print(output, &told.step(event));
            ended = ends(event).unwrap_or(ended);
        }
        if !events.is_empty() {
            continue;
        }
        if ended || !follow {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Whether a session is at an end after an event; `None` where the event does not say.
fn ends(event: &Event) -> Option<bool> {
    if let EventBody::StatusChanged(changed) = &event.body { Some(changed.to_status().is_end()) } else { None }
}

/// Prints a session's report as Markdown, or as the API gives it.
pub(super) async fn report(one: &One<ReachArgs>, output: Output) -> Result<ExitCode> {
    let source = Source::of(&one.config).await?;
    if output.is_json() {
        output.json(&serde_json::to_value(source.session(&one.session).await?)?);
        return Ok(ExitCode::SUCCESS);
    }
    let id = source.session_id(&one.session).await?;
    let (mut tail, mut events) = (Tail::new(id, Seq(0)), Vec::new());
    loop {
        let next = source.events(&mut tail).await?;
        if next.is_empty() {
            break;
        }
        events.extend(next);
    }
    let session = LogReader::folded(&events)?.context("the session has no events yet")?;
    output.line(markdown(&session, &events)?.trim_end());
    Ok(ExitCode::SUCCESS)
}
