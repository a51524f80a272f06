//! What every face of Provost shares: the JSON API, the page, the command line. A face authenticates its caller, calls an
//! operation here and renders what comes back; it decides nothing.
//!
//! | module | what |
//! |---|---|
//! | `caller` | who asks; access is checked here and nowhere else |
//! | `operations`, `tokens`, `mail` | what callers may have done |
//! | `lookups` | what callers may look up, from rows and snapshots |
//! | `asks` | what a session asks of people |
//! | `steer` | what people ask of a session: one entry is a command in every face |
//! | `view` | what answers look like |
//! | `error`, `code` | why something was not done, with its stable code |
//! | `narrate` | what an event is, in words |
//! | `report` | what a session came to: typed reports as data, the whole as a document |
//! | `visible` | text from outside, bounded and with nothing invisible in it |
//!
//! It knows no web framework, no argument parser and no database.

mod asks;
mod caller;
mod code;
mod error;
mod lookups;
mod mail;
mod narrate;
mod operations;
mod report;
mod steer;
mod tokens;
mod view;
mod visible;

pub use asks::{ApprovalCard, ArgumentView, Asks, CarryOn, DoubtCard, QuestionCard, RetryCard};
pub use caller::Caller;
pub use code::Code;
pub use error::OperationError;
pub use lookups::{ApprovalQueue, Lookups, NarratedEvent, SessionState, StoredEvent, Timeline, page_size};
pub use mail::{DeliveryLookups, DeliveryOperations, OutboxLookups, OutboxOperations};
pub use narrate::{
    CallNames, DETAIL_MAX, Detail, DetailBody, Level, Narration, PREVIEW_MAX, StatusView, Tone, ago, clock, dollars,
    effect, gate_reason, minute, narrate, number, span, unknown_cost, until, word,
};
pub use operations::{CaseRequest, CommandRequest, Operations, Receipt};
pub use report::{
    DataPart, DataTable, FieldCard, ReportCard, TextSpan, data_parts, field_cards, markdown, report_cards, shortened,
    text_spans,
};
pub use steer::{Steer, SteerVisitor, TextForm, steered, steers};
pub use tokens::{EXPIRES_MAX, TokenOperations, TokenRequest, list_tokens, random};
pub use view::{
    AcceptedView, ActView, AgentReportView, ApprovalView, DeliveryDetail, DeliveryView, EventView, FieldAuthorView,
    GoneView, MessageView, Minted, OriginView, PackView, Page, RecordView, ReportView, SessionDetail, SessionView,
    TakenView, TokenView, ToolView, WaitView, roles,
};
pub use visible::{Markdown, TEXT_MAX, VisibleText, fenced, hides, write_visible};
