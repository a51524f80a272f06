//! The wire formats of deliveries. A new one is a file here and a row in each match below.

mod alertmanager;
mod cloudevents;
mod github;
mod name;
mod object;
mod pagerduty;
mod pagerduty_v3;
mod schedule;
mod webhook;

use std::collections::BTreeSet;

use provost_domain::pack::SCHEDULES;
use provost_expr::{Scope, Type};

pub(super) use cloudevents::events;
pub use name::SourceName;
pub(super) use schedule::firing;

use super::head::DeliveryHead;
use super::reading::{BadDelivery, FormatReading};

/// The name by which mappings read who sends: the name of the token, the key or the secret.
pub(super) const SOURCE: &str = "source";
/// What the name of a webhook begins with, in packs and in the store.
pub(super) const WEBHOOK: &str = "webhook.";
/// What the source of a schedule's deliveries begins with; the pack's name follows.
const SCHEDULE: &str = "schedule.";

/// A wire format of deliveries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeliveryFormat {
    /// Alertmanager's webhook, version 4, and Grafana's, which has the same form.
    Alertmanager,
    /// PagerDuty's Events API, version 2.
    Pagerduty,
    /// PagerDuty's webhooks, version 3.
    PagerdutyV3,
    /// GitHub's webhooks.
    Github,
    /// `CloudEvents` 1.0.
    Cloudevents,
    /// A webhook whose form its pack declares: `webhook.NAME`.
    Webhook(SourceName),
    /// The times of a pack's schedules: `schedule.PACK`.
    Schedule(SourceName),
}

impl DeliveryFormat {
    /// The formats that others defined, each with one name.
    pub(super) const STANDARD: [Self; 5] =
        [Self::Alertmanager, Self::Pagerduty, Self::PagerdutyV3, Self::Github, Self::Cloudevents];

    /// The webhook of a name, which has 1 to 40 of `a-z`, `0-9`, `_` and `-`; `None` for another one.
    pub fn webhook(name: &str) -> Option<Self> {
        SourceName::new(WEBHOOK, name).map(Self::Webhook)
    }

    /// The schedules of a pack; `None` for a name that is longer than those of packs.
    pub(super) fn schedule(pack: &str) -> Option<Self> {
        SourceName::new(SCHEDULE, pack).map(Self::Schedule)
    }

