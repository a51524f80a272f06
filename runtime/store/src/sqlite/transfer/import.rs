//! From a file into a store: all of it in one transaction, and only if all of it holds. What is derived from the log is
//! made anew from it, by what makes it for a session that runs.

use std::collections::BTreeSet;
use std::io::BufRead;
use std::path::Path;

use provost_domain::decide;
use provost_domain::event::EventBody;
use provost_domain::ids::{CmdId, Digest, Fence, Handle, Owner, Principal, Seq, SessionId};
use provost_domain::invariant::{Audit, Head};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{Append, ApprovalChange, Snapshot};
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;
use sqlx::{Connection as _, SqliteConnection};

use super::{EndLine, FORMAT, Line, Lines, SessionLine, TransferError};
use crate::guards::Guards;
use crate::sqlite::append::{self, Held};
use crate::sqlite::error::failed;
use crate::sqlite::open::Writable;
use crate::sqlite::rows::{Columns, Sid, key};
use crate::sqlite::snapshots;
use crate::sqlite::tx::{BEGIN, Tx};
use crate::{Limits, SqliteStore};

pub(in crate::sqlite) const FIND: &str = "SELECT id FROM sessions WHERE id = ?1 OR handle = ?2";
/// A session at rest, its log still to come.
pub(in crate::sqlite) const INSERT: &str = "INSERT INTO sessions (id, handle, pack, pack_digest, status, ended, title, \
     head_seq, head_hash, fence, wake_seq, read_seq, progress_at, takeovers, created_at) \
     VALUES (?1, ?2, ?3, ?4, 'new', 0, ?5, 0, ?6, 0, 0, 0, ?7, 0, ?7) RETURNING sid";
pub(in crate::sqlite) const FINISH: &str = "UPDATE sessions SET status = ?2, ended = ?3, head_seq = ?4, head_hash = ?5, \
     fence = ?6, progress_at = ?7 WHERE sid = ?1";

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
    /// The session.
    pub session: SessionId,
    /// Its handle.
    pub handle: Handle,
    /// Its status now.
    pub status: String,
    /// Its status in the file.
    pub was: String,
    /// How many records came from the file.
    pub records: u64,
}

impl SqliteStore {
    /// Reads a session's file into the database at `path`, which nobody else may hold.
    ///
    /// # Errors
    /// See [`Self::open`]; the session or its handle is there already, or the file does not hold. Then nothing was written.
    pub async fn import(
        path: &Path,
        file: &mut (dyn BufRead + Send),
        who: &Importer,
    ) -> Result<Imported, TransferError> {
        let mut lines = Lines::of(file);
        let header = header(&mut lines)?;
        let mut writable = Writable::open(path, Limits::default()).await?;
        let mut transaction = writable.connection.begin_with(BEGIN).await.map_err(|error| failed(&error))?;
        let sid = insert(&mut transaction, &header, &lines).await?;
        let mut import = Import { header, lines, sid, audit: Audit::new(None, None), last: Last::default() };
        let end = import.records(&mut transaction).await?;
        let imported = import.finish(&mut transaction, &end, who).await?;
        transaction.commit().await.map_err(|error| failed(&error))?;
        writable.close().await?;
        Ok(imported)
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

/// A row without a log yet.
async fn insert(
    database: &mut SqliteConnection,
    header: &SessionLine,
    lines: &Lines<'_>,
) -> Result<Sid, TransferError> {
    let found = sqlx::query(FIND).bind(key(&header.id)).bind(header.handle.as_str());
    let found = found.fetch_optional(&mut *database).await.map_err(|error| failed(&error))?;
    if let Some(row) = found {
        let own = Columns::of("sessions", &row).session()? == header.id;
        let what = if own {
            format!("session {} ({}) is in this store already, and is never written over", header.id, header.handle)
        } else {
            format!("the handle {} is another session's here; import the file into another store", header.handle)
        };
        return Err(lines.wrong(what));
    }
    let row = sqlx::query(INSERT)
        .bind(key(&header.id))
        .bind(header.handle.as_str())
        .bind(header.pack.as_str())
        .bind(header.pack_digest.as_bytes().to_vec())
        .bind(header.title.as_str())
        .bind(Digest::default().as_bytes().to_vec())
        .bind(header.created_at.micros());
    let row = row.fetch_one(database).await.map_err(|error| failed(&error))?;
    Ok(Columns::of("sessions", &row).get()?)
}

/// An import under way.
struct Import<'a> {
    header: SessionLine,
    lines: Lines<'a>,
    sid: Sid,
    audit: Audit,
    last: Last,
}

/// What was read so far.
#[derive(Default)]
struct Last {
    head: Option<Head>,
    fence: Fence,
    records: u64,
    /// The results the file held.
    held: BTreeSet<Digest>,
    /// Those of the record to come.
    pending: Vec<Content>,
}

impl Import<'_> {
    /// Writes what comes before the `end`, which it returns with the sum it must name.
    async fn records(&mut self, database: &mut SqliteConnection) -> Result<(EndLine, Digest), TransferError> {
        loop {
            let (line, sum) = self.lines.next()?;
            match self.lines.parse(&line)? {
                Line::Session(_) => return Err(self.lines.wrong("a second session begins; import one file at a time")),
                Line::Content(content) => {
                    let content = content.into_content(&self.lines)?;
                    self.last.held.insert(content.digest);
                    self.last.pending.push(content);
                }
                Line::Record(record) => self.record(database, record.into_record()).await?,
                Line::End(end) => return Ok((end, sum)),
            }
        }
    }

