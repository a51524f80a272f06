//! Deliveries from outside become sessions, each case once.
//!
//! | file | what |
//! |---|---|
//! | `formats` | the wire formats, one file each, read into a `notice` |
//! | `loose`, `words`, `fit` | what senders write in many forms: JSON, severities, fields that do not fit |
//! | `incoming`, `mask` | a delivery as it came, with the sender's key masked |
//! | `section`, `settings` | the configuration, as written and as used |
//! | `intake`, `error` | a delivery is parsed, checked and stored, or refused |
//! | `queue`, `parsed` | what waits, and what was parsed at arrival, for the worker |
//! | `case` | which case an alert belongs to |
//! | `burning`, `plan`, `draft`, `many`, `planned` | the mapping: decides what a group's deliveries come to |
//! | `worker`, `perform` | carries plans out, again after a crash |
//!
//! A delivery is durable before it is answered, and before anything runs. Its body is parsed once and the fields of its
//! sessions are checked once, when it arrives; both happen again only for what an earlier process left and for a pack
//! that changed in between.

mod burning;
mod case;
mod draft;
mod error;
mod fit;
mod formats;
mod incoming;
mod intake;
mod loose;
mod many;
mod mask;
mod notice;
mod parsed;
mod perform;
mod plan;
mod planned;
mod queue;
mod section;
mod settings;
mod words;
mod worker;

pub use error::{DeliveryError, IntakeError};
pub use formats::{DeliveryFormat, first_case};
pub use incoming::Incoming;
pub use intake::{Intake, Receipt};
pub use notice::{BadDelivery, Opening};
pub use plan::unreadable_plan;
pub use section::{AlertmanagerIntake, IntakeConfig, PagerdutyIntake, RoutingKeyError};
pub use settings::{FormatSettings, IntakeParts, IntakeSettings};
