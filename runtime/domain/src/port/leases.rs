//! The seam to who of the nodes is alive.
//!
//! A node is one incarnation of a process: it begins with the process, under an [`Owner`] minted then, and never comes back.
//! A lease says that it is alive. It gives no authority: what keeps an owner that is dead, or only slow, from writing is the
//! fence of each session. A lease that is wrong costs takeovers, never correctness.
//!
//! Where several nodes share a store, each has a row of its own there (table `nodes`), written by the database's clock and
//! renewed every third of its term on a connection of its own. The node itself trusts its lease only until the moment it
//! *sent* the last renewal, plus the term, less a margin, on its monotonic clock; a renewal that finds its lease lost ends the
//! process. Where one process holds the whole store, the lock that it holds says the same for life.

use std::time::Duration;

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::Owner;

/// What a node holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lease {
    /// The incarnation it is for.
    pub owner: Owner,
    /// How long it lasts.
    pub term: LeaseTerm,
}

/// How long a lease lasts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseTerm {
    /// As long as the process lives: the storage itself is held.
    Process,
    /// So long after the acquiring or renewing was sent. Less a margin, that is how long the node may trust it.
    Lasts(Duration),
}

/// What renewing a lease came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Renewal {
    /// It lasts from now on.
    Renewed(Lease),
    /// It is over: others may have taken this node's sessions. The process has to end.
    Lost,
}

/// What is known of an incarnation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HolderState {
    /// Its lease lasts.
    Alive,
    /// It has none, or none that lasts: its sessions may be taken over.
    Dead,
}

/// Leases of nodes.
#[async_trait]
pub trait Leases: Send + Sync + std::fmt::Debug {
    /// Gives a new incarnation its lease. Once it returns, every node that looks sees it alive.
    async fn acquire(&self, owner: &Owner) -> Result<Lease, StoreError>;

    /// Renews a lease that lasts. [`Renewal::Lost`] where it does not: it is never revived.
    async fn renew(&self, lease: &Lease) -> Result<Renewal, StoreError>;

    /// Whether an incarnation is alive.
    async fn state(&self, owner: &Owner) -> Result<HolderState, StoreError>;
}
