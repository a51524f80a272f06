//! SQLite: one writer that drains a queue into group commits, and readers that never wait for it.
//!
//! | file | what |
//! |---|---|
//! | `store`, `reads` | the ports: what writes, and what reads beside it |
//! | `open`, `place`, `schema`, `settings` | a database of ours, alone, with its settings read back |
//! | `inode`, `watch` | the lock on the file itself, and whether its name still leads to it |
//! | `look` | what opening would find, without opening |
//! | `ahead` | a write-ahead log that lacks nothing |
//! | `writer`, `batch`, `job` | the queue, the transaction, the answers |
//! | `tx`, `bulk`, `statement`, `transaction` | few trips to the connection: one statement for many rows, `BEGIN` and `COMMIT` travelling along |
//! | `sessions`, `session_row` | the session rows: written, and read |
//! | `append`, `held`, `records` | the log: written by who holds the session's row, and read |
//! | `inbox`, `approvals`, `claims`, `contents`, `snapshots`, `tokens`, `page_sessions`, `requests` | one table each |
//! | `deliveries` | deliveries, their groups, and what those know |
//! | `outbox` | messages to the outside |
//! | `attention` | what people are told of sessions |
//! | `backup` | a copy beside whoever writes |
//! | `imports` | sessions of other stores |
//! | `examine` | sessions as one moment saw them |
//! | `tables` | every row beside the logs, decoded |
//! | `packs` | packs as files |
//! | `erasure` | erasing closed sessions, and rewriting the files afterwards |
//! | `prune` | deleting what is finished and old |
//! | `rows`, `error` | columns to values, the driver's errors |

mod ahead;
mod append;
mod approvals;
mod attention;
mod backup;
mod batch;
mod bulk;
mod claims;
mod contents;
#[cfg(test)]
mod costs;
mod deliveries;
mod erasure;
mod error;
mod examine;
mod held;
mod imports;
mod inbox;
mod inode;
mod job;
mod look;
mod open;
mod outbox;
mod packs;
mod page_sessions;
mod place;
mod prune;
mod reads;
mod records;
mod requests;
mod rows;
mod schema;
mod session_row;
mod sessions;
mod settings;
mod snapshots;
mod statement;
mod store;
mod tables;
#[cfg(test)]
mod tests;
mod tokens;
mod transaction;
mod tx;
mod watch;
mod writer;

pub(crate) use look::look;
pub use reads::SqliteReads;
pub use settings::Durability;
pub use store::SqliteStore;
