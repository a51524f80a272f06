//! The kinds of receivers. Each is one file with its own keys of the configuration; a new one is a file and a line in
//! [`KINDS`].
//!
//! | file | what |
//! |---|---|
//! | `receiver` | what a receiver is, configured and built |
//! | `letter` | what is said, the same for all of them |
//! | `web` | what receivers behind HTTP have in common |
//! | `webhook`, `pagerduty`, `slack`, `teams`, `ntfy`, `email` | one kind each |

mod email;
mod letter;
mod ntfy;
mod pagerduty;
mod receiver;
mod slack;
mod teams;
mod web;
mod webhook;

use receiver::ReadReceiver;
use receiver::read;
pub(super) use receiver::{BadReceiver, Receiver, ReceiverSection};

/// What is meant where no `kind` is written.
pub(super) const STANDARD: &str = "webhook";

/// Every kind, by the word under `kind`.
pub(super) const KINDS: [(&str, &[&str], ReadReceiver); 6] = [
    (STANDARD, webhook::KEYS, read::<webhook::WebhookSection>),
    ("pagerduty", pagerduty::KEYS, read::<pagerduty::PagerdutySection>),
    ("slack", slack::KEYS, read::<slack::SlackSection>),
    ("teams", teams::KEYS, read::<teams::TeamsSection>),
    ("ntfy", ntfy::KEYS, read::<ntfy::NtfySection>),
    ("email", email::KEYS, read::<email::EmailSection>),
];
