//! `provost sessions`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use provost_domain::command::Ask;
use provost_domain::decide::preview_retry;
use provost_domain::event::Settlement;
use provost_domain::ids::{CallId, ToolName};
use provost_domain::port::{Reads, SessionFilter, SessionRow};
use provost_engine::tombstone;
use serde_json::{Value, json};

use super::carry_on::carry_on;
use super::erase::erase;
use super::{send, transfer};
use crate::args::{ConfigArgs, One, Sessions, Truth};
use crate::follow::{Follower, print, status};
use crate::output::Output;
use crate::packs::Configured;
use crate::wiring;

pub(super) async fn run(command: Sessions, output: Output) -> Result<ExitCode> {
    match command {
        Sessions::List { status, limit, config } => list(status, limit, &config, output).await,
        Sessions::Show(one) => show(&one, output).await,
        Sessions::Tail { one, follow } => tail(&one, follow, output).await,
        Sessions::Continue { session, config } => carry_on(session.as_deref(), &config, output).await,
        Sessions::Stop { one, reason } => send(&one.config, Some(&one.session), Ask::Stop { reason }, output).await,
        Sessions::Retry { one, preview: true, .. } => preview(&one, output).await,
        Sessions::Retry { one, force, preview: false } => {
            send(&one.config, Some(&one.session), Ask::Retry { force }, output).await
        }
        Sessions::Say { one, text } => send(&one.config, Some(&one.session), Ask::Speak { text }, output).await,
        Sessions::Claim { one, tool, args } => {
            let args = serde_json::from_str(&args).context("--args is no JSON object")?;
            let ask = Ask::Claim { tool: ToolName::new(tool), args };
            send(&one.config, Some(&one.session), ask, output).await
        }
        Sessions::Erase { one, reason } => erase(&one, &reason, output).await,
        Sessions::Export { one, to } => transfer::export(&one, &to, output).await,
        Sessions::Import { file, config } => transfer::import(&file, &config, output).await,
        Sessions::Settle { one, call, what, note } => {
            let settlement = match what {
                Truth::Happened => Settlement::Happened { note },
                Truth::DidNotHappen => Settlement::DidNotHappen { note },
                Truth::GiveUp => Settlement::GiveUp { note },
            };
            let ask = Ask::Settle { call: CallId::new(call), settlement };
            send(&one.config, Some(&one.session), ask, output).await
        }
    }
}

fn row(row: &SessionRow) -> Value {
    json!({
        "handle": row.handle, "session": row.id, "status": row.status, "pack": row.pack, "title": row.title, "erased": row.erased_at.is_some(),
        "events": row.head_seq, "created": row.created_at.to_string(), "progress": row.progress_at.to_string(),
    })
}

async fn list(status: Option<String>, limit: u32, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(config)?).await?;
    let filter = SessionFilter { status, limit, ..SessionFilter::default() };
    let rows: Vec<Value> = reads.sessions(&filter).await?.iter().map(row).collect();
    output.table(&rows, &["handle", "status", "title", "events", "created"], "no sessions");
    Ok(ExitCode::SUCCESS)
}

/// Shows what is left of an erased session; `None` for any other.
async fn buried(one: &One, output: Output) -> Result<Option<ExitCode>> {
    let reads = wiring::reads(&wiring::config(&one.config)?).await?;
    let id = wiring::session(&reads, &one.session).await?;
    let row = reads.session(id).await?;
    let Some(tombstone) = tombstone(&reads, id).await? else { return Ok(None) };
    let value = json!({
        "session": id, "handle": row.handle, "status": row.status, "pack": row.pack, "erased": tombstone.to_json(),
    });
    output.result(&value, &format!("{}  {}\n{tombstone}", row.handle, status(&row.status)));
    Ok(Some(ExitCode::SUCCESS))
}

/// The folded session, as it stands in the log.
async fn folded(one: &One) -> Result<(Follower, provost_domain::session::Session)> {
    let reads = wiring::reads(&wiring::config(&one.config)?).await?;
    let mut follower = Follower::new(wiring::session(&reads, &one.session).await?);
    follower.catch_up(&reads, |_, _| {}).await?;
    let session = follower.session().cloned();
    Ok((follower, session.ok_or_else(|| anyhow::anyhow!("the session has no events yet"))?))
}

async fn show(one: &One, output: Output) -> Result<ExitCode> {
    if let Some(shown) = buried(one, output).await? {
        return Ok(shown);
    }
    let (follower, session) = folded(one).await?;
    let mut value = super::summary(&follower);
    if let Some(object) = value.as_object_mut() {
        object.insert("fields".to_owned(), (**session.fields()).clone());
        object.insert("reports".to_owned(), session.case().get("reports").cloned().unwrap_or_default());
        object.insert("approvals_pending".to_owned(), json!(session.approvals().keys().collect::<Vec<_>>()));
        object.insert("outcomes_unknown".to_owned(), json!(session.unknown()));
        object.insert("usage".to_owned(), json!(session.usage()));
    }
    output.json(&value);
    output.line(&format!("{}  {}", session.handle(), status(session.status().as_str())));
    output.line(&format!("reason    {}", session.status_reason()));
    output.line(&format!("session   {}", session.id()));
    output.line(&format!("fields    {}", session.fields()));
    for (agent, report) in session.reports() {
        output.line(&format!("{agent:<9} {} ({:.2})", report.content, report.confidence));
    }
    for (id, pending) in session.approvals() {
        output.line(&format!("approval  {id}: {} {}", pending.asked.tool, pending.asked.args));
    }
    for (call, cause) in session.unknown() {
        output.line(&format!("unknown   call {call}: {cause}"));
    }
    if let Some(asked) = session.operator() {
        output.line(&format!("operator  is asked: {}", asked.summary));
    }
    Ok(ExitCode::SUCCESS)
}

/// How often a followed log is looked at: it may be another process's.
const LOOK_EVERY: Duration = Duration::from_millis(250);

async fn tail(one: &One, follow: bool, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(&one.config)?).await?;
    let mut follower = Follower::new(wiring::session(&reads, &one.session).await?);
    loop {
        follower.catch_up(&reads, |event, began| print(output, event, began)).await?;
        let ended = follower.session().is_some_and(|session| session.status().is_end());
        if ended || !follow {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn preview(one: &One, output: Output) -> Result<ExitCode> {
    let config = wiring::config(&one.config)?;
    let (_, session) = folded(one).await?;
    let packs = Configured::load(&config)?.with_pinned(&wiring::reads(&config).await?).await?;
    let decision = preview_retry(&session, packs.of(session.pack_digest(), session.pack()).map(|pack| &**pack))?;
    let text = if decision.retry { "would be tried again" } else { "would not be tried again" };
    output.result(&json!(decision), &format!("{text}: {}", decision.reason));
    Ok(ExitCode::SUCCESS)
}
