//! The wire formats of deliveries. A new one is a file here and a row in each match below.

mod alertmanager;
mod pagerduty;

use std::collections::BTreeSet;

use provost_expr::Scope;

use super::reading::{BadDelivery, FormatReading};

/// A wire format of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryFormat {
    /// Alertmanager's webhook, version 4.
    Alertmanager,
    /// PagerDuty's Events API, version 2.
    Pagerduty,
}

impl DeliveryFormat {
    /// Every format that deliveries come in.
    pub(super) const ALL: [Self; 2] = [Self::Alertmanager, Self::Pagerduty];

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

    /// The names that a mapping may read.
    pub(super) fn scope(self) -> Scope {
        match self {
            Self::Alertmanager => alertmanager::scope(),
            Self::Pagerduty => pagerduty::scope(),
        }
    }

    /// Reads a body; `minted` names the group of a delivery whose sender gave it no name.
    pub(super) fn read(self, body: &[u8], minted: impl FnOnce() -> String) -> Result<FormatReading, BadDelivery> {
        match self {
            Self::Alertmanager => alertmanager::read(body),
            Self::Pagerduty => pagerduty::read(body, minted),
        }
    }

    /// A body with only some of the alerts of this one, by their places; `None` for a format of one alert.
    pub(super) fn part(self, body: &[u8], places: &BTreeSet<usize>) -> Option<Vec<u8>> {
        match self {
            Self::Alertmanager => alertmanager::part(body, places),
            Self::Pagerduty => None,
        }
    }

    /// The member of a body that tells who sends it: a secret. `None` for a format whose senders are known by a token alone.
    pub(super) const fn secret_member(self) -> Option<&'static str> {
        match self {
            Self::Alertmanager => None,
            Self::Pagerduty => Some("routing_key"),
        }
    }
}
