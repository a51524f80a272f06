//! Whether a node lives: everything it does in the world passes here. A dead node does nothing more and is told nothing
//! more, whatever its tasks still compute.

use tokio::sync::watch;

/// How a node is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    /// It works.
    Runs,
    /// It stands still, as under SIGSTOP: what it sends arrives later.
    Stands,
    /// It runs again, after another node has taken its place, and does not know that yet.
    Stale,
    /// It is gone.
    Dead,
}

/// The gate of one node, shared by its clones.
#[derive(Debug, Clone)]
pub(crate) struct Gate(watch::Sender<Life>);

impl Gate {
    /// Of a node that runs.
    pub(crate) fn open() -> Self {
        Self(watch::Sender::new(Life::Runs))
    }

    /// How its node is now.
    pub(crate) fn life(&self) -> Life {
        *self.0.borrow()
    }

    /// From now on its node is like this; the dead stay so.
    pub(crate) fn set(&self, life: Life) {
        self.0.send_if_modified(|now| *now != Life::Dead && std::mem::replace(now, life) != life);
    }

    /// Returns when its node may go on; never, once it is dead.
    pub(crate) async fn pass(&self) {
        let mut now = self.0.subscribe();
        let goes_on = now.wait_for(|life| matches!(life, Life::Runs | Life::Stale | Life::Dead)).await;
        let dead = goes_on.is_ok_and(|life| *life == Life::Dead);
        if dead {
            std::future::pending::<()>().await;
        }
    }

    /// Returns once its node is dead.
    pub(crate) async fn dead(&self) {
        let mut now = self.0.subscribe();
        drop(now.wait_for(|life| *life == Life::Dead).await.map(drop));
    }
}