    async fn record(&mut self, database: &mut SqliteConnection, record: AppendRecord) -> Result<(), TransferError> {
        if record.header.session != self.header.id {
            return Err(self.lines.wrong("the record is another session's; take an unchanged file"));
        }
        let named = self.audit.record(&record);
        if let Some(problem) = self.audit.first_problem() {
            return Err(self.lines.wrong(format!("{problem}; take an unchanged file")));
        }
        if let Some(absent) = named.iter().find(|digest| !self.last.held.contains(digest)) {
            return Err(self.lines.wrong(format!("the result {absent} it names is not in the file; take a whole one")));
        }
        if self.last.pending.iter().any(|content| !named.contains(&content.digest)) {
            return Err(self.lines.wrong("it does not name a result before it; take an unchanged file"));
        }
        let contents = std::mem::take(&mut self.last.pending);
        self.write(database, record, contents).await?;
        self.last.records += 1;
        Ok(())
    }

    /// Writes a record and what is derived from it.
    async fn write(
        &mut self,
        database: &mut SqliteConnection,
        record: AppendRecord,
        contents: Vec<Content>,
    ) -> Result<(), TransferError> {
        let (session, header) = (self.header.id, record.header.clone());
        let before = Seq(header.first_seq.0.saturating_sub(1));
        let events = record.open(before, record.prev).map_err(|error| self.lines.wrong(error.to_string()))?;
        let bodies: Vec<EventBody> = events.into_iter().map(|event| event.body).collect();
        self.last.head = Some(Head { seq: header.last_seq, hash: record.hash });
        self.last.fence = header.fence;
        let append = Append {
            session,
            fence: header.fence,
            owner: Owner::new("nobody"),
            expected_seq: before,
            record: Some(record),
            status: String::new(),
            ended: false,
            release: false,
            snapshot: None,
            contents,
            approvals: ApprovalChange::of(session, header.at, &bodies),
            acks: Vec::new(),
            progress: false,
            at: header.at,
        };
        let held = [Held { sid: self.sid, append: &append }];
        let written = append::write_held(&mut Tx::nested(database, Guards::default()), &held).await;
        Ok(written.map_err(|error| failed(&error))?)
    }

    /// Checks the end, and leaves the session at rest.
    async fn finish(
        mut self,
        database: &mut SqliteConnection,
        (end, sum): &(EndLine, Digest),
        who: &Importer,
    ) -> Result<Imported, TransferError> {
        let counted = (end.records, end.contents) == (self.last.records, self.last.held.len() as u64);
        if !counted || end.sum != *sum || !self.last.pending.is_empty() {
            return Err(self
                .lines
                .wrong("the lines before do not add up: the file was changed; take an unchanged one"));
        }
        if !self.lines.is_at_end()? {
            return Err(self.lines.wrong("something follows the end; take an unchanged file"));
        }
        let said = Head { seq: self.header.head_seq, hash: self.header.head_hash };
        let session = self.audit.session().filter(|_| self.last.head == Some(said)).cloned();
        let Some(session) = session.filter(|session| self.is_headers(session)) else {
            return Err(self.lines.wrong("the records are not those its first line speaks of; take an unchanged file"));
        };
        let (was, session) = (session.status().to_string(), self.rest(database, session, who).await?);
        self.close(database, &session, who.now).await?;
        let Self { header, last, .. } = self;
        let status = session.status().to_string();
        Ok(Imported { session: header.id, handle: header.handle, status, was, records: last.records })
    }

    fn is_headers(&self, session: &Session) -> bool {
        let SessionLine { id, handle, pack, pack_digest, .. } = &self.header;
        let own = (session.id(), session.handle(), session.pack(), session.pack_digest());
        own == (*id, handle, pack.as_str(), *pack_digest)
    }

    /// What the log needs besides for nothing to go on by itself.
    async fn rest(
        &mut self,
        database: &mut SqliteConnection,
        session: Session,
        who: &Importer,
    ) -> Result<Session, TransferError> {
        let fence = self.last.fence.next();
        let verdict = decide::imported(&session, who.now, fence, &who.by);
        let Some(head) = self.last.head.filter(|_| !verdict.events.is_empty()) else { return Ok(session) };
        let record = AppendRecord::seal(Unsealed {
            session: self.header.id,
            after: head.seq,
            fence,
            cmd_id: CmdId::new(format!("{fence}.import")),
            at: who.now,
            events: &verdict.events,
            salt: who.salt,
            prev: head.hash,
        });
        self.write(database, record, verdict.contents).await?;
        Ok(verdict.after)
    }

    /// The row and the snapshot as the log left them; its age here begins now.
    async fn close(
        &mut self,
        database: &mut SqliteConnection,
        session: &Session,
        now: Timestamp,
    ) -> Result<(), TransferError> {
        let Some(Head { seq, hash }) = self.last.head else { return Ok(()) };
        let snapshot = Snapshot { seq, hash, header: session.to_snapshot() };
        snapshots::write_one(&mut Tx::nested(&mut *database, Guards::default()), self.sid, &snapshot)
            .await
            .map_err(|error| failed(&error))?;
        let row = sqlx::query(FINISH)
            .bind(self.sid)
            .bind(session.status().as_str())
            .bind(session.status().is_end())
            .bind(i64::try_from(seq.0).unwrap_or(i64::MAX))
            .bind(hash.as_bytes().to_vec())
            .bind(i64::try_from(self.last.fence.0).unwrap_or(i64::MAX))
            .bind(now.micros());
        row.execute(database).await.map_err(|error| failed(&error))?;
        Ok(())
    }
}
