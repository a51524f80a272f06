//! How a store is opened, and what is there before it is.

use std::num::NonZeroU32;

use crate::guards::Guards;

/// Bounds of a store.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OpenOptions {
    /// The file's largest size in pages of 4 KiB; past it, writes fail as on a full disk. `None`: SQLite's own bound.
    pub max_pages: Option<NonZeroU32>,
    /// A guard to do without.
    #[cfg(feature = "controls")]
    pub removed: Option<crate::guards::Removed>,
    /// Whether other processes may write to it at the same time: the lock file is not taken.
    #[cfg(feature = "controls")]
    pub shared: bool,
}

/// What is where a store would be opened for writing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// Nothing yet: a new store would begin there.
    Empty,
    /// A store of this program's version.
    Current,
    /// A store of an earlier version, which opening brings up to date.
    Older {
        /// Its schema's version.
        version: i64,
    },
    /// A store that another process holds.
    Held {
        /// What is held and by whom.
        detail: String,
    },
}

impl OpenOptions {
    /// The guards that stay in place.
    #[cfg(feature = "controls")]
    pub(crate) fn guards(self) -> Guards {
        Guards { removed: self.removed }
    }

    /// The guards that stay in place: all of them.
    #[cfg(not(feature = "controls"))]
    #[expect(clippy::unused_self, reason = "with the feature `controls` it depends")]
    pub(crate) fn guards(self) -> Guards {
        Guards::default()
    }

    /// Whether the file must be this process's alone.
    #[cfg(feature = "controls")]
    pub(crate) fn alone(self) -> bool {
        !self.shared
    }

    /// Whether the file must be this process's alone.
    #[cfg(not(feature = "controls"))]
    #[expect(clippy::unused_self, reason = "with the feature `controls` it depends")]
    pub(crate) const fn alone(self) -> bool {
        true
    }
}
