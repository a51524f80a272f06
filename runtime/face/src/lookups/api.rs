//! The read side of a store, for callers, and the size of a page.

use std::sync::Arc;

use provost_domain::port::Reads;

use crate::code::Code;
use crate::error::OperationError;

/// Rows of a page when the caller does not say.
const PAGE: u32 = 50;
/// Most rows of a page.
const PAGE_MAX: u32 = 500;

/// The read side of a store, for callers.
#[derive(Debug, Clone)]
pub struct Lookups {
    reads: Arc<dyn Reads>,
}

impl Lookups {
    /// Over the read side of a store.
    pub fn new(reads: Arc<dyn Reads>) -> Self {
        Self { reads }
    }

    pub(super) fn reads(&self) -> &dyn Reads {
        &*self.reads
    }
}

/// How many rows a page has: what the caller says, or 50.
///
/// # Errors
/// It is none or more than 500.
pub fn page_size(asked: Option<u32>) -> Result<u32, OperationError> {
    match asked.unwrap_or(PAGE) {
        size @ 1..=PAGE_MAX => Ok(size),
        size => Err(OperationError::new(Code::InvalidRequest, format!("page_size is 1 to {PAGE_MAX}, not {size}"))),
    }
}
