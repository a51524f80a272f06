//! `provost audit verify`: the hash chain of every record, and the fold of every event.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::ids::SessionId;
use provost_domain::invariant;
use provost_domain::port::{Reads, SessionFilter};
use serde_json::json;

use crate::args::Audit;
use crate::output::{BAD, GOOD, Output};
use crate::wiring;

pub(super) async fn run(command: Audit, output: Output) -> Result<ExitCode> {
    let Audit::Verify { session, config } = command;
    let reads = wiring::reads(&wiring::config(&config)?).await?;
    let (mut sessions, mut records, mut bad) = (0_u64, 0_usize, 0_u64);
    let mut page = match &session {
        Some(session) => vec![wiring::session(&reads, session).await?],
        None => next_page(&reads, None).await?,
    };
    while let Some(last) = page.last().copied() {
        for id in page {
            sessions += 1;
            let row = reads.session(id).await?;
            let log = reads.records(id, provost_domain::ids::Seq(0), u32::MAX).await?;
            records += log.len();
            for problem in invariant::check(&log, row.head_seq, row.head_hash) {
                bad += 1;
                let value = json!({"session": id, "handle": row.handle, "problem": problem});
                output.result(&value, &format!("{BAD}{}{BAD:#}: {problem}", row.handle));
            }
        }
        page = if session.is_some() { Vec::new() } else { next_page(&reads, Some(last)).await? };
    }
    let verdict = if bad == 0 { format!("{GOOD}clean{GOOD:#}") } else { format!("{BAD}{bad} problems{BAD:#}") };
    output.result(
        &json!({"sessions": sessions, "records": records, "problems": bad}),
        &format!("{sessions} sessions, {records} records: {verdict}"),
    );
    Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn next_page(reads: &dyn Reads, before: Option<SessionId>) -> Result<Vec<SessionId>> {
    let filter = SessionFilter { before, limit: 200, ..SessionFilter::default() };
    Ok(reads.sessions(&filter).await?.into_iter().map(|row| row.id).collect())
}
