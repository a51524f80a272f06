//! The background tasks of one engine. Each is tracked under a name, so that shutdown can wait for all of them and say
//! which ones still run.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures::{Stream, StreamExt as _};
use ractor::{ActorRef, Message};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The tasks of one engine. Cloning shares them.
#[derive(Debug, Clone, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    stopped: CancellationToken,
    running: Arc<Running>,
}

/// How many tasks of each name run.
#[derive(Debug, Default)]
struct Running(Mutex<BTreeMap<&'static str, usize>>);

impl Running {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<&'static str, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Counts one task until it is dropped, however the task ends.
#[derive(Debug)]
struct Counted {
    name: &'static str,
    running: Arc<Running>,
}

impl Drop for Counted {
    fn drop(&mut self) {
        let mut running = self.running.lock();
        if let Some(count) = running.get_mut(self.name) {
            *count -= 1;
            if *count == 0 {
                running.remove(self.name);
            }
        }
    }
}

impl Tasks {
    /// Cancelled once the engine takes no more work.
    pub fn stopped(&self) -> &CancellationToken {
        &self.stopped
    }

    /// Spawns work that runs to its end also while the engine stops: shutdown waits for it up to its limit.
    pub fn spawn<F>(&self, name: &'static str, work: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        *self.running.lock().entry(name).or_default() += 1;
        let counted = Counted { name, running: Arc::clone(&self.running) };
        self.tracker.spawn(async move {
            let _counted = counted;
            work.await
        })
    }

    /// Spawns work that is dropped where it waits once the engine stops.
    pub fn spawn_until_stopped(
        &self,
        name: &'static str,
        work: impl Future<Output = ()> + Send + 'static,
    ) -> JoinHandle<()> {
        let stopped = self.stopped.clone();
        self.spawn(name, async move {
            // Whether it ended or was dropped: nobody waits for more of it.
            let _ended = stopped.run_until_cancelled(work).await;
        })
    }

    /// Spawns work and sends the actor what came of it. An actor that is gone needs no answer.
    pub(crate) fn report<A: Message, T>(
        &self,
        name: &'static str,
        actor: &ActorRef<A>,
        work: impl Future<Output = T> + Send + 'static,
        message: impl FnOnce(T) -> A + Send + 'static,
    ) {
        let actor = actor.clone();
        drop(self.spawn(name, async move {
            let result = work.await;
            drop(actor.cast(message(result)));
        }));
    }

    /// Sends the actor each thing that comes of some work, as it comes. The work is dropped where it waits, and nothing more
    /// is sent, once it is cancelled.
    pub(crate) fn report_unless<A: Message, T: Send>(
        &self,
        (name, cancelled): (&'static str, &CancellationToken),
        actor: &ActorRef<A>,
        work: impl Stream<Item = T> + Send + 'static,
        message: impl Fn(T) -> A + Send + 'static,
    ) {
        let (actor, cancelled) = (actor.clone(), cancelled.clone());
        drop(self.spawn(name, async move {
            let mut work = pin!(work);
            while let Some(Some(result)) = cancelled.run_until_cancelled(work.next()).await {
                drop(actor.cast(message(result)));
            }
        }));
    }

    /// Cancels what ends with the engine.
    pub(crate) fn stop(&self) {
        self.stopped.cancel();
        self.tracker.close();
    }

    /// Waits until no task runs, at most so long. Returns how many of which still run then.
    pub(crate) async fn wait(&self, limit: Duration) -> BTreeMap<&'static str, usize> {
        self.tracker.close();
        match tokio::time::timeout(limit, self.tracker.wait()).await {
            Ok(()) => BTreeMap::new(),
            Err(_elapsed) => self.running.lock().clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_ends_with_the_engine_is_waited_for_and_the_rest_is_named() {
        let tasks = Tasks::default();
        drop(tasks.spawn_until_stopped("looking", std::future::pending()));
        let (release, released) = tokio::sync::oneshot::channel::<()>();
        drop(tasks.spawn("appending", released));
        drop(tasks.spawn("appending", async {}));
        tasks.stop();
        assert_eq!(tasks.wait(Duration::from_secs(1)).await, BTreeMap::from([("appending", 1)]));
        release.send(()).unwrap();
        assert_eq!(tasks.wait(Duration::from_secs(1)).await, BTreeMap::new());
    }

    #[tokio::test]
    async fn a_task_that_panics_is_not_counted_any_more() {
        let tasks = Tasks::default();
        assert!(tasks.spawn("panicking", async { panic!("as told") }).await.is_err());
        assert_eq!(tasks.wait(Duration::ZERO).await, BTreeMap::new());
    }
}
