//! `provost sessions`.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, Result};
use clap::Subcommand;
use provost_domain::command::Ask;
use provost_domain::decide::preview_retry;
use provost_domain::event::Settlement;
use provost_domain::ids::{CallId, ToolName};
use provost_domain::port::SessionFilter;
use provost_domain::retry::RetryDecision;
use provost_domain::status::Status;
use provost_face::{Lookups, SessionView};
use serde_json::{Value, json};

use super::carry_on::carry_on;
use super::erase::erase;
use super::send::send;
use super::show::{report, show, tail};
use super::transfer;
use crate::args::{ActorArgs, AuthorArgs, One, ReachArgs, StoreArgs};
use crate::output::Output;
use crate::source::Source;
use crate::wiring::{self, PackSet};

#[derive(Debug, Subcommand)]
pub(crate) enum Sessions {
    /// Lists sessions, newest first.
    List {
        /// Only this status: `new`, `in_progress`, `awaiting_input`, `needs_review`, `error`, `stopped`, or an outcome of a pack.
        #[arg(long)]
        status: Option<String>,
        /// At most this many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=500))]
        limit: u32,
        #[command(flatten)]
        config: ReachArgs,
    },
    /// Shows where a session stands: its status, its reports and what it waits for.
    Show(One<ReachArgs>),
    /// Prints a session's events up to now.
    Tail {
        #[command(flatten)]
        one: One<ReachArgs>,
        /// Prints what comes, too, until the session ends.
        #[arg(long, short)]
        follow: bool,
    },
    /// Prints a session's report as Markdown: its case, what its agents reported and what happened.
    Report(One<ReachArgs>),
    /// Carries on what is owed, of one session or of all.
    Continue {
        /// Id or handle; all without one.
        session: Option<String>,
        #[command(flatten)]
        config: ActorArgs,
    },
    /// Stops a session for good.
    Stop {
        #[command(flatten)]
        one: One,
        /// Why.
        #[arg(long, default_value = "stopped by a person")]
        reason: String,
    },
    /// Tries again after an end that a person can leave.
    Retry {
        #[command(flatten)]
        one: One,
        /// Also where the policy says no.
        #[arg(long, conflicts_with = "preview")]
        force: bool,
        /// Only says what the policy would answer.
        #[arg(long)]
        preview: bool,
    },
    /// Says what an operator was asked for.
    Say {
        #[command(flatten)]
        one: One,
        /// The words.
        text: String,
    },
    /// Leaves a note for people in the log, also after the session's end. No agent is told.
    Annotate {
        #[command(flatten)]
        one: One,
        /// The note.
        text: String,
    },
    /// Says that you are at it: nobody is reminded of what the session needs now, until it needs something else.
    Acknowledge(One),
    /// Closes a session by a terminal tool of its pack, under one's own name.
    Claim {
        #[command(flatten)]
        one: One,
        /// The terminal tool, for example `mark_escalated`.
        tool: String,
        /// Its arguments, a JSON object; the pack's `terminal_tools` say which.
        #[arg(long)]
        args: String,
    },
    /// Erases what a session that has ended said, for good: its events, contents, commands, deliveries and messages. A
    /// tombstone stays, and the log still verifies. Nothing brings it back; backups and exports are yours to delete.
    Erase {
        #[command(flatten)]
        one: One,
        /// Why; it stays in the log for good.
        #[arg(long)]
        reason: String,
    },
    /// Writes a session into one file: its records as they are stored, with their hashes, and its large results.
    Export {
        #[command(flatten)]
        one: One<StoreArgs>,
        /// The new file.
        #[arg(long, value_name = "FILE")]
        to: PathBuf,
    },
    /// Reads a session from a file that `export` wrote, all of it or nothing. It never runs by itself: one that had not ended
    /// becomes `needs_review`. Needs the store to itself.
    Import {
        /// The file that `export` wrote.
        file: PathBuf,
        #[command(flatten)]
        config: StoreArgs,
        #[command(flatten)]
        author: AuthorArgs,
    },
    /// Settles a call of which nobody knows whether it happened.
    Settle {
        #[command(flatten)]
        one: One,
        /// The call, as `sessions show` names it.
        call: String,
        /// What is true.
        #[arg(value_enum)]
        what: Truth,
        /// What was seen, or why nobody will find out.
        #[arg(long)]
        note: String,
    },
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Truth {
    /// The call took effect.
    Happened,
    /// The call had no effect.
    DidNotHappen,
    /// Nobody can find out: the session goes on without knowing.
    GiveUp,
}

pub(super) async fn run(command: Sessions, output: Output) -> Result<ExitCode> {
    match command {
        Sessions::List { status, limit, config } => list(status, limit, &config, output).await,
        Sessions::Show(one) => show(&one, output).await,
        Sessions::Tail { one, follow } => tail(&one, follow, output).await,
        Sessions::Report(one) => report(&one, output).await,
        Sessions::Continue { session, config } => carry_on(session.as_deref(), &config, output).await,
        Sessions::Stop { one, reason } => send(&one.config, Some(&one.session), Ask::Stop { reason }, output).await,
        Sessions::Retry { one, preview: true, .. } => preview(&one, output).await,
        Sessions::Retry { one, force, preview: false } => {
            send(&one.config, Some(&one.session), Ask::Retry { force }, output).await
        }
        Sessions::Say { one, text } => send(&one.config, Some(&one.session), Ask::Speak { text }, output).await,
        Sessions::Annotate { one, text } => send(&one.config, Some(&one.session), Ask::Annotate { text }, output).await,
        Sessions::Acknowledge(one) => send(&one.config, Some(&one.session), Ask::Acknowledge, output).await,
        Sessions::Claim { one, tool, args } => {
            let args = serde_json::from_str(&args).context("--args must be a JSON object")?;
            let ask = Ask::Claim { tool: ToolName::new(tool), args };
            send(&one.config, Some(&one.session), ask, output).await
        }
        Sessions::Erase { one, reason } => erase(&one, &reason, output).await,
        Sessions::Export { one, to } => transfer::export(&one, &to, output).await,
        Sessions::Import { file, config, author } => transfer::import(&file, &config, &author, output).await,
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

fn row(view: &SessionView) -> Value {
    json!({
        "handle": view.handle, "session": view.session, "status": view.status, "pack": view.pack, "title": view.title,
        "erased": view.erased, "events": view.head_seq, "created": view.created_at, "progress": view.progress_at,
    })
}

async fn list(status: Option<String>, limit: u32, config: &ReachArgs, output: Output) -> Result<ExitCode> {
    let status = status.as_deref().map(Status::of_word);
    let filter = SessionFilter { status, limit, ..SessionFilter::default() };
    let rows: Vec<Value> = Source::of(config).await?.sessions(&filter).await?.iter().map(row).collect();
    output.table(&rows, &["handle", "status", "title", "events", "created"], "no sessions");
    Ok(ExitCode::SUCCESS)
}

async fn preview(one: &One, output: Output) -> Result<ExitCode> {
    let decision: RetryDecision = match Source::of(&one.config.reach).await? {
        Source::Daemon(remote) => remote.get(&["sessions", &one.session, "retry"]).await?,
        Source::Files { reads, caller } => {
            let (config, lookups) =
                (wiring::config(&one.config.reach.store)?, Lookups::new(Arc::clone(&reads.sessions)));
            let session = lookups.session(&caller, lookups.session_named(&caller, &one.session).await?).await?.session;
            let packs = PackSet::load(&config)?.with_pinned(&*reads.packs).await?;
            preview_retry(&session, packs.of(session.pack_digest(), session.pack()).map(|pack| &**pack))?
        }
    };
    let text = if decision.retry { "would be tried again" } else { "would not be tried again" };
    output.result(&json!(decision), &format!("{text}: {}", decision.reason));
    Ok(ExitCode::SUCCESS)
}
