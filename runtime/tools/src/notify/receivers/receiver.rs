//! What a receiver is: first as configured, then built with its secrets.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use provost_domain::time::Timestamp;
use provost_domain::tool::ToolCall;
use provost_form::{ErrorLog, ReadSecret, SecretError, SecretPlace, Table};
use reqwest::Client;
use secrecy::SecretString;
use serde_json::Value;

use crate::http::PostFailure;

/// Reads the keys of one kind.
pub(in crate::notify) type ReadReceiver = fn(&Table<'_>, &mut ErrorLog) -> Arc<dyn ReceiverSection>;

/// Reads a kind's own section.
pub(super) fn read<S: OwnSection + 'static>(table: &Table<'_>, log: &mut ErrorLog) -> Arc<dyn ReceiverSection> {
    Arc::new(S::read(table, log))
}

/// How a kind reads its keys. Unknown ones are refused before.
pub(super) trait OwnSection: ReceiverSection + Sized {
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self;
}

/// A receiver as configured: it names only the places of its secrets.
pub(in crate::notify) trait ReceiverSection: fmt::Debug + Send + Sync {
    /// Where its secrets are.
    fn places(&self) -> Vec<&SecretPlace>;

    /// The receiver with its secrets.
    ///
    /// # Errors
    /// A secret cannot be read, or the receiver cannot be reached as configured.
    fn open(&self, secret: ReadSecret<'_>) -> Result<Arc<dyn Receiver>, BadReceiver>;
}

/// Why a receiver cannot be built.
#[derive(Debug)]
pub(in crate::notify) enum BadReceiver {
    /// A secret is not where the configuration says.
    Secret(SecretError),
    /// What is configured cannot be used.
    Settings(String),
}

impl From<SecretError> for BadReceiver {
    fn from(error: SecretError) -> Self {
        Self::Secret(error)
    }
}

/// Takes messages.
#[async_trait]
pub(in crate::notify) trait Receiver: fmt::Debug + Send + Sync {
    /// One attempt, within a bounded time and under the call's key.
    ///
    /// # Errors
    /// It was not taken, or nobody knows.
    async fn send(&self, call: &ToolCall, client: &Client, now: Timestamp) -> Result<Value, PostFailure>;

    /// What must not be shown of its answers.
    fn secrets(&self) -> Vec<&SecretString>;

    /// The pause that its receiver wants between two messages.
    fn pause(&self) -> Option<Duration> {
        None
    }
}
