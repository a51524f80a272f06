//! From a file into a store: read and checked as a whole first, and then stored as a whole. What is derived from the log is
//! made anew from it, by what makes it for a session that runs.

use std::collections::BTreeSet;
use std::io::BufRead;

use provost_domain::decide;
use provost_domain::event::EventBody;
use provost_domain::ids::{CmdId, Digest, Fence, Handle, Seq, SessionId};
use provost_domain::invariant::{Audit, Head};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{
    ApprovalChange, ClaimRow, ImportAnswer, ImportedAppend, ImportedSession, Imports, SessionRow, Snapshot, StoreError,
};
use provost_domain::principal::Principal;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;

use super::error::TransferError;
use super::lines::{EndLine, FORMAT, Line, Lines, SessionLine};

/// Who imports, and when.
#[derive(Debug)]
pub struct Importer {
    /// Who, as the log records it.
    pub by: Principal,
    /// When.
    pub now: Timestamp,
    /// Random bytes for a record of this store's own.
    pub salt: [u8; 16],
}

/// An imported session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Imported {
    /// The id under which it is stored, the same as where it came from.
    pub session: SessionId,
    /// What people call it here, as where it came from.
    pub handle: Handle,
    /// Its status now.
    pub status: Status,
    /// Its status in the file.
    pub was: Status,
    /// How many records came from the file.
    pub records: u64,
}

/// A session's file that was read and holds. All of it is in memory, as large as its log and its large results are.
#[derive(Debug)]
pub struct SessionFile {
    session: ImportedSession,
    summary: Imported,
}

impl SessionFile {
    /// Reads a file and puts its session to rest: one that had not ended needs a review from now on.
    ///
    /// # Errors
    /// The file cannot be read, is not an exported session, or fails verification.
    pub fn read(file: &mut (dyn BufRead + Send), importer: &Importer) -> Result<Self, TransferError> {
        let mut lines = Lines::of(file);
        let header = header(&mut lines)?;
        let mut reading = Reading {
            header,
            lines,
            audit: Audit::new(None, None),
            head: None,
            fence: Fence::default(),
            held: BTreeSet::new(),
            pending: Vec::new(),
            appends: Vec::new(),
        };
        let end = reading.records()?;
        reading.finish(&end, importer)
    }

    /// Stores the session, all of it or nothing.
    ///
    /// # Errors
    /// The session or its handle is there already, or the store fails.
    pub async fn import(self, store: &dyn Imports) -> Result<Imported, TransferError> {
        let Self { session, summary } = self;
        let Imported { session: id, handle, .. } = &summary;
        let what = match store.import(session).await? {
            ImportAnswer::Stored => return Ok(summary),
            ImportAnswer::SessionExists => {
                format!("session {id} ({handle}) is in this store already, and is never written over")
            }
            ImportAnswer::HandleTaken => {
                format!("the handle {handle} is another session's here; import the file into another store")
            }
        };
        Err(TransferError::File { line: 1, what })
    }
}

/// The first line; its format is looked at before its form.
fn header(lines: &mut Lines<'_>) -> Result<SessionLine, TransferError> {
    #[derive(serde::Deserialize)]
    struct First {
        session: Format,
    }
    #[derive(serde::Deserialize)]
    struct Format {
        format: u32,
    }
    let (line, _) = lines.next()?;
    let First { session: Format { format } } = lines.parse(&line)?;
    if format > FORMAT {
        let what = format!("the file has format {format}, this program reads {FORMAT}; upgrade it");
        return Err(lines.wrong(what));
    }
    match lines.parse(&line)? {
        Line::Session(session) => Ok(session),
        Line::Content(_) | Line::Record(_) | Line::End(_) => Err(lines.foreign()),
    }
}

/// A file that is being read.
struct Reading<'a> {
    header: SessionLine,
    lines: Lines<'a>,
    audit: Audit,
    /// Of the last record.
    head: Option<Head>,
    fence: Fence,
    /// The results the file held so far.
    held: BTreeSet<Digest>,
    /// Those of the record to come.
    pending: Vec<Content>,
    appends: Vec<ImportedAppend>,
}

