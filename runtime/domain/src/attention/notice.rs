//! What one message to people says, before a carrier renders it. Every text in it is bounded and passed [`super::plain`]; it
//! is data from outside all the same, and a carrier escapes it for its own form.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::need::NeedKind;
use super::plan::TellStep;
use crate::ids::{ApprovalId, CallId, PackName, SessionId, ToolName};
use crate::time::Timestamp;
use crate::tool::ToolCall;

/// The call that stands for a message of the runtime itself in the outbox. No call of an agent has this id.
const CALL: &str = "attention";

/// One message to one contact.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AttentionNotice {
    /// The session it is about; all its messages belong together.
    pub session: SessionId,
    /// What people call it.
    pub handle: String,
    /// The pack that the session works by.
    pub pack: PackName,
    /// What is wrong, in one line.
    pub title: String,
    /// Why this contact is told now.
    pub step: TellStep,
    /// The session's status, as its word.
    pub status: String,
    /// Why it has that status.
    pub reason: String,
    /// Where and how badly: what the case says of it.
    pub facts: Vec<NoticeFact>,
    /// What is held to be the cause.
    pub cause: Option<NoticeCause>,
    /// What people are needed for, the most pressing first.
    pub asks: Vec<NoticeAsk>,
    /// How many more there are than are listed.
    pub more: usize,
    /// Who said that they are at it.
    pub acknowledged_by: Option<String>,
    /// Where to read on.
    pub links: Vec<NoticeLink>,
    /// The contact of the configuration that is told.
    pub contact: String,
    /// When it was written.
    pub at: Timestamp,
}

/// A name and its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeFact {
    /// The name of the field or argument.
    pub name: String,
    /// As it was said.
    pub value: String,
}

/// What an agent holds to be the cause.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeCause {
    /// The agent whose report says so.
    pub agent: String,
    /// The cause in the words of its report.
    pub text: String,
    /// How sure it is, as `0.82`.
    pub confidence: String,
}

/// One thing that people are needed for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeAsk {
    /// What kind of need it is.
    pub kind: NeedKind,
    /// What is needed, in one line.
    pub what: String,
    /// Why a person is asked.
    pub why: Option<String>,
    /// What is proposed: the call's arguments.
    pub changes: Vec<NoticeFact>,
    /// What follows a yes.
    pub yes: Option<String>,
    /// What follows a no, or no answer.
    pub no: Option<String>,
    /// Until when an answer counts.
    pub until: Option<Timestamp>,
    /// The roles and people that may answer, in words.
    pub who: String,
    /// The approval to answer.
    pub approval: Option<ApprovalId>,
}

/// A page to open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoticeLink {
    /// What the page shows, as the text of the link.
    pub title: String,
    /// Its address; `http` or `https`.
    pub url: String,
}

impl AttentionNotice {
    /// The message that the outbox stores for a target, under its key.
    ///
    /// # Errors
    /// It cannot be written as JSON.
    pub fn call(&self, target: ToolName, key: String) -> Result<ToolCall, serde_json::Error> {
        let args = Arc::new(serde_json::to_value(self)?);
        Ok(ToolCall { session: self.session, call: CallId::new(CALL), tool: target, args, key })
    }

    /// The message that a stored call stands for; `None` where the call is an agent's.
    pub fn of(call: &ToolCall) -> Option<Self> {
        Self::is_one(call).then(|| serde_json::from_value((*call.args).clone()).ok()).flatten()
    }

    /// Whether a stored call stands for a message of the runtime itself. Those about one session reach a target in their order.
    pub fn is_one(call: &ToolCall) -> bool {
        call.call.as_str() == CALL
    }

    /// Whether anything still waits for people.
    pub fn is_open(&self) -> bool {
        !self.asks.is_empty()
    }
}
