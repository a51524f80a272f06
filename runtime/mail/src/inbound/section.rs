//! The section `intake` of the configuration.

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use provost_domain::ids::{Digest, PackName};
use provost_form::{Count, ReadSecret, SecretError, SecretPlace, table};
use secrecy::ExposeSecret as _;

use super::formats::DeliveryFormat;
use super::settings::{FormatSettings, IntakeSettings};

table! {
    /// What is taken from outside; a kind of sender whose part is missing is refused.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct IntakeConfig {
        /// Alertmanager's webhook.
        pub alertmanager: Option<AlertmanagerIntake> = None,
        /// PagerDuty's Events API.
        pub pagerduty: Option<PagerdutyIntake> = None,
        /// Deliveries that may wait to be worked on; more are refused so that senders try again. As many as a storm of
        /// alerts brings.
        pub waiting_max: NonZeroU64 = const { NonZeroU64::new(10_000).unwrap() },
        /// Cases that one delivery may open; the rest of it becomes one session of many targets. As many as people can look
        /// at.
        pub max_cases: Count<1> = Count(20),
    }
}

table! {
    /// Alertmanager's webhook. Who sends is known by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct AlertmanagerIntake {
        /// The pack of the sessions it opens.
        pub pack: String,
    }
}

table! {
    /// PagerDuty's Events API. Who sends is known by the event's routing key or by a token.
    #[derive(Debug, Clone, PartialEq, Eq)]
    pub struct PagerdutyIntake {
        /// The pack of the sessions it opens.
        pub pack: String,
        /// Where the routing keys are, by the name their sender has in logs.
        pub routing_keys: BTreeMap<String, SecretPlace> = BTreeMap::new(),
    }
}

/// A routing key is not where the configuration says.
#[derive(Debug, thiserror::Error)]
#[error("`intake.pagerduty.routing_keys.{sender}`")]
pub struct RoutingKeyError {
    /// The name its sender has.
    pub sender: String,
    /// What is wrong.
    pub source: SecretError,
}

impl IntakeConfig {
    /// How deliveries are taken. Of a routing key only its digest stays in memory.
    ///
    /// # Errors
    /// A routing key cannot be read.
    pub fn settings(&self, secret: ReadSecret<'_>) -> Result<IntakeSettings, RoutingKeyError> {
        let Self { alertmanager, pagerduty, waiting_max, max_cases } = self;
        let mut formats = BTreeMap::new();
        if let Some(alertmanager) = alertmanager {
            let settings = FormatSettings { pack: PackName::new(&alertmanager.pack), keys: BTreeMap::new() };
            formats.insert(DeliveryFormat::Alertmanager, settings);
        }
        if let Some(pagerduty) = pagerduty {
            let keys = pagerduty.routing_keys.iter().map(|(name, place)| digest(name, place, secret));
            let keys = keys.collect::<Result<_, RoutingKeyError>>()?;
            formats.insert(DeliveryFormat::Pagerduty, FormatSettings { pack: PackName::new(&pagerduty.pack), keys });
        }
        let max_cases = usize::try_from(max_cases.0).unwrap_or(usize::MAX);
        Ok(IntakeSettings { formats, waiting_max: waiting_max.get(), max_cases })
    }
}

fn digest(sender: &str, place: &SecretPlace, secret: ReadSecret<'_>) -> Result<(String, Digest), RoutingKeyError> {
    let key = secret(place).map_err(|source| RoutingKeyError { sender: sender.to_owned(), source })?;
    Ok((sender.to_owned(), Digest::of(key.expose_secret().as_bytes())))
}
