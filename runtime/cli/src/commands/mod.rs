//! The commands, one file per group.

mod approvals;
mod audit;
mod backup;
mod carry_on;
mod check;
mod deliveries;
mod erase;
mod login_key;
mod serve;
mod sessions;
mod tokens;
mod transfer;

use std::process::ExitCode;

use anyhow::{Result, bail};
use provost_domain::command::{Ask, Command as SessionCommand};
use provost_domain::ids::{CmdId, Principal, SessionId};
use provost_domain::status::Status;
use provost_engine::Case;
use serde_json::{Value, json};

pub(crate) use self::carry_on::{Codes, UNFINISHED};

use crate::args::{Command, ConfigArgs, RunArgs};
use crate::follow::{Follower, status};
use crate::logs::Logs;
use crate::output::Output;
use crate::remote::{self, Reached, reach};
use crate::wiring::{self, House};
use crate::{alert, demo, patient};

/// The session waits for a person.
const WAITS: u8 = 3;
/// It ended without an outcome.
const NO_OUTCOME: u8 = 4;

pub(crate) async fn run(command: Command, output: Output, logs: Logs) -> Result<ExitCode> {
    match command {
        Command::Demo(args) => demo::run(args, output).await,
        Command::Run(args) => open(args, output).await,
        Command::Sessions(command) => sessions::run(command, output).await,
        Command::Deliveries(command) => deliveries::run(command, output).await,
        Command::Approvals(command) => approvals::run(command, output).await,
        Command::Packs(command) => check::packs(&command, output),
        Command::Config(command) => check::config(&command, output),
        Command::Audit(command) => audit::run(command, output).await,
        Command::Backup(args) => backup::run(args, output).await,
        Command::Serve(args) => serve::run(args, output, logs).await,
        Command::Tokens(command) => tokens::run(command, output).await,
        Command::Patient(args) => patient::run(args).map(|()| ExitCode::SUCCESS),
    }
}

/// Opens a session from an alert and follows it to its next rest.
async fn open(args: RunArgs, output: Output) -> Result<ExitCode> {
    let intake = alert::read(&args.input)?;
    let house = match reach(&args.config, House::open).await? {
        Reached::Here(house) => house,
        Reached::There(remote) => return remote::session::open(&remote, &args.pack, intake, output).await,
    };
    let case = Case {
        id: SessionId::new(uuid::Uuid::now_v7()),
        pack: args.pack,
        fields: intake.fields,
        title: intake.title,
        by: principal(&args.config),
        parent: None,
        start: true,
    };
    house
        .during(async |house| {
            let opened = house.engine.open(case).await?;
            follow(house, opened.id, output).await
        })
        .await
}

pub(crate) fn principal(args: &ConfigArgs) -> Principal {
    Principal::new(format!("user:{}", args.user))
}

/// Follows a session until it rests, prints where it rests, and says so in the exit code.
pub(crate) async fn follow(house: &House, id: SessionId, output: Output) -> Result<ExitCode> {
    let mut follower = Follower::new(id);
    follower.until_rest(house, output).await?;
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
pub(crate) async fn send(args: &ConfigArgs, session: Option<&str>, ask: Ask, output: Output) -> Result<ExitCode> {
    let house = match reach(args, House::open).await? {
        Reached::Here(house) => house,
        Reached::There(remote) => return remote::session::send(&remote, session, &ask, output).await,
    };
    house.during(async |house| send_in(house, args, session, ask, output).await).await
}

async fn send_in(
    house: &House,
    args: &ConfigArgs,
    session: Option<&str>,
    ask: Ask,
    output: Output,
) -> Result<ExitCode> {
    let reads = house.engine.reads();
    let id = match (&ask, session) {
        (Ask::Answer { approval, .. }, _) => reads.approval(approval).await?.session,
        (_, Some(session)) => wiring::session(&**reads, session).await?,
        (_, None) => bail!("name the session"),
    };
    let cmd_id = CmdId::new(uuid::Uuid::now_v7().to_string());
    let command = SessionCommand { by: principal(args), if_version: None, ask };
    let accepted = house.engine.command(id, &cmd_id, command).await?;
    output.line(&format!("accepted at version {}", accepted.version));
    let mut follower = Follower::new(id);
    follower.catch_up(&**house.engine.reads(), |_, _| {}).await?;
    follower.until_rest(house, output).await?;
    Ok(conclusion(&follower, output))
}
