//! The wire formats of deliveries. A new one is a file here and a row in each match below.

mod alertmanager;
mod pagerduty;

use serde_json::Value;

use super::notice::{BadDelivery, Notice};

pub use alertmanager::first_case;

/// A wire format of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryFormat {
    /// Alertmanager's webhook, version 4.
    Alertmanager,
    /// PagerDuty's Events API, version 2.
    Pagerduty,
}

/// A body that was read, its openings not checked yet.
#[derive(Debug)]
pub(super) struct FormatReading {
    pub(super) notice: Notice<Value>,
    /// The name the sender has for its group; empty for a format without names.
    pub(super) key: String,
}

impl DeliveryFormat {
    const ALL: [Self; 2] = [Self::Alertmanager, Self::Pagerduty];

    /// The word for it in the configuration and in the store.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Pagerduty => "pagerduty",
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.as_str() == name)
    }

    /// Reads a body; `minted` names the group of a delivery whose sender gave it no name.
    pub(super) fn read(self, body: &[u8], minted: impl FnOnce() -> String) -> Result<FormatReading, BadDelivery> {
        match self {
            Self::Alertmanager => Ok(FormatReading { notice: alertmanager::read(body)?, key: String::new() }),
            Self::Pagerduty => {
                let (notice, key) = pagerduty::read(body, minted)?;
                Ok(FormatReading { notice, key })
            }
        }
    }

    /// The keys in a body that tell who sends it: secrets. Empty for a format whose senders are known by a token alone.
    pub(super) fn sender_keys(self, body: &[u8]) -> Vec<String> {
        match self {
            Self::Alertmanager => Vec::new(),
            Self::Pagerduty => pagerduty::routing_keys(body),
        }
    }
}
