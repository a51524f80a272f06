//! Why a session could not be brought from or to a file.

use std::io;

use provost_domain::port::StoreError;

/// Why a session could not be brought from or to a file.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The file is not an exported session or was changed, or its session cannot be stored here.
    #[error("line {line}: {what}; nothing was imported")]
    File {
        /// The line, from 1.
        line: u64,
        /// What is wrong and what to do.
        what: String,
    },
    /// The session cannot be exported as it is.
    #[error("{what}")]
    Session {
        /// Why, and what to do.
        what: String,
    },
    /// The file cannot be read or written.
    #[error("the file cannot be read or written; check the disk")]
    Io(#[from] io::Error),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}
