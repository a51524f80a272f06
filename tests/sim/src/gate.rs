//! Whether a node lives: everything it does in the world passes here. A dead node does nothing more and is told nothing
//! more, whatever its tasks still compute.

use crate::board::Board;

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
pub(crate) struct Gate(Board<Life>);

impl Gate {
    /// Of a node that runs.
    pub(crate) fn open() -> Self {
        Self(Board::new(Life::Runs))
    }

    /// How its node is now.
    pub(crate) fn life(&self) -> Life {
        self.0.get()
    }

    /// From now on its node is like this; the dead stay so.
    pub(crate) fn set(&self, life: Life) {
        self.0.change(|now| *now = if *now == Life::Dead { Life::Dead } else { life });
    }

    /// Returns when its node may go on; never, once it is dead.
    pub(crate) async fn pass(&self) {
        self.0.until(|life| matches!(life, Life::Runs | Life::Stale)).await;
    }

    /// Returns once its node is dead.
    pub(crate) async fn dead(&self) {
        self.0.until(|life| *life == Life::Dead).await;
    }
}
