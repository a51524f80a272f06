//! `provost audit verify`: the hash chain of every record, and the fold of every event.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::ids::{Seq, SessionId};
use provost_domain::invariant;
use provost_domain::port::{Reads, SessionFilter, StoreError};
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
            let Checked { handle, records: read, problems } = check(&reads, id).await;
            records += read;
            for problem in problems {
                bad += 1;
                let value = json!({"session": id, "handle": handle, "problem": problem});
                output.result(&value, &format!("{BAD}{handle}{BAD:#}: {problem}"));
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

/// What came of one session.
struct Checked {
    handle: String,
    records: usize,
    problems: Vec<String>,
}

/// Checks a session as it was when its row was read: a process beside may write on. What cannot be read is a problem.
async fn check(reads: &dyn Reads, id: SessionId) -> Checked {
    let unreadable = |handle: String, error: &StoreError| {
        let problems = vec![format!("it cannot be read: {error}")];
        Checked { handle, records: 0, problems }
    };
    let row = match reads.session(id).await {
        Ok(row) => row,
        Err(error) => return unreadable(id.to_string(), &error),
    };
    let handle = row.handle.to_string();
    let mut log = match reads.records(id, Seq(0), u32::MAX).await {
        Ok(log) => log,
        Err(error) => return unreadable(handle, &error),
    };
    log.retain(|record| record.header.first_seq <= row.head_seq);
    let problems = invariant::check(&log, row.head_seq, row.head_hash);
    Checked { handle, records: log.len(), problems: problems.iter().map(ToString::to_string).collect() }
}

async fn next_page(reads: &dyn Reads, before: Option<SessionId>) -> Result<Vec<SessionId>> {
    let filter = SessionFilter { before, limit: 200, ..SessionFilter::default() };
    Ok(reads.sessions(&filter).await?.into_iter().map(|row| row.id).collect())
}
