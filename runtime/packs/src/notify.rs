//! Where notifications go, as the configuration has it.

use crate::error::nearest;
use crate::form::{Log, Read, Table};
use crate::node::Node;
use crate::secret::SecretPlace;

/// Where a notification goes.
#[derive(Debug, Clone)]
pub enum NotifyTarget {
    /// A server that takes the call's arguments as JSON; what is meant when no `kind` is written.
    Webhook {
        /// Its address.
        url: String,
        /// Where the secret is that signs what is sent.
        secret: Option<SecretPlace>,
        /// Whether `provost serve` stores what is sent and sends it in the background.
        outbox: bool,
    },
    /// PagerDuty's Events API, version 2.
    Pagerduty {
        /// Its address. There is no default: nothing goes to a server nobody named.
        url: String,
        /// Where the routing key is.
        routing_key: SecretPlace,
        /// As with a webhook.
        outbox: bool,
    },
}

const WEBHOOK: &str = "webhook";
const PAGERDUTY: &str = "pagerduty";

impl NotifyTarget {
    /// Whether `provost serve` stores what is sent and sends it in the background.
    pub const fn outbox(&self) -> bool {
        match self {
            Self::Webhook { outbox, .. } | Self::Pagerduty { outbox, .. } => *outbox,
        }
    }

    pub(crate) fn secret(&mut self) -> Option<&mut SecretPlace> {
        match self {
            Self::Webhook { secret, .. } => secret.as_mut(),
            Self::Pagerduty { routing_key, .. } => Some(routing_key),
        }
    }
}

impl Read for NotifyTarget {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let kind = match node.get("kind") {
            Some(kind) => String::read(kind, log)?,
            None => WEBHOOK.to_owned(),
        };
        match kind.as_str() {
            WEBHOOK => {
                let table = Table::open(node, &["kind", "url", "secret", "outbox"], log)?;
                let (url, secret) = (table.required("url", log), table.optional("secret", log));
                Some(Self::Webhook { url, secret, outbox: table.optional("outbox", log).unwrap_or(true) })
            }
            PAGERDUTY => {
                let table = Table::open(node, &["kind", "url", "routing_key", "outbox"], log)?;
                let (url, routing_key) = (table.required("url", log), table.required("routing_key", log));
                Some(Self::Pagerduty { url, routing_key, outbox: table.optional("outbox", log).unwrap_or(true) })
            }
            other => {
                let place = node.get("kind").map(|kind| kind.place).unwrap_or_default();
                log.report(place, "the kind is not known", nearest(other, [WEBHOOK, PAGERDUTY]));
                None
            }
        }
    }

    fn blank() -> Self {
        Self::Webhook { url: String::new(), secret: None, outbox: true }
    }
}
