//! The one writer: drains what is queued into one transaction, commits, then answers everyone.

use std::collections::HashSet;
use std::fs::File;
use std::sync::Mutex;

use provost_domain::ids::{Handle, Owner, SessionId};
use provost_domain::port::{Append, Appended, InboxEntry, NewSession, Park, Parked, StoreError, Submitted, TakenOver};
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tokio_util::task::TaskTracker;

use super::open::Durability;
use super::rows::failed;
use super::{append, writes};

/// Jobs that may wait: more callers wait in line at the queue's door.
const QUEUE_MAX: usize = 1024;
/// Jobs in one transaction: keeps one commit short enough for the next caller.
const BATCH_MAX: usize = 256;

pub(super) type Reply<T> = oneshot::Sender<Result<T, StoreError>>;

/// One write and whom to answer once it is durable.
#[derive(Debug)]
pub(super) enum Job {
    Create(NewSession, Reply<Handle>),
    TakeOver(SessionId, Owner, Reply<TakenOver>),
    Append(Box<Append>, Reply<Appended>),
    Park(Park, Reply<Parked>),
    Submit(SessionId, Box<InboxEntry>, Reply<Submitted>),
}

/// What is sent once the transaction is durable.
pub(super) type Answer = Box<dyn FnOnce(Option<&StoreError>) + Send>;

/// Answers with the result, or with the failure of the commit it depended on.
pub(super) fn answer<T: Send + 'static>(reply: Reply<T>, result: Result<T, StoreError>) -> Answer {
    Box::new(move |failure| {
        let result = failure.map_or(result, |failure| Err(failure.clone()));
        // A caller that stopped waiting learns the outcome from the store when it asks again.
        drop(reply.send(result));
    })
}

#[derive(Debug)]
pub(super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    tasks: TaskTracker,
    durability: Durability,
}

impl Writer {
    pub(super) fn start(connection: SqliteConnection, lock: File, durability: Durability) -> Self {
        let (sender, receiver) = mpsc::channel(QUEUE_MAX);
        let tasks = TaskTracker::new();
        drop(tasks.spawn(run(connection, receiver, lock)));
        tasks.close();
        Self { jobs: Mutex::new(Some(sender)), tasks, durability }
    }

    pub(super) fn durability(&self) -> &Durability {
        &self.durability
    }

    pub(super) async fn ask<T>(&self, job: impl FnOnce(Reply<T>) -> Job) -> Result<T, StoreError> {
        let closed = || StoreError::Failed { detail: "the store is closed; start the process again".to_owned() };
        let sender = self.jobs.lock().ok().and_then(|jobs| jobs.clone()).ok_or_else(closed)?;
        let (reply, result) = oneshot::channel();
        sender.send(job(reply)).await.map_err(|_closed| closed())?;
        drop(sender);
        result.await.map_err(|_closed| closed())?
    }

    pub(super) async fn close(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        self.tasks.wait().await;
    }
}

/// Owns the connection and the lock file until the queue closes or a commit fails.
async fn run(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<Job>, lock: File) {
    let mut held_back = Vec::new();
    loop {
        let mut batch = std::mem::take(&mut held_back);
        if batch.is_empty() {
            match jobs.recv().await {
                Some(job) => batch.push(job),
                None => break,
            }
        }
        while batch.len() < BATCH_MAX
            && let Ok(job) = jobs.try_recv()
        {
            batch.push(job);
        }
        held_back = one_per_session(&mut batch);
        if let Err(error) = commit(&mut connection, batch).await {
            tracing::error!(%error, "a commit failed; the store refuses all further writes");
            // The handle is never used again: what reached the disk is only known after a restart.
            drop(held_back);
            return;
        }
    }
    if let Err(error) = connection.close().await {
        tracing::warn!(%error, "closing the store");
    }
    drop(lock);
}

/// Keeps one job per session in the batch, in order, and hands back the rest for the next.
fn one_per_session(batch: &mut Vec<Job>) -> Vec<Job> {
    let mut seen = HashSet::new();
    let (now, later): (Vec<Job>, Vec<Job>) =
        std::mem::take(batch).into_iter().partition(|job| session_of(job).is_none_or(|session| seen.insert(session)));
    *batch = now;
    later
}

fn session_of(job: &Job) -> Option<SessionId> {
    match job {
        Job::Create(..) => None,
        Job::TakeOver(session, ..) | Job::Submit(session, ..) => Some(*session),
        Job::Append(append, _) => Some(append.session),
        Job::Park(park, _) => Some(park.session),
    }
}

/// One transaction for the whole batch. Every job's own refusal is an answer; an error here is the storage's.
async fn commit(connection: &mut SqliteConnection, batch: Vec<Job>) -> Result<(), sqlx::Error> {
    let mut answers = Vec::with_capacity(batch.len());
    let result = write(connection, batch, &mut answers).await;
    let failure = result.as_ref().err().map(failed);
    for answer in answers {
        answer(failure.as_ref());
    }
    result
}

async fn write(
    connection: &mut SqliteConnection,
    batch: Vec<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), sqlx::Error> {
    let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await?;
    let mut appends = Vec::new();
    for job in batch {
        match job {
            Job::Append(append, reply) => appends.push((*append, reply)),
            Job::Create(new, reply) => {
                answers.push(answer(reply, writes::create(&mut transaction, new).await?));
            }
            Job::TakeOver(session, owner, reply) => {
                answers.push(answer(reply, writes::take_over(&mut transaction, session, &owner).await?));
            }
            Job::Park(park, reply) => answers.push(answer(reply, writes::park(&mut transaction, &park).await?)),
            Job::Submit(session, entry, reply) => {
                answers.push(answer(reply, writes::submit(&mut transaction, session, &entry).await?));
            }
        }
    }
    append::write_all(&mut transaction, appends, answers).await?;
    transaction.commit().await
}
