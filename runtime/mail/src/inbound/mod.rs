//! Deliveries from outside become sessions, each case once.
//!
//! | file | what |
//! |---|---|
//! | `formats`, `reading`, `notice` | the wire formats, one file each; what is read from them, and what of it can be worked on |
//! | `mapping`, `presets` | a pack's mapping from what was sent to fields, and the one of packs that have none |
//! | `opening`, `first`, `forms` | what a session is opened with, also by hand; the forms for whoever reads a pack |
//! | `loose`, `words`, `meaning`, `fit` | what senders write in many forms: JSON, words, fields that do not fit |
//! | `incoming`, `head`, `mask` | a delivery as it came, with what its head says of it and the sender's key masked |
//! | `signature` | who sends, by a signature |
//! | `schedules` | the times of schedules, which are deliveries of this program's own |
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
mod first;
mod fit;
mod formats;
mod forms;
mod head;
mod incoming;
mod intake;
mod loose;
mod many;
mod mapping;
mod mask;
mod meaning;
mod notice;
mod opening;
mod parsed;
mod perform;
mod plan;
mod planned;
mod presets;
mod queue;
mod reading;
mod schedules;
mod section;
mod settings;
mod signature;
mod words;
mod worker;

pub use error::{DeliveryError, IntakeError};
pub use first::{case_of_form, first_case};
pub use formats::{DeliveryFormat, SourceName};
pub use forms::StandardForms;
pub use head::DeliveryHead;
pub use incoming::Incoming;
pub use intake::{Intake, Receipt};
pub use opening::Opening;
pub use plan::unreadable_plan;
pub use reading::BadDelivery;
pub use section::{
    IntakeConfig, PackList, PagerdutyIntake, SenderSecretError, SignatureConfig, SignedIntake, TokenIntake,
    WebhookIntake,
};
pub use settings::{FormatSettings, IntakeParts, IntakeSettings};
pub use signature::{ReadHeader, SignatureError, SignatureForm, SignatureScheme};
