//! `provost sessions continue`.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::command::Ask;
use provost_domain::ids::SessionId;
use provost_domain::port::SessionFilter;
use provost_face::{Caller, CommandRequest, Lookups, OperationError, Operations};

use super::local::{caller, operations};
use crate::args::ActorArgs;
use crate::conclusion::{Codes, UNFINISHED, follow};
use crate::output::Output;
use crate::remote::{self, Reached, reach};
use crate::wiring::{self, House};

/// Sessions read at a time.
const PAGE: u32 = 200;

/// One session, or every session that has not ended; each to its next rest.
pub(super) async fn carry_on(session: Option<&str>, config: &ActorArgs, output: Output) -> Result<ExitCode> {
    let house = match reach(&config.reach, wiring::parts, House::over).await? {
        Reached::Here(house) => house,
        Reached::There(remote) => return remote::session::carry_on(&remote, session, output).await,
    };
    house
        .during(async |house| {
            let (operations, caller) = (operations(house), caller(&config.author));
            let ids = match session {
                Some(session) => vec![operations.lookups().session_named(&caller, session).await?],
                None => unfinished(operations.lookups(), &caller).await?,
            };
            let mut codes = Codes::default();
            for id in ids {
                if house.told_to_end().is_cancelled() {
                    break;
                }
                let started = start_if_new(&operations, &caller, id).await;
                let followed = match started {
                    Ok(()) => follow(house, id, output).await,
                    Err(error) => Err(error.into()),
                };
                codes.add(followed, output);
            }
            Ok(codes.worst())
        })
        .await
}

/// Starts a session that was only opened.
async fn start_if_new(operations: &Operations, caller: &Caller, id: SessionId) -> Result<(), OperationError> {
    let ask = operations.carrying_on(caller, id).await?;
    if ask == Ask::Start {
        operations.ask(caller, id, CommandRequest::fresh(ask)).await?;
    }
    Ok(())
}

/// Every session that has not ended, the running ones first.
async fn unfinished(lookups: &Lookups, caller: &Caller) -> Result<Vec<SessionId>> {
    let mut ids = Vec::new();
    for status in UNFINISHED {
        let mut filter = SessionFilter { status: Some(status), limit: PAGE, ..SessionFilter::default() };
        loop {
            let rows = lookups.session_rows(caller, &filter).await?;
            ids.extend(rows.iter().map(|row| row.id));
            let Some(last) = rows.last() else { break };
            filter.before = Some(last.id);
        }
    }
    Ok(ids)
}
