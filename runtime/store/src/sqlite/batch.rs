//! The jobs of one transaction, by kind, so that each kind is a few statements however many jobs there are.

use std::collections::{HashMap, HashSet};

use provost_domain::ids::SessionId;
use provost_domain::port::{
    Append, Appended, ImportAnswer, ImportedSession, NewDelivery, NewSession, Park, Parked, StoreError, Submitted,
};
use sqlx::SqliteConnection;

use super::job::{Asked, Job, Submission, TakeOver, Taken};
use super::session_row::Stored;
use super::statement::Statement;
use super::tx::{Then, Tx};
use super::{append, deliveries, imports, inbox, sessions};

/// At most one job per session: then the order of kinds within the transaction changes nothing, and two appends of one
/// session cannot both match its row.
#[derive(Debug, Default)]
pub(super) struct Batch {
    sessions: HashSet<SessionId>,
    creates: Vec<Asked<NewSession, ()>>,
    take_overs: Vec<Asked<TakeOver, Taken>>,
    appends: Vec<Asked<Box<Append>, Appended>>,
    imports: Vec<Asked<Box<ImportedSession>, ImportAnswer>>,
    submits: Vec<Asked<Submission, Submitted>>,
    parks: Vec<Asked<Park, Parked>>,
    deliveries: Vec<Asked<NewDelivery, ()>>,
    statements: Vec<Asked<Vec<Statement>, u64>>,
    scrubs: Vec<Asked<(), ()>>,
}

/// What a batch's statements changed.
#[derive(Debug)]
pub(super) struct Written {
    take_overs: HashMap<SessionId, Result<Stored, StoreError>>,
    imports: HashSet<SessionId>,
    submits: HashSet<SessionId>,
    parks: HashSet<SessionId>,
    appends: HashSet<SessionId>,
    /// The rows the last statement of each job changed.
    statements: Vec<u64>,
}

impl Batch {
    /// Takes the job in, or hands it back when its session has one in here already.
    pub(super) fn add(&mut self, job: Job) -> Option<Job> {
        if let Some(session) = job.session()
            && !self.sessions.insert(session)
        {
            return Some(job);
        }
        match job {
            Job::Create(asked) => self.creates.push(asked),
            Job::TakeOver(asked) => self.take_overs.push(asked),
            Job::Append(asked) => self.appends.push(asked),
            Job::Import(asked) => self.imports.push(asked),
            Job::Submit(asked) => self.submits.push(asked),
            Job::Park(asked) => self.parks.push(asked),
            Job::Deliver(asked) => self.deliveries.push(asked),
            Job::Execute(asked) => self.statements.push(asked),
            Job::Scrub(asked) => self.scrubs.push(asked),
        }
        None
    }

    /// The number of jobs.
    pub(super) fn len(&self) -> usize {
        self.sessions.len() + self.deliveries.len() + self.statements.len() + self.scrubs.len()
    }

    /// Takes out what is done after the transaction.
    pub(super) fn scrubs(&mut self) -> Vec<Asked<(), ()>> {
        std::mem::take(&mut self.scrubs)
    }

    /// Writes everything. It is durable once the transaction is finished; an error is the transaction's.
    pub(super) async fn apply(&self, tx: &mut Tx<'_>) -> Result<Written, sqlx::Error> {
        let first = self.creates.iter().filter_map(|asked| asked.request.first.as_deref());
        let appends: Vec<&Append> = first.chain(self.appends.iter().map(|asked| &*asked.request)).collect();
        let left = [self.creates.len(), self.take_overs.len(), self.submits.len(), self.parks.len(), appends.len()];
        // Whether kinds after the n-th have work.
        let then = |n: usize| if left.iter().skip(n).all(|jobs| *jobs == 0) { Then::Commit } else { Then::More };
        let statements = tx.each(&self.statements).await?;
        let imports = imports::write(tx, &self.imports).await?;
        deliveries::store(tx, &self.deliveries, then(0)).await?;
        sessions::create(tx, &self.creates, then(1)).await?;
        Ok(Written {
            statements,
            imports,
            take_overs: sessions::take_over(tx, &self.take_overs, then(2)).await?,
            submits: inbox::submit(tx, &self.submits, then(3)).await?,
            parks: sessions::park(tx, &self.parks, then(4)).await?,
            appends: append::write(tx, &appends, then(5)).await?,
        })
    }

    /// Tells every caller what came of its job. Only once the transaction is durable.
    pub(super) async fn answer(self, connection: &mut SqliteConnection, written: Written) {
        self.deliveries.into_iter().for_each(|asked| asked.answer(Ok(())));
        self.creates.into_iter().for_each(|asked| asked.answer(Ok(())));
        let appended = append::explain(connection, &self.appends, &written.appends).await;
        answer(self.appends, appended);
        let imported = imports::explain(connection, &self.imports, &written.imports).await;
        answer(self.imports, imported);
        let taken = sessions::explain_takeovers(connection, &self.take_overs, written.take_overs).await;
        answer(self.take_overs, taken);
        let submitted = inbox::explain(connection, &self.submits, &written.submits).await;
        answer(self.submits, submitted);
        let parked = sessions::explain_parks(connection, &self.parks, &written.parks).await;
        answer(self.parks, parked);
        answer(self.statements, written.statements.into_iter().map(Ok).collect());
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
        let imports = self.imports.into_iter().map(Job::Import);
        let submits = self.submits.into_iter().map(Job::Submit);
        let parks = self.parks.into_iter().map(Job::Park);
        let deliveries = self.deliveries.into_iter().map(Job::Deliver);
        let statements = self.statements.into_iter().map(Job::Execute);
        let scrubs = self.scrubs.into_iter().map(Job::Scrub);
        let of_sessions = creates.chain(take_overs).chain(appends).chain(imports).chain(submits).chain(parks);
        of_sessions.chain(deliveries).chain(statements).chain(scrubs)
    }
}

fn answer<Q, A>(asked: Vec<Asked<Q, A>>, results: Vec<Result<A, StoreError>>) {
    for (asked, result) in asked.into_iter().zip(results) {
        asked.answer(result);
    }
}
