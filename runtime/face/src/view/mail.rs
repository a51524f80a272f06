//! Deliveries and messages to the outside.

use provost_domain::port::{DeliveryRow, MessageRow};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A delivery, without its body.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryView {
    /// Its id.
    pub delivery: String,
    /// The kind of sender.
    #[schema(example = "pagerduty")]
    pub source: String,
    /// Who handed it in.
    pub by: String,
    /// `waiting`, `done` or `bad`.
    pub state: String,
    /// What came of it, or why it is bad.
    pub note: String,
    /// The session it went to.
    pub session: Option<String>,
    /// Its size.
    pub bytes: u64,
    /// When it came.
    pub received_at: String,
}

impl From<&DeliveryRow> for DeliveryView {
    fn from(row: &DeliveryRow) -> Self {
        Self {
            delivery: row.id.to_string(),
            source: row.source.clone(),
            by: row.by.to_string(),
            state: row.state.as_str().to_owned(),
            note: row.note.clone(),
            session: row.session.map(|session| session.to_string()),
            bytes: row.bytes,
            received_at: row.at.to_string(),
        }
    }
}

/// A delivery with its body.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct DeliveryDetail {
    /// What a list shows of it.
    #[serde(flatten)]
    pub delivery: DeliveryView,
    /// What came; empty once it was dismissed or its session was erased.
    pub body: String,
}

/// A delivery that was taken.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct TakenView {
    /// Its id.
    #[schema(example = "dlv_019c0f2e6a1b7c3d8e4f5a6b7c8d9e0f")]
    pub delivery: String,
}

/// A message to the outside, without what it says.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct MessageView {
    /// Its id.
    pub message: String,
    /// The tool that sends it.
    #[schema(example = "notify:team")]
    pub target: String,
    /// The session it comes from.
    pub session: String,
    /// The key it is sent under, in every try.
    pub key: String,
    /// `waiting`, `sent` or `failed`.
    pub state: String,
    /// Why the last try did not work.
    pub note: String,
    /// How often it was tried.
    pub tries: u64,
    /// When it was stored.
    pub created_at: String,
    /// When it was last tried.
    pub tried_at: Option<String>,
    /// When it is tried next.
    pub next_at: Option<String>,
}

impl From<&MessageRow> for MessageView {
    fn from(row: &MessageRow) -> Self {
        Self {
            message: row.id.to_string(),
            target: row.target.clone(),
            session: row.session.to_string(),
            key: row.key.clone(),
            state: row.state.as_str().to_owned(),
            note: row.note.clone(),
            tries: row.tries,
            created_at: row.at.to_string(),
            tried_at: row.tried_at.map(|at| at.to_string()),
            next_at: row.next_at.map(|at| at.to_string()),
        }
    }
}
