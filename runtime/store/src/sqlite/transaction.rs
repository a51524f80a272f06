//! The statements around others: they begin, divide and end transactions, and empty the write-ahead log.

pub(super) const BEGIN: &str = "BEGIN IMMEDIATE";
pub(super) const COMMIT: &str = "COMMIT";
pub(super) const ROLLBACK: &str = "ROLLBACK";
pub(super) const SAVEPOINT: &str = "SAVEPOINT job";
pub(super) const UNDO: &str = "ROLLBACK TO job";
pub(super) const RELEASE: &str = "RELEASE job";
pub(super) const CHECKPOINT: &str = "PRAGMA wal_checkpoint(TRUNCATE)";
