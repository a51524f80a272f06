//! Pages of lists.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A page of a list.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_page_token: Option<String>,
}

impl<T> Page<T> {
    /// A list that is whole.
    pub fn only(items: Vec<T>) -> Self {
        Self { items, next_page_token: None }
    }

    /// A page that goes on after its last row if it is full.
    pub(crate) fn up_to(limit: u32, items: Vec<T>, token: impl FnOnce(&T) -> String) -> Self {
        let full = u32::try_from(items.len()).is_ok_and(|count| count == limit);
        let next_page_token = items.last().filter(|_| full).map(token);
        Self { items, next_page_token }
    }
}
