//! What keeps two owners apart. Always in place; the feature `controls`, which nothing shipped enables, lets a proof take
//! one guard away, to see that the proof then fails.

/// A guard that a store can be told to do without.
#[cfg(feature = "controls")]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// Appends and parkings are taken from whoever sends them. Only the log's head still has to be the expected one.
    Fence,
    /// A session is parked over commands that its owner did not see, and they count as seen.
    WakeSeq,
    /// Messages count as sent once they are taken up to be sent. In memory only.
    Noting,
    /// A session is erased as its row was read, whatever came since. In memory only.
    AtRest,
    /// A claim is taken whoever holds it. In memory only.
    Claims,
}

/// The guards in place.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Guards {
    #[cfg(feature = "controls")]
    pub(crate) removed: Option<Removed>,
}

#[cfg(feature = "controls")]
impl Guards {
    /// Whether a write must come from the session's owner, under its fence.
    pub(crate) fn fence(self) -> bool {
        self.removed != Some(Removed::Fence)
    }

    /// Whether parking must have seen every command.
    pub(crate) fn wake_seq(self) -> bool {
        self.removed != Some(Removed::WakeSeq)
    }

    /// Whether a message waits until its target has taken it.
    pub(crate) fn noting(self) -> bool {
        self.removed != Some(Removed::Noting)
    }

    /// Whether a session is erased only while it rests, unchanged since it was read.
    pub(crate) fn at_rest(self) -> bool {
        self.removed != Some(Removed::AtRest)
    }

    /// Whether a claim is taken only while nobody holds its key.
    pub(crate) fn claims(self) -> bool {
        self.removed != Some(Removed::Claims)
    }
}

#[cfg(not(feature = "controls"))]
#[expect(clippy::unused_self, reason = "with the feature `controls` it depends")]
impl Guards {
    /// Whether a write must come from the session's owner, under its fence.
    pub(crate) const fn fence(self) -> bool {
        true
    }

    /// Whether parking must have seen every command.
    pub(crate) const fn wake_seq(self) -> bool {
        true
    }

    /// Whether a message waits until its target has taken it.
    pub(crate) const fn noting(self) -> bool {
        true
    }

    /// Whether a session is erased only while it rests, unchanged since it was read.
    pub(crate) const fn at_rest(self) -> bool {
        true
    }
    /// Whether a claim is taken only while nobody holds its key.
    pub(crate) const fn claims(self) -> bool {
        true
    }
}
