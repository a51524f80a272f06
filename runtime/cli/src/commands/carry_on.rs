//! `provost sessions continue`.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::command::{Ask, Command};
use provost_domain::ids::{CmdId, SessionId};
use provost_domain::port::{Reads, SessionFilter};
use provost_domain::status::Status;

use super::{NO_OUTCOME, WAITS, follow, principal};
use crate::args::ConfigArgs;
use crate::output::Output;
use crate::remote::{self, Reached, reach};
use crate::wiring::{self, House};

/// Sessions read at a time.
const PAGE: u32 = 200;

/// One session, or every session that has not ended; each to its next rest.
pub(super) async fn carry_on(session: Option<&str>, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    let house = match reach(config, House::open).await? {
        Reached::Here(house) => house,
        Reached::There(remote) => return remote::session::carry_on(&remote, session, output).await,
    };
    house
        .during(async |house| {
            let reads = &**house.engine.reads();
            let ids = match session {
                Some(session) => vec![wiring::session(reads, session).await?],
                None => unfinished(reads).await?,
            };
            let mut codes = Codes::default();
            for id in ids {
                if house.told_to_end().is_cancelled() {
                    break;
                }
                codes.add(go_on(house, id, config, output).await, output);
            }
            Ok(codes.worst())
        })
        .await
}

/// What a session's status may be that has not ended, the running ones first.
pub(crate) const UNFINISHED: [&str; 2] = ["in_progress", "awaiting_input"];

/// What came of several sessions.
#[derive(Debug, Default)]
pub(crate) struct Codes {
    failed: bool,
    codes: Vec<ExitCode>,
}

impl Codes {
    /// An error of one session is said and does not keep the others.
    pub(crate) fn add(&mut self, result: Result<ExitCode>, output: Output) {
        match result {
            Ok(code) => self.codes.push(code),
            Err(error) => {
                output.error(&error);
                self.failed = true;
            }
        }
    }

    /// An error, else an end without an outcome, else one that waits.
    pub(crate) fn worst(&self) -> ExitCode {
        let by_weight = [ExitCode::from(NO_OUTCOME), ExitCode::from(WAITS)];
        if self.failed {
            return ExitCode::FAILURE;
        }
        by_weight.into_iter().find(|code| self.codes.contains(code)).unwrap_or(ExitCode::SUCCESS)
    }
}

/// Follows a session to its next rest; one that was never started is started.
async fn go_on(house: &House, id: SessionId, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    if house.engine.reads().session(id).await?.status == Status::New.as_str() {
        let cmd_id = CmdId::new(uuid::Uuid::now_v7().to_string());
        let start = Command { by: principal(config), if_version: None, ask: Ask::Start };
        house.engine.command(id, &cmd_id, start).await?;
    }
    follow(house, id, output).await
}

/// Every session that has not ended, the running ones first.
async fn unfinished(reads: &dyn Reads) -> Result<Vec<SessionId>> {
    let mut ids = Vec::new();
    for status in UNFINISHED {
        let mut filter = SessionFilter { status: Some(status.to_owned()), limit: PAGE, ..SessionFilter::default() };
        loop {
            let rows = reads.sessions(&filter).await?;
            ids.extend(rows.iter().map(|row| row.id));
            let Some(last) = rows.last() else { break };
            filter.before = Some(last.id);
        }
    }
    Ok(ids)
}
