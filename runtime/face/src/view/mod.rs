//! What answers look like: made of the domain's values, the same in the JSON API and in what a remote command line reads.
//! Their texts are as they were written; a face that shows them to people makes each a [`crate::VisibleText`].

mod approval;
mod event;
mod mail;
mod pack;
mod page;
mod record;
mod session;
mod token;

pub use approval::ApprovalView;
pub use event::EventView;
pub use mail::{DeliveryDetail, DeliveryView, MessageView, TakenView};
pub use pack::{PackView, ToolView};
pub use page::Page;
pub use record::RecordView;
pub use session::{
    AcceptedView, ActView, AgentReportView, FieldAuthorView, GoneView, OriginView, ReportView, SessionDetail,
    SessionView, WaitView,
};
pub(crate) use session::{agent_reports, field_authors};
pub use token::{Minted, TokenView, roles};
