//! One command to one session.

use std::process::ExitCode;

use anyhow::{Result, bail};
use provost_domain::command::Ask;
use provost_engine::EngineError;
use provost_face::{CommandRequest, Receipt};

use super::local::{caller, operations};
use crate::args::ActorArgs;
use crate::conclusion::follow_on;
use crate::follow::Follower;
use crate::output::Output;
use crate::remote::{self, Reached, reach};
use crate::wiring::{self, House};

/// Takes the store, sends one command, and carries the session on to its next rest.
pub(super) async fn send(args: &ActorArgs, session: Option<&str>, ask: Ask, output: Output) -> Result<ExitCode> {
    let house = match reach(&args.reach, wiring::parts, House::over).await? {
        Reached::Here(house) => house,
        Reached::There(remote) => return remote::session::send(&remote, session, &ask, output).await,
    };
    house.during(async |house| send_in(house, args, session, ask, output).await).await
}

async fn send_in(house: &House, args: &ActorArgs, session: Option<&str>, ask: Ask, output: Output) -> Result<ExitCode> {
    let (operations, caller) = (operations(house), caller(&args.author));
    let id = match (&ask, session) {
        (Ask::Answer { approval, .. }, _) => operations.lookups().session_of(&caller, approval).await?,
        (_, Some(session)) => operations.lookups().session_named(&caller, session).await?,
        (_, None) => bail!("name the session"),
    };
    let accepted = match operations.ask(&caller, id, CommandRequest::fresh(ask)).await? {
        Receipt::Applied(accepted) => accepted,
        Receipt::Stored => bail!("{}", EngineError::Pending),
    };
    output.line(&format!("accepted at version {}", accepted.version));
    let mut follower = Follower::new(id);
    follower.catch_up(&**house.engine.reads(), |_| {}).await?;
    follow_on(house, follower, output).await
}
