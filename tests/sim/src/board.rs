//! A value that many wait on. Unlike `tokio::sync::watch`, which draws lots among its waiters, it wakes them in the order
//! in which they came.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

/// The value, shared by the clones.
#[derive(Debug)]
pub(crate) struct Board<T>(Arc<(Mutex<T>, Notify)>);

impl<T> Clone for Board<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: Clone> Board<T> {
    /// With its first value.
    pub(crate) fn new(value: T) -> Self {
        Self(Arc::new((Mutex::new(value), Notify::new())))
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value now.
    pub(crate) fn get(&self) -> T {
        self.lock().clone()
    }

    /// Changes the value and wakes all who wait.
    pub(crate) fn change(&self, change: impl FnOnce(&mut T)) {
        change(&mut self.lock());
        self.0.1.notify_waiters();
    }

    /// Waits for such a value.
    pub(crate) async fn until(&self, wanted: impl Fn(&T) -> bool) -> T {
        loop {
            let changed = self.0.1.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let now = self.get();
            if wanted(&now) {
                return now;
            }
            changed.await;
        }
    }
}
