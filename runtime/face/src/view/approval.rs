//! Approvals.

use provost_domain::ids::Handle;
use provost_domain::projection::ApprovalRow;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A call that waits for people, or waited.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct ApprovalView {
    /// Its id.
    pub approval: String,
    /// The session it belongs to.
    pub session: String,
    /// The session's name for people.
    pub handle: String,
    /// The call it would let run.
    pub call: String,
    /// The tool that would run.
    pub tool: String,
    /// The call's final arguments; null once its session was erased.
    #[schema(value_type = Option<Object>, required = true)]
    pub args: Value,
    /// Why the gate asked.
    pub reason: String,
    /// `pending`, `approved`, `edited`, `rejected`, `responded`, `expired` or `cancelled`.
    pub state: String,
    /// Who decided.
    pub decided_by: Option<String>,
    /// When it was asked for.
    pub requested_at: String,
    /// When it expires.
    pub expires_at: String,
    /// When it was decided.
    pub decided_at: Option<String>,
}

impl ApprovalView {
    pub(crate) fn new(row: &ApprovalRow, handle: &Handle) -> Self {
        Self {
            approval: row.id.to_string(),
            session: row.session.to_string(),
            handle: handle.to_string(),
            call: row.call.to_string(),
            tool: row.tool.to_string(),
            args: row.args.clone(),
            reason: row.reason.clone(),
            state: row.state.to_string(),
            decided_by: row.decided_by.as_ref().map(ToString::to_string),
            requested_at: row.requested_at.to_string(),
            expires_at: row.expires_at.to_string(),
            decided_at: row.decided_at.map(|at| at.to_string()),
        }
    }
}