    /// The word for it in packs, in the configuration and in the store.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Alertmanager => "alertmanager",
            Self::Pagerduty => "pagerduty",
            Self::PagerdutyV3 => "pagerduty_v3",
            Self::Github => "github",
            Self::Cloudevents => "cloudevents",
            Self::Webhook(name) | Self::Schedule(name) => name.as_str(),
        }
    }

    pub(super) fn named(name: &str) -> Option<Self> {
        let standard = Self::STANDARD.into_iter().find(|format| format.as_str() == name);
        let webhook = || name.strip_prefix(WEBHOOK).and_then(Self::webhook);
        standard.or_else(webhook).or_else(|| name.strip_prefix(SCHEDULE).and_then(Self::schedule))
    }

    /// The key under which a pack's `intake` has its mapping.
    pub(super) fn mapping_key(&self) -> &str {
        match self {
            Self::Schedule(_) => SCHEDULES,
            Self::Alertmanager
            | Self::Pagerduty
            | Self::PagerdutyV3
            | Self::Github
            | Self::Cloudevents
            | Self::Webhook(_) => self.as_str(),
        }
    }

    /// The one pack that a schedule belongs to; `None` for what several packs may take.
    pub(super) fn own_pack(&self) -> Option<&str> {
        match self {
            Self::Schedule(name) => name.as_str().strip_prefix(SCHEDULE),
            Self::Alertmanager
            | Self::Pagerduty
            | Self::PagerdutyV3
            | Self::Github
            | Self::Cloudevents
            | Self::Webhook(_) => None,
        }
    }

    /// The names that a mapping may read. Those of a webhook's `body` are the pack's to declare.
    pub(super) fn scope(self) -> Scope {
        let own = match self {
            Self::Alertmanager => alertmanager::scope(),
            Self::Pagerduty => pagerduty::scope(),
            Self::PagerdutyV3 => pagerduty_v3::scope(),
            Self::Github => github::scope(),
            Self::Cloudevents => cloudevents::scope(),
            Self::Webhook(_) => webhook::scope(),
            Self::Schedule(_) => schedule::scope(),
        };
        // A sample says nothing of who sent it.
        own.with(SOURCE, Type::Text.optional())
    }

    /// The names that all alerts of a delivery have in common: what its group may be made of.
    pub(super) fn group_scope(self) -> Scope {
        match self {
            Self::Alertmanager => alertmanager::group_scope().with(SOURCE, Type::Text.optional()),
            Self::Pagerduty
            | Self::PagerdutyV3
            | Self::Github
            | Self::Cloudevents
            | Self::Webhook(_)
            | Self::Schedule(_) => self.scope(),
        }
    }

    /// Reads what is stored of a delivery; `minted` names the group of one whose sender gave it no name.
    pub(super) fn read(self, stored: &[u8], minted: impl FnOnce() -> String) -> Result<FormatReading, BadDelivery> {
        let (head, body) = DeliveryHead::split(stored);
        match self {
            Self::Alertmanager => alertmanager::read(stored),
            Self::Pagerduty => pagerduty::read(stored, minted),
            Self::PagerdutyV3 => pagerduty_v3::read(body),
            Self::Github => github::read(&head, body),
            Self::Cloudevents => cloudevents::read(&head, body),
            Self::Webhook(_) => webhook::read(&head, body),
            Self::Schedule(_) => schedule::read(body),
        }
    }

    /// A body with only some of the alerts of this one, by their places; `None` for a format of one alert.
    pub(super) fn part(self, body: &[u8], places: &BTreeSet<usize>) -> Option<Vec<u8>> {
        match self {
            Self::Alertmanager => alertmanager::part(body, places),
            Self::Pagerduty
            | Self::PagerdutyV3
            | Self::Github
            | Self::Cloudevents
            | Self::Webhook(_)
            | Self::Schedule(_) => None,
        }
    }

    /// The member of a body that tells who sends it: a secret. `None` for a format whose senders are known otherwise.
    pub(super) const fn secret_member(self) -> Option<&'static str> {
        match self {
            Self::Pagerduty => Some("routing_key"),
            Self::Alertmanager
            | Self::PagerdutyV3
            | Self::Github
            | Self::Cloudevents
            | Self::Webhook(_)
            | Self::Schedule(_) => None,
        }
    }

    /// Whether the head of a request is stored before its body, since the body alone does not say what it is.
    pub(super) const fn keeps_head(self) -> bool {
        match self {
            Self::PagerdutyV3 | Self::Github | Self::Cloudevents | Self::Webhook(_) => true,
            Self::Alertmanager | Self::Pagerduty | Self::Schedule(_) => false,
        }
    }

    /// The header by which a sender names a delivery, so that one sent again is known.
    pub const fn id_header(self) -> &'static str {
        match self {
            Self::PagerdutyV3 => "x-webhook-id",
            Self::Github => "x-github-delivery",
            Self::Webhook(_) => "webhook-id",
            Self::Alertmanager | Self::Pagerduty | Self::Cloudevents | Self::Schedule(_) => "idempotency-key",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_format_is_found_by_its_word() {
        let own = [DeliveryFormat::webhook("certs"), DeliveryFormat::schedule("incident")].map(Option::unwrap);
        for format in DeliveryFormat::STANDARD.into_iter().chain(own) {
            assert_eq!(DeliveryFormat::named(format.as_str()), Some(format));
        }
        for odd in ["", "webhook.", "webhook.A b", "webhooks", "slack"] {
            assert_eq!(DeliveryFormat::named(odd), None, "{odd}");
        }
        assert_eq!(DeliveryFormat::webhook(&"a".repeat(41)), None);
    }
}
