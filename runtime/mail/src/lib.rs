//! Mail: what others deliver becomes sessions, each case once; what sessions say to the outside is stored and sent until
//! its target took it.
//!
//! | module | what |
//! |---|---|
//! | `inbound` | deliveries: their wire formats, their queue, how they map to sessions, the worker that performs it |
//! | `attention` | who is told what sessions need of people: rules as configured, what a message says, the looks |
//! | `outbound` | the outbox: its queue, when a message is tried again, the rounds that send |
//!
//! The crate knows the engine by its handle: it opens sessions and sends them commands, as the faces do. It knows no
//! HTTP: a face takes bytes from the wire, gives them here, and renders the typed answer. What carries a message to its
//! target implements the domain's port `Carrier`; the carriers of notifications live beside the tool that sends the same
//! notification within its call.

mod attention;
mod inbound;
mod outbound;

pub use attention::{Attention, AttentionConfig, AttentionParts, AttentionSettings, ContactTargets};
pub use inbound::{
    BadDelivery, DeliveryError, DeliveryFormat, DeliveryHead, FormatSettings, Incoming, Intake, IntakeConfig,
    IntakeError, IntakeParts, IntakeSettings, Opening, PackList, PagerdutyIntake, ReadHeader, Receipt,
    SenderSecretError, SignatureConfig, SignatureError, SignatureForm, SignatureScheme, SignedIntake, SourceName,
    StandardForms, TokenIntake, WebhookIntake, case_of_form, first_case, unreadable_plan,
};
pub use outbound::{OutboxConfig, Outgoing, OutgoingParts};
