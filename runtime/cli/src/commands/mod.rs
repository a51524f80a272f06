//! The commands, one file per group.

mod approvals;
mod audit;
mod check;
mod login_key;
mod serve;
mod sessions;
mod tokens;

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::command::{Ask, Command as SessionCommand};
use provost_domain::ids::{CmdId, Principal, SessionId};
use provost_domain::status::Status;
use provost_engine::Case;
use serde_json::{Value, json};

use crate::args::{Command, ConfigArgs, RunArgs};
use crate::follow::{Follower, status};
use crate::output::Output;
use crate::wiring::{self, House};
use crate::{alert, demo, patient};

/// The session waits for a person.
const WAITS: u8 = 3;
/// It ended without an outcome.
const NO_OUTCOME: u8 = 4;

pub(crate) async fn run(command: Command, output: Output) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, output).await,
        Command::Run(args) => open(args, output).await,
        Command::Sessions(command) => sessions::run(command, output).await,
        Command::Approvals(command) => approvals::run(command, output).await,
        Command::Packs(command) => check::packs(&command, output),
        Command::Config(command) => check::config(&command, output),
        Command::Audit(command) => audit::run(command, output).await,
        Command::Serve(args) => serve::run(args, output).await,
        Command::Tokens(command) => tokens::run(command, output).await,
        Command::Patient(args) => patient::run(args).map(|()| ExitCode::SUCCESS),
    }
}

/// Opens a session from an alert and follows it to its next rest.
async fn open(args: RunArgs, output: Output) -> Result<ExitCode> {
    let intake = alert::read(&args.input)?;
    let house = House::open(&wiring::config(&args.config)?).await?;
    let case = Case {
        id: SessionId::new(uuid::Uuid::now_v7()),
        pack: args.pack,
        fields: intake.fields,
        title: intake.title,
        by: principal(&args.config),
        parent: None,
        start: true,
    };
    let opened = house.engine.open(case).await?;
    let code = follow(&house, opened.id, output).await;
    house.close().await;
    code
}

pub(crate) fn principal(args: &ConfigArgs) -> Principal {
    Principal::new(format!("user:{}", args.user))
}

/// Follows a session until it rests, prints where it rests, and says so in the exit code.
pub(crate) async fn follow(house: &House, id: SessionId, output: Output) -> Result<ExitCode> {
    let mut follower = Follower::new(id);
    follower.until_rest(&house.engine, output).await?;
    Ok(conclusion(&follower, output))
}

pub(crate) fn conclusion(follower: &Follower, output: Output) -> ExitCode {
    let Some(session) = follower.session() else { return ExitCode::FAILURE };
    output.result(
        &summary(follower),
        &format!("{} is {}: {}", session.handle(), status(session.status().as_str()), session.status_reason()),
    );
    match session.status() {
        Status::Outcome(_) => ExitCode::SUCCESS,
        Status::New | Status::InProgress | Status::AwaitingInput => ExitCode::from(WAITS),
        Status::Stopped | Status::NeedsReview | Status::Error => ExitCode::from(NO_OUTCOME),
    }
}

/// What a session came to, as one object.
pub(crate) fn summary(follower: &Follower) -> Value {
    let Some(session) = follower.session() else { return Value::Null };
    let lasted = session.updated_at().since(session.created_at()).as_millis();
    json!({
        "session": session.id(), "handle": session.handle(), "status": session.status().as_str(),
        "reason": session.status_reason(), "duration_ms": u64::try_from(lasted).unwrap_or(u64::MAX),
        "approvals": follower.approvals, "events": follower.events, "tool_calls": follower.tool_calls,
    })
}

/// Takes the store, sends one command, and carries the session on to its next rest.
pub(crate) async fn send(args: &ConfigArgs, session: &str, ask: Ask, output: Output) -> Result<ExitCode> {
    let house = House::open(&wiring::config(args)?).await?;
    let code = send_in(&house, args, session, ask, output).await;
    house.close().await;
    code
}

async fn send_in(house: &House, args: &ConfigArgs, session: &str, ask: Ask, output: Output) -> Result<ExitCode> {
    let id = wiring::session(&**house.engine.reads(), session).await?;
    let cmd_id = CmdId::new(uuid::Uuid::now_v7().to_string());
    let command = SessionCommand { by: principal(args), if_version: None, ask };
    let accepted = house.engine.command(id, &cmd_id, command).await?;
    output.line(&format!("accepted at version {}", accepted.version));
    let mut follower = Follower::new(id);
    follower.catch_up(&**house.engine.reads(), |_, _| {}).await?;
    follower.until_rest(&house.engine, output).await?;
    Ok(conclusion(&follower, output))
}
