//! `provost approvals`.

use std::process::ExitCode;

use anyhow::{Context as _, Result};
use provost_domain::command::{Answer, Ask};
use provost_domain::ids::ApprovalId;
use provost_face::ApprovalView;
use serde_json::{Value, json};

use super::send::send;
use crate::args::{Approvals, OneApproval, ReachArgs};
use crate::output::Output;
use crate::source::Source;

pub(super) async fn run(command: Approvals, output: Output) -> Result<ExitCode> {
    match command {
        Approvals::List { all, config } => list(all, &config, output).await,
        Approvals::Approve { one, reason } => answer(&one, Answer::Approve, reason, output).await,
        Approvals::Reject { one, reason } => answer(&one, Answer::Reject { reason }, None, output).await,
        Approvals::Edit { one, args, reason } => {
            let args = serde_json::from_str(&args).context("--args must be a JSON object")?;
            answer(&one, Answer::Edit { args }, reason, output).await
        }
        Approvals::Respond { one, text, reason } => answer(&one, Answer::Respond { text }, reason, output).await,
    }
}

async fn list(all: bool, config: &ReachArgs, output: Output) -> Result<ExitCode> {
    let rows: Vec<Value> = Source::of(config).await?.approvals(None, all).await?.iter().map(row).collect();
    output.table(&rows, &["approval", "handle", "state", "tool", "args", "reason", "expires"], "no approvals");
    Ok(ExitCode::SUCCESS)
}

fn row(view: &ApprovalView) -> Value {
    json!({
        "approval": view.approval, "session": view.session, "handle": view.handle, "tool": view.tool, "args": view.args,
        "state": view.state, "reason": view.reason, "requested": view.requested_at, "expires": view.expires_at,
        "decided_by": view.decided_by,
    })
}

async fn answer(one: &OneApproval, answer: Answer, reason: Option<String>, output: Output) -> Result<ExitCode> {
    let approval = ApprovalId::new(&*one.approval);
    send(&one.config, None, Ask::Answer { approval, answer, reason }, output).await
}
