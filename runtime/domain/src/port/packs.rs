//! The seam to packs kept as files: a session goes on under the rules it was opened with, whatever is configured later.

use async_trait::async_trait;

use super::error::StoreError;
use crate::ids::{Digest, PackName};
use crate::pack::PackFiles;

/// One version of a pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptPack {
    /// What its sessions pinned.
    pub digest: Digest,
    /// The name by which sessions refer to the pack.
    pub name: PackName,
    /// All files of this version, as they were loaded.
    pub files: PackFiles,
}

/// Packs by their digests: writes.
#[async_trait]
pub trait PackShelf: Send + Sync + std::fmt::Debug {
    /// Keeps packs; one that is kept stays as it is. Once it returns, they are durable.
    async fn keep(&self, packs: &[KeptPack]) -> Result<(), StoreError>;
}

/// Reads of the same.
#[async_trait]
pub trait PackReads: Send + Sync + std::fmt::Debug {
    /// The kept packs that some session may still be carried on with: one that has not ended, or whose end a person can
    /// leave again. One whose row is damaged is an error in its place: the others are still needed.
    async fn needed(&self) -> Result<Vec<Result<KeptPack, StoreError>>, StoreError>;
}
