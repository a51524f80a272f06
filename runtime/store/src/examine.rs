//! Looks at every session of a store in turn, each as one moment saw it, also beside a process that writes. What cannot be
//! read is reported and does not hide what comes after it.

use std::collections::BTreeMap;

use provost_domain::ids::{Seq, SessionId};
use provost_domain::invariant::{Audit, Fault, Head, Problem, Stored};
use provost_domain::port::{Examine, SessionMoment, SessionRow, SessionWalk, StoreError, WalkFound, WalkStop};

/// Appends read at once: few enough that nothing large waits in memory.
const PAGE: u32 = 50;

/// Where logs stood once, as an earlier export says.
pub type Heads = BTreeMap<SessionId, Head>;

/// What a look at one session found.
#[derive(Debug)]
pub struct Examined {
    /// Where it stands, for what has no id.
    pub place: String,
    /// The session, as far as that could be read.
    pub row: Option<SessionRow>,
    /// How many records its log has.
    pub records: u64,
    /// What does not hold.
    pub problems: Vec<Problem>,
}

/// A walk through a store's sessions.
#[derive(Debug)]
pub struct Examination {
    walk: Box<dyn SessionWalk>,
}

impl Examination {
    /// Before the first session.
    pub fn of(store: &dyn Examine) -> Self {
        Self { walk: store.walk() }
    }

    /// Looks at the next session, whose log must once have stood where `heads` says; it is then no longer in `heads`.
    /// `None` after the last one.
    pub async fn next(&mut self, heads: &mut Heads) -> Option<Examined> {
        let WalkStop { place, found } = self.walk.next().await?;
        let problem = match found {
            WalkFound::Session(mut moment) => {
                let expected = heads.remove(&moment.row().id);
                return Some(look(&mut *moment, place, expected).await);
            }
            WalkFound::Orphan { what } => Problem { record: None, fault: Fault::Log, what },
            WalkFound::Unreadable(error) => unreadable(&error),
        };
        Some(Examined { place, row: None, records: 0, problems: vec![problem] })
    }
}

/// Looks at one session; its log must once have stood at `expected`.
///
/// # Errors
/// There is no such session, or the storage fails.
pub async fn examine(store: &dyn Examine, id: SessionId, expected: Option<Head>) -> Result<Examined, StoreError> {
    match store.moment(id).await {
        Ok(mut moment) => Ok(look(&mut *moment, id.to_string(), expected).await),
        Err(error @ StoreError::Damaged { .. }) => {
            Ok(Examined { place: id.to_string(), row: None, records: 0, problems: vec![unreadable(&error)] })
        }
        Err(error) => Err(error),
    }
}

async fn look(moment: &mut dyn SessionMoment, place: String, expected: Option<Head>) -> Examined {
    let row = moment.row().clone();
    let snapshot = moment.snapshot().await;
    let mut audit = Audit::new(snapshot.as_ref().ok().cloned().flatten(), expected);
    if let Err(error) = snapshot {
        audit.problem(None, Fault::Projection, detail(error));
    }
    let records = log(moment, &mut audit).await;
    let problems = match (moment.approvals().await, moment.claims().await, moment.unread().await) {
        (Ok(approvals), Ok(claims), Ok(unread)) => {
            let (unread, is_unread) = (unread.count, unread.is_marked);
            audit.finish_session(&Stored { row: row.clone(), approvals, claims, unread, is_unread })
        }
        (approvals, claims, unread) => {
            let errors = [approvals.err(), claims.err(), unread.err()];
            errors.into_iter().flatten().for_each(|error| audit.problem(None, Fault::Projection, detail(error)));
            audit.finish(Head { seq: row.head_seq, hash: row.head_hash })
        }
    };
    Examined { place, row: Some(row), records, problems }
}

/// Reads a log from page to page, up to the first record that cannot be judged.
async fn log(moment: &mut dyn SessionMoment, audit: &mut Audit) -> u64 {
    let (mut after, mut count, mut page) = (Seq(0), 0, PAGE);
    loop {
        let records = match moment.records(after, page).await {
            Ok(records) => records,
            // One at a time, to find out which.
            Err(_) if page > 1 => {
                page = 1;
                continue;
            }
            Err(error) => {
                audit.unreadable(detail(error));
                return count;
            }
        };
        let Some(last) = records.last() else { return count };
        after = last.header.first_seq;
        for record in &records {
            count += 1;
            for digest in audit.record(record) {
                if let Err(error) = moment.content(digest).await {
                    audit.problem(Some(record.header.first_seq), Fault::Content, detail(error));
                }
            }
            if audit.is_broken() {
                return count;
            }
        }
    }
}

fn unreadable(error: &StoreError) -> Problem {
    Problem { record: None, fault: Fault::Log, what: format!("it cannot be read: {}", detail(error.clone())) }
}

/// What is wrong, without what to do, which the problem's kind says.
fn detail(error: StoreError) -> String {
    match error {
        StoreError::Damaged { detail } => format!("the store is damaged: {detail}"),
        StoreError::Failed { detail } | StoreError::Held { detail } => detail,
        error
        @ (StoreError::Fenced | StoreError::Stale | StoreError::NotClaimed { .. } | StoreError::Erased { .. }) => {
            error.to_string()
        }
        StoreError::Missing { what, id } => format!("{what} {id} is missing"),
    }
}
