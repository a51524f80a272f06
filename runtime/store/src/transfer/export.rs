//! From a store to a file, as one moment saw the session.

use std::collections::BTreeSet;
use std::io::Write;

use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::invariant::{Audit, Head};
use provost_domain::log::AppendRecord;
use provost_domain::port::{Examine, SessionMoment, SessionRow, StoreError};
use serde::Serialize;

use super::error::TransferError;
use super::lines::{ContentLine, EndLine, FORMAT, Line, RecordLine, SessionLine, sum};

/// Appends read at once: few enough that nothing large waits in memory.
const PAGE: u32 = 50;

/// Writes a session's file. Its log is verified on the way; nothing is written of one that does not hold, but what was
/// written before that was found.
///
/// # Errors
/// There is no such session, its log does not hold or was erased, or the file cannot be written.
pub async fn export(
    store: &dyn Examine,
    id: SessionId,
    to: &mut (dyn Write + Send),
) -> Result<SessionRow, TransferError> {
    let mut moment = store.moment(id).await?;
    let row = moment.row().clone();
    let mut export = Export { to, sum: Digest::default(), audit: Audit::new(None, None), named: BTreeSet::new() };
    export.line(&Line::Session(SessionLine {
        format: FORMAT,
        id,
        handle: row.handle.clone(),
        pack: row.pack.clone(),
        pack_digest: row.pack_digest,
        title: row.title.clone(),
        created_at: row.created_at,
        status: row.status.clone(),
        head_seq: row.head_seq,
        head_hash: row.head_hash,
    }))?;
    let (mut after, mut records) = (Seq(0), 0);
    loop {
        let page = moment.records(after, PAGE).await?;
        let Some(last) = page.last() else { break };
        after = last.header.first_seq;
        for record in page {
            export.record(&mut *moment, record).await?;
            records += 1;
        }
    }
    export.end(records, &row)?;
    Ok(row)
}

struct Export<'a> {
    to: &'a mut (dyn Write + Send),
    sum: Digest,
    audit: Audit,
    /// The results written so far.
    named: BTreeSet<Digest>,
}

impl Export<'_> {
    fn line(&mut self, line: &impl Serialize) -> Result<(), TransferError> {
        let text = serde_json::to_string(line).map_err(std::io::Error::from)?;
        self.sum = sum(self.sum, &text);
        Ok(writeln!(self.to, "{text}")?)
    }

    async fn record(&mut self, moment: &mut dyn SessionMoment, record: AppendRecord) -> Result<(), TransferError> {
        let first = record.header.first_seq;
        let named = self.audit.record(&record);
        self.holds()?;
        for sha256 in named {
            if self.named.insert(sha256) {
                let bytes = moment.content(sha256).await?;
                let text = String::from_utf8(bytes).map_err(|error| unwritable(first, &error.to_string()))?;
                self.line(&Line::Content(ContentLine { sha256, text }))?;
            }
        }
        let line = RecordLine::of(record).ok_or_else(|| unwritable(first, "it was erased"))?;
        self.line(&Line::Record(Box::new(line)))
    }

    fn end(mut self, records: u64, row: &SessionRow) -> Result<(), TransferError> {
        let end = EndLine { records, contents: self.named.len() as u64, sum: self.sum };
        self.line(&Line::End(end))?;
        self.to.flush()?;
        let head = Head { seq: row.head_seq, hash: row.head_hash };
        self.audit.finish(head).first().map_or(Ok(()), |problem| Err(broken(problem.to_string())))
    }

    fn holds(&self) -> Result<(), TransferError> {
        self.audit.first_problem().map_or(Ok(()), |problem| Err(broken(problem.to_string())))
    }
}

fn unwritable(record: Seq, why: &str) -> TransferError {
    TransferError::Session {
        what: format!("record {record} cannot be exported: {why}; take the session from a backup"),
    }
}

/// What is broken is not spread.
fn broken(detail: String) -> TransferError {
    StoreError::Damaged { detail }.into()
}
