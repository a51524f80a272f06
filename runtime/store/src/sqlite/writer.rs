//! The one writer: drains what is queued into one transaction, commits, then answers everyone (group commit).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use provost_domain::port::StoreError;
use sqlx::{Connection as _, SqliteConnection};
use tokio::sync::{SetOnce, mpsc};
use tokio_util::task::TaskTracker;

use super::batch::{Batch, Written};
use super::erasure::{self, NotScrubbed};
use super::error::{Fault, failed, fault};
use super::job::{Asked, Job};
use super::place::Locks;
use super::transaction::{BEGIN, CHECKPOINT, COMMIT, RELEASE, ROLLBACK, SAVEPOINT, UNDO};
use super::tx::Tx;
use super::watch::FileWatch;
use crate::guards::Guards;

/// Jobs that may wait: more callers wait in line at the queue's door.
const QUEUE_MAX: usize = 1024;
/// Jobs in one transaction: keeps a commit short enough for the next caller.
const BATCH_MAX: usize = 256;

/// The handle to the writing task.
#[derive(Debug)]
pub(super) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    tasks: TaskTracker,
    /// Why it stopped, once the storage failed under it.
    dead: Arc<SetOnce<StoreError>>,
}

impl Writer {
    /// Starts the task; it keeps `locks` for as long as it may write, and stops when `watch` finds the files gone.
    pub(super) fn start(connection: SqliteConnection, watch: FileWatch, locks: Locks, guards: Guards) -> Self {
        let (sender, jobs) = mpsc::channel(QUEUE_MAX);
        let (tasks, dead) = (TaskTracker::new(), Arc::new(SetOnce::new()));
        let dead_task = Arc::clone(&dead);
        let task = Task { connection, jobs, held_back: VecDeque::new(), dead: dead_task, watch, locks, guards };
        drop(tasks.spawn(task.run()));
        tasks.close();
        Self { jobs: Mutex::new(Some(sender)), tasks, dead }
    }

    /// Queues a job; once it returns `Ok`, what it says is durable.
    pub(super) async fn ask<Q, A>(&self, job: fn(Asked<Q, A>) -> Job, request: Q) -> Result<A, StoreError> {
        let sender = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let sender = sender.ok_or_else(|| self.stopped())?;
        let (asked, result) = Asked::new(request);
        sender.send(job(asked)).await.map_err(|_unsent| self.stopped())?;
        // A sender kept while waiting would keep the task from ending.
        drop(sender);
        result.await.map_err(|_unanswered| self.stopped())?
    }

    /// Writes what is queued, checkpoints and closes the connection.
    pub(super) async fn close(&self) {
        drop(self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
        self.tasks.wait().await;
    }

    /// Waits until the storage fails under it, if ever.
    pub(super) async fn died(&self) -> StoreError {
        self.dead.wait().await.clone()
    }

    fn stopped(&self) -> StoreError {
        let closed = || StoreError::Failed { detail: "the store is closed; start again".to_owned() };
        self.dead.get().cloned().unwrap_or_else(closed)
    }
}

/// Owns the write connection and the locks.
struct Task {
    connection: SqliteConnection,
    jobs: mpsc::Receiver<Job>,
    /// Jobs whose session had one in the batch before.
    held_back: VecDeque<Job>,
    dead: Arc<SetOnce<StoreError>>,
    watch: FileWatch,
    locks: Locks,
    guards: Guards,
}

impl Task {
    async fn run(mut self) {
        loop {
            let written = match self.next().await {
                Ok(Some(batch)) => self.write(batch).await,
                Ok(None) => break,
                Err(lost) => Err(lost),
            };
            if let Err(error) = written {
                tracing::error!(%error, "the storage failed: the store refuses every further write");
                return self.die(error).await;
            }
        }
        if let Err(error) = sqlx::query(CHECKPOINT).execute(&mut self.connection).await {
            tracing::warn!(%error, "the log stays beside the database until the next start");
        }
        if let Err(error) = self.connection.close().await {
            tracing::warn!(%error, "closing the store");
        }
        drop(self.locks);
    }

    /// What is queued now, without waiting for more. `None` once every caller is gone; an error once the files are.
    async fn next(&mut self) -> Result<Option<Batch>, StoreError> {
        let mut batch = Batch::default();
        for job in std::mem::take(&mut self.held_back) {
            self.held_back.extend(batch.add(job));
        }
        if batch.len() == 0 {
            let job = tokio::select! {
                job = self.jobs.recv() => job,
                lost = self.watch.lost() => return Err(lost),
            };
            let Some(job) = job else { return Ok(None) };
            self.held_back.extend(batch.add(job));
        }
        while batch.len() < BATCH_MAX
            && self.held_back.len() < QUEUE_MAX
            && let Ok(job) = self.jobs.try_recv()
        {
            self.held_back.extend(batch.add(job));
        }
        Ok(Some(batch))
    }

