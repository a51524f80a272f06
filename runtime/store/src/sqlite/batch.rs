//! The jobs of one transaction, by kind, so that each kind is a few statements however many jobs there are.

use std::collections::HashSet;

use provost_domain::ids::{Handle, SessionId};
use provost_domain::port::{Append, Appended, NewSession, Park, Parked, StoreError, Submitted};
use sqlx::SqliteConnection;

use super::sessions::Taken;
use super::writer::{Asked, Job, Submission, TakeOver};
use super::{append, inbox, sessions};

/// At most one job per session: then the order of kinds within the transaction changes nothing, and two appends of one
/// session cannot both match its row.
#[derive(Debug, Default)]
pub(super) struct Batch {
    sessions: HashSet<SessionId>,
    creates: Vec<Asked<NewSession, Handle>>,
    take_overs: Vec<Asked<TakeOver, Taken>>,
    appends: Vec<Asked<Box<Append>, Appended>>,
    submits: Vec<Asked<Submission, Submitted>>,
    parks: Vec<Asked<Park, Parked>>,
}

/// What came of each job, in the batch's order; true once its transaction is durable.
#[derive(Debug)]
pub(super) struct Results {
    creates: Vec<Result<Handle, StoreError>>,
    take_overs: Vec<Result<Taken, StoreError>>,
    appends: Vec<Result<Appended, StoreError>>,
    submits: Vec<Result<Submitted, StoreError>>,
    parks: Vec<Result<Parked, StoreError>>,
}

impl Batch {
    /// Takes the job in, or hands it back when its session has one in here already.
    pub(super) fn add(&mut self, job: Job) -> Option<Job> {
        if !self.sessions.insert(job.session()) {
            return Some(job);
        }
        match job {
            Job::Create(asked) => self.creates.push(asked),
            Job::TakeOver(asked) => self.take_overs.push(asked),
            Job::Append(asked) => self.appends.push(asked),
            Job::Submit(asked) => self.submits.push(asked),
            Job::Park(asked) => self.parks.push(asked),
        }
        None
    }

    /// The number of jobs.
    pub(super) fn len(&self) -> usize {
        self.sessions.len()
    }

    /// Writes everything inside the open transaction. A job's own refusal is its result; an error is the transaction's.
    pub(super) async fn apply(&self, connection: &mut SqliteConnection) -> Result<Results, sqlx::Error> {
        Ok(Results {
            creates: sessions::create(connection, &self.creates).await?,
            take_overs: sessions::take_over(connection, &self.take_overs).await?,
            appends: append::write(connection, &self.appends).await?,
            submits: inbox::submit(connection, &self.submits).await?,
            parks: sessions::park(connection, &self.parks).await?,
        })
    }

    /// Tells every caller. Only once the transaction is durable.
    pub(super) fn answer(self, results: Results) {
        answer(self.creates, results.creates);
        answer(self.take_overs, results.take_overs);
        answer(self.appends, results.appends);
        answer(self.submits, results.submits);
        answer(self.parks, results.parks);
    }

    /// Tells every caller that nothing was written, or that nobody knows.
    pub(super) fn refuse(self, error: &StoreError) {
        self.jobs().for_each(|job| job.refuse(error));
    }

    /// The same jobs, one to a batch.
    pub(super) fn split(self) -> impl Iterator<Item = Self> {
        self.jobs().map(|job| {
            let mut single = Self::default();
            // An empty batch takes any job in.
            drop(single.add(job));
            single
        })
    }

    fn jobs(self) -> impl Iterator<Item = Job> {
        let creates = self.creates.into_iter().map(Job::Create);
        let take_overs = self.take_overs.into_iter().map(Job::TakeOver);
        let appends = self.appends.into_iter().map(Job::Append);
        let submits = self.submits.into_iter().map(Job::Submit);
        creates.chain(take_overs).chain(appends).chain(submits).chain(self.parks.into_iter().map(Job::Park))
    }
}

fn answer<Q, A>(asked: Vec<Asked<Q, A>>, results: Vec<Result<A, StoreError>>) {
    for (asked, result) in asked.into_iter().zip(results) {
        asked.answer(result);
    }
}