impl Reading<'_> {
    /// Reads what comes before the `end`, which it returns with the sum it must name.
    fn records(&mut self) -> Result<(EndLine, Digest), TransferError> {
        loop {
            let (line, sum) = self.lines.next()?;
            match self.lines.parse(&line)? {
                Line::Session(_) => return Err(self.lines.wrong("a second session begins; import one file at a time")),
                Line::Content(content) => {
                    let content = content.into_content(&self.lines)?;
                    self.held.insert(content.digest);
                    self.pending.push(content);
                }
                Line::Record(record) => self.record(record.into_record())?,
                Line::End(end) => return Ok((end, sum)),
            }
        }
    }

    fn record(&mut self, record: AppendRecord) -> Result<(), TransferError> {
        if record.header.session != self.header.id {
            return Err(self.lines.wrong("the record is another session's; take an unchanged file"));
        }
        let named = self.audit.record(&record);
        if let Some(problem) = self.audit.first_problem() {
            return Err(self.lines.wrong(format!("{problem}; take an unchanged file")));
        }
        if let Some(absent) = named.iter().find(|digest| !self.held.contains(digest)) {
            return Err(self.lines.wrong(format!("the result {absent} it names is not in the file; take a whole one")));
        }
        if self.pending.iter().any(|content| !named.contains(&content.digest)) {
            return Err(self.lines.wrong("it does not name a result before it; take an unchanged file"));
        }
        let contents = std::mem::take(&mut self.pending);
        self.add(record, contents)
    }

    /// Adds a record with what is derived from it.
    fn add(&mut self, record: AppendRecord, contents: Vec<Content>) -> Result<(), TransferError> {
        let header = &record.header;
        let before = Seq(header.first_seq.0.saturating_sub(1));
        let events = record.open(before, record.prev).map_err(|error| self.lines.wrong(error.to_string()))?;
        let bodies: Vec<EventBody> = events.into_iter().map(|event| event.body).collect();
        let approvals = ApprovalChange::of(header.session, header.at, &bodies);
        self.head = Some(Head { seq: header.last_seq, hash: record.hash });
        self.fence = header.fence;
        self.appends.push(ImportedAppend { record, contents, approvals });
        Ok(())
    }

    /// Checks the end, and puts the session to rest.
    fn finish(mut self, (end, sum): &(EndLine, Digest), importer: &Importer) -> Result<SessionFile, TransferError> {
        let records = self.appends.len() as u64;
        let counted = (end.records, end.contents) == (records, self.held.len() as u64);
        if !counted || end.sum != *sum || !self.pending.is_empty() {
            return Err(self
                .lines
                .wrong("the lines before do not add up: the file was changed; take an unchanged one"));
        }
        if !self.lines.is_at_end()? {
            return Err(self.lines.wrong("something follows the end; take an unchanged file"));
        }
        let said = Head { seq: self.header.head_seq, hash: self.header.head_hash };
        let session = self.audit.session().filter(|_| self.head == Some(said)).cloned();
        let Some(session) = session.filter(|session| self.is_headers(session)) else {
            return Err(self.lines.wrong("the records are not those its first line speaks of; take an unchanged file"));
        };
        let (was, session) = (session.status().clone(), self.rest(said, session, importer)?);
        let head = self.head.unwrap_or(said);
        let snapshot =
            Snapshot { seq: head.seq, hash: head.hash, header: session.to_snapshot().map_err(StoreError::from)? };
        let row = self.row(&session, head, importer.now);
        let claims = ClaimRow::held_by(&session);
        let summary =
            Imported { session: row.id, handle: row.handle.clone(), status: row.status.clone(), was, records };
        Ok(SessionFile { session: ImportedSession { row, snapshot, appends: self.appends, claims }, summary })
    }

    fn is_headers(&self, session: &Session) -> bool {
        let SessionLine { id, handle, pack, pack_digest, .. } = &self.header;
        let own = (session.id(), session.handle(), session.pack(), session.pack_digest());
        own == (*id, handle, pack, *pack_digest)
    }

    /// What the log needs besides for nothing to go on by itself.
    fn rest(&mut self, head: Head, session: Session, importer: &Importer) -> Result<Session, TransferError> {
        let fence = self.fence.next();
        let verdict = decide::imported(&session, importer.now, fence, &importer.by);
        if verdict.events.is_empty() {
            return Ok(session);
        }
        let record = AppendRecord::seal(Unsealed {
            session: self.header.id,
            after: head.seq,
            fence,
            cmd_id: CmdId::new(format!("{fence}.import")),
            at: importer.now,
            events: &verdict.events,
            salt: importer.salt,
            prev: head.hash,
        });
        self.add(record.map_err(StoreError::from)?, verdict.contents)?;
        Ok(verdict.after)
    }

    /// The row as the log left it; its age here begins now.
    fn row(&self, session: &Session, head: Head, now: Timestamp) -> SessionRow {
        let SessionLine { id, handle, pack, pack_digest, title, created_at, .. } = &self.header;
        SessionRow {
            id: *id,
            handle: handle.clone(),
            pack: pack.clone(),
            pack_digest: *pack_digest,
            status: session.status().clone(),
            ended: session.status().is_end(),
            title: title.clone(),
            head_seq: head.seq,
            head_hash: head.hash,
            fence: self.fence,
            owner: None,
            wake_seq: 0,
            next_run_at: None,
            progress_at: now,
            takeovers: 0,
            created_at: *created_at,
            erased_at: None,
        }
    }
}