    /// One transaction for the batch, then the answers. An error means that the handle must not be used again.
    async fn write(&mut self, mut batch: Batch) -> Result<(), StoreError> {
        let scrubs = batch.scrubs();
        if batch.len() > 0 {
            self.commit_all(batch).await?;
        }
        self.scrub(scrubs).await
    }

    /// Rewrites the files once for everybody who asked. What was asked before is durable by now.
    async fn scrub(&mut self, asked: Vec<Asked<(), ()>>) -> Result<(), StoreError> {
        if asked.is_empty() {
            return Ok(());
        }
        let scrubbed = erasure::scrub(&mut self.connection).await;
        let (result, fatal) = match scrubbed {
            Ok(()) => (Ok(()), false),
            Err(NotScrubbed { error, fatal }) => (Err(error), fatal),
        };
        for asked in asked {
            asked.answer(result.clone());
        }
        if fatal { result } else { Ok(()) }
    }

    async fn commit_all(&mut self, batch: Batch) -> Result<(), StoreError> {
        let error = match self.commit(&batch).await {
            Ok(written) => {
                if let Err(lost) = self.watch.look() {
                    batch.refuse(&lost);
                    return Err(lost);
                }
                batch.answer(&mut self.connection, written).await;
                return Ok(());
            }
            Err(error) => error,
        };
        match fault(&error) {
            Fault::Refused => self.replay(batch).await,
            Fault::Busy => {
                // Either nothing began or it is undone; a failing undo shows at the next begin.
                drop(self.execute(ROLLBACK).await);
                batch.refuse(&failed(&error));
                Ok(())
            }
            Fault::Fatal => {
                let error = failed(&error);
                batch.refuse(&error);
                Err(error)
            }
        }
    }

    async fn commit(&mut self, batch: &Batch) -> Result<Written, sqlx::Error> {
        let mut tx = Tx::new(&mut self.connection, self.guards);
        let written = batch.apply(&mut tx).await?;
        tx.finish().await?;
        Ok(written)
    }

    /// A rule of the schema refused a row: each job again by itself, so that only the guilty one is refused. A busy
    /// database refuses them all, as at the first try.
    async fn replay(&mut self, batch: Batch) -> Result<(), StoreError> {
        let singles: Vec<Batch> = batch.split().collect();
        match self.commit_each(&singles).await {
            Ok(results) => {
                if let Err(lost) = self.watch.look() {
                    for single in singles {
                        single.refuse(&lost);
                    }
                    return Err(lost);
                }
                for (single, result) in singles.into_iter().zip(results) {
                    match result {
                        Ok(written) => single.answer(&mut self.connection, written).await,
                        Err(error) => single.refuse(&error),
                    }
                }
                Ok(())
            }
            Err(error) => {
                let busy = fault(&error) == Fault::Busy;
                let error = failed(&error);
                for single in singles {
                    single.refuse(&error);
                }
                if !busy {
                    return Err(error);
                }
                // A failing undo shows at the next begin.
                drop(self.execute(ROLLBACK).await);
                Ok(())
            }
        }
    }

    async fn commit_each(&mut self, singles: &[Batch]) -> Result<Vec<Result<Written, StoreError>>, sqlx::Error> {
        // Nothing is open when the refused statement was a transaction by itself.
        drop(self.execute(ROLLBACK).await);
        self.execute(BEGIN).await?;
        let mut results = Vec::with_capacity(singles.len());
        for single in singles {
            self.execute(SAVEPOINT).await?;
            let result = single.apply(&mut Tx::nested(&mut self.connection, self.guards)).await;
            match result {
                Ok(written) => results.push(Ok(written)),
                Err(error) if fault(&error) == Fault::Refused => {
                    self.execute(UNDO).await?;
                    results.push(Err(failed(&error)));
                }
                Err(error) => return Err(error),
            }
            self.execute(RELEASE).await?;
        }
        self.execute(COMMIT).await?;
        Ok(results)
    }

    async fn execute(&mut self, sql: &'static str) -> Result<(), sqlx::Error> {
        sqlx::query(sql).execute(&mut self.connection).await.map(drop)
    }

    /// Says so, and answers everyone who waits; the connection is dropped without another statement.
    async fn die(mut self, error: StoreError) {
        if self.watch.is_lost() {
            // To close it would delete the write-ahead log by its name, which may be another database's by now.
            std::mem::forget(self.connection);
        }
        // Nobody else sets it.
        drop(self.dead.set(error.clone()));
        self.jobs.close();
        self.held_back.drain(..).for_each(|job| job.refuse(&error));
        while let Some(job) = self.jobs.recv().await {
            job.refuse(&error);
        }
    }
}
