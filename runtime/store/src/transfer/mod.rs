//! One session as a file that describes itself: written from one store, read into another.
//!
//! One JSON object per line: `session` (format, row), then each record in order behind the large results it names
//! first, then `end`. A record's bytes, salt and hashes are the stored ones, so its chain verifies as it did. `end` holds a
//! digest over all lines before it, so that a file that was cut or changed shows.

mod error;
mod export;
mod import;
mod lines;

pub use error::TransferError;
pub use export::export;
pub use import::{Imported, Importer, SessionFile};
