//! `provost approvals`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_domain::command::{Answer, Ask};
use provost_domain::ids::ApprovalId;
use provost_domain::port::{ApprovalFilter, Reads as _};
use serde_json::json;

use super::send;
use crate::args::{Approvals, ConfigArgs, OneApproval};
use crate::output::Output;
use crate::wiring;

pub(super) async fn run(command: Approvals, output: Output) -> Result<ExitCode> {
    match command {
        Approvals::List { all, config } => list(all, &config, output).await,
        Approvals::Approve(one) => answer(&one, Answer::Approve, output).await,
        Approvals::Reject { one, reason } => answer(&one, Answer::Reject { reason }, output).await,
        Approvals::Edit { one, args } => {
            let args = serde_json::from_str(&args).context("--args is no JSON object")?;
            answer(&one, Answer::Edit { args }, output).await
        }
        Approvals::Respond { one, text } => answer(&one, Answer::Respond { text }, output).await,
    }
}

async fn list(all: bool, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(config)?).await?;
    let filter = ApprovalFilter { session: None, pending_only: !all, limit: 500 };
    let mut rows = Vec::new();
    for row in reads.approvals(&filter).await? {
        let handle = reads.session(row.session).await?.handle;
        rows.push(json!({
            "approval": row.id, "session": row.session, "handle": handle, "tool": row.tool, "args": row.args,
            "state": row.state, "reason": row.reason, "requested": row.requested_at.to_string(),
            "expires": row.expires_at.to_string(), "decided_by": row.decided_by,
        }));
    }
    output.table(&rows, &["approval", "handle", "state", "tool", "args", "reason", "expires"], "no approvals");
    Ok(ExitCode::SUCCESS)
}

async fn answer(one: &OneApproval, answer: Answer, output: Output) -> Result<ExitCode> {
    let approval = ApprovalId::new(&*one.approval);
    send(&one.config, None, Ask::Answer { approval, answer }, output).await
}
