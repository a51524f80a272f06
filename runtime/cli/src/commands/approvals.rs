//! `provost approvals`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_domain::command::{Answer, Ask};
use provost_domain::ids::ApprovalId;
use provost_domain::port::ApprovalFilter;
use serde_json::json;

use super::local::{caller, lookups};
use super::send::send;
use crate::args::{Approvals, ConfigArgs, OneApproval};
use crate::output::Output;

pub(super) async fn run(command: Approvals, output: Output) -> Result<ExitCode> {
    match command {
        Approvals::List { all, config } => list(all, &config, output).await,
        Approvals::Approve(one) => answer(&one, Answer::Approve, output).await,
        Approvals::Reject { one, reason } => answer(&one, Answer::Reject { reason }, output).await,
        Approvals::Edit { one, args } => {
            let args = serde_json::from_str(&args).context("--args must be a JSON object")?;
            answer(&one, Answer::Edit { args }, output).await
        }
        Approvals::Respond { one, text } => answer(&one, Answer::Respond { text }, output).await,
    }
}

async fn list(all: bool, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    let (lookups, caller) = (lookups(config).await?, caller(config));
    let filter = ApprovalFilter { session: None, pending_only: !all, limit: 500, ..ApprovalFilter::default() };
    let mut rows = Vec::new();
    for row in lookups.approvals(&caller, &filter).await?.items {
        let handle = lookups.row(&caller, row.session.parse()?).await?.handle;
        rows.push(json!({
            "approval": row.approval, "session": row.session, "handle": handle, "tool": row.tool, "args": row.args,
            "state": row.state, "reason": row.reason, "requested": row.requested_at, "expires": row.expires_at,
            "decided_by": row.decided_by,
        }));
    }
    output.table(&rows, &["approval", "handle", "state", "tool", "args", "reason", "expires"], "no approvals");
    Ok(ExitCode::SUCCESS)
}

async fn answer(one: &OneApproval, answer: Answer, output: Output) -> Result<ExitCode> {
    let approval = ApprovalId::new(&*one.approval);
    send(&one.config, None, Ask::Answer { approval, answer }, output).await
}
