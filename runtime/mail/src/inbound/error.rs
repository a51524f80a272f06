//! Why intake cannot begin, and why a delivery is refused.

use provost_domain::ids::{DeliveryId, PackName};
use provost_domain::port::{DeliveryState, StoreError};

use super::formats::DeliveryFormat;
use super::reading::BadDelivery;
use super::signature::SignatureError;

/// Intake cannot begin.
#[derive(Debug, thiserror::Error)]
pub enum IntakeError {
    /// No pack of that name is loaded.
    #[error("`intake.{}.pack` names `{pack}`, which is not loaded; the packs are: {}", format.as_str(), known.join(", "))]
    UnknownPack {
        /// The format whose settings name it.
        format: DeliveryFormat,
        /// The name in the settings.
        pack: PackName,
        /// The packs there are.
        known: Vec<PackName>,
    },
    /// A pack that has no mapping for a format for which there is no preset one.
    #[error(
        "`intake` gives deliveries of {name} to the pack `{pack}`, which does not say what they mean; add `{name}` under `intake` of its pack.yaml", name = format.as_str()
    )]
    NoMapping {
        /// The format whose settings name it.
        format: DeliveryFormat,
        /// The pack that lacks the mapping.
        pack: PackName,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Its figures cannot be registered.
    #[error("the figures of deliveries cannot be kept: {0}")]
    Figures(#[from] prometheus::Error),
}

/// A delivery is refused, or nothing can be done about it.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Deliveries of its format are not configured.
    #[error("deliveries of {} are not configured; see the section `intake` of the configuration", format.as_str())]
    NotConfigured {
        /// The one that came.
        format: DeliveryFormat,
    },
    /// Nobody is known by its signature.
    #[error(transparent)]
    Unsigned(#[from] SignatureError),
    /// The process ends and takes no more: the sender should repeat it.
    #[error("send it again after the restart")]
    Closed,
    /// It cannot be worked on. It is stored, so that it can be replayed.
    #[error("{reason}; the delivery is kept and can be replayed")]
    Bad {
        /// Why.
        reason: BadDelivery,
        /// Its id, when it was stored just now.
        delivery: Option<DeliveryId>,
    },
    /// As many as may wait do: the sender should repeat it.
    #[error("{waiting_max} deliveries wait to be worked on; send it again later")]
    Full {
        /// How many may wait.
        waiting_max: u64,
    },
    /// Only a bad delivery can be replayed or dismissed.
    #[error("delivery `{id}` is {}; only bad ones are {verb}", state.as_str())]
    NotBad {
        /// The one that was named.
        id: DeliveryId,
        /// What it is instead.
        state: DeliveryState,
        /// What was to be done with it: `replayed` or `dismissed`.
        verb: &'static str,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The task that stored it ended before it answered; whether the delivery is stored is not known.
    #[error("storing broke off: {detail}")]
    Interrupted {
        /// How the task ended.
        detail: String,
    },
}
