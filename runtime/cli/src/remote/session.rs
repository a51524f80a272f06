//! Sessions of a daemon: opened, steered and followed as if they ran here.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use provost_domain::command::{Answer, Ask};
use provost_domain::status::Status;
use provost_engine::EngineError;
use provost_face::{AcceptedView, SessionDetail, SessionView, steered};
use provost_mail::Opening;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use super::client::Remote;
use crate::conclusion::{Codes, UNFINISHED, conclusion};
use crate::follow::{Follower, print};
use crate::output::Output;
use crate::signals::StopSignals;

/// Opens a session and follows it to its next rest.
pub(crate) async fn open(remote: &Remote, pack: &str, intake: Opening, output: Output) -> Result<ExitCode> {
    let body = json!({"pack": pack, "fields": intake.fields, "title": intake.title});
    let opened: SessionView = remote.post(&["sessions"], Some(&body)).await?;
    follow(remote, Follower::new(opened.session.parse()?), output).await
}

/// Sends a command and follows its session to its next rest. An answer finds its session by its approval.
pub(crate) async fn send(remote: &Remote, session: Option<&str>, ask: &Ask, output: Output) -> Result<ExitCode> {
    let (verb, body) = request(ask)?;
    let (status, accepted) = match (ask, session) {
        (Ask::Answer { approval, .. }, _) => {
            remote.ask(Method::POST, &["approvals", approval.as_str(), verb], Some(&body)).await?
        }
        (_, Some(session)) => remote.ask(Method::POST, &["sessions", session, verb], Some(&body)).await?,
        (_, None) => bail!("name the session"),
    };
    if status == StatusCode::ACCEPTED {
        bail!("{}", EngineError::Pending);
    }
    let accepted: AcceptedView = serde_json::from_value(accepted).context("the daemon's answer has another form")?;
    output.line(&format!("accepted at version {}", accepted.version));
    let mut follower = Follower::new(accepted.session.parse()?);
    follower.catch_up_from(remote, |_| {}).await?;
    follow(remote, follower, output).await
}

/// The verb and the body of a command.
fn request(ask: &Ask) -> Result<(&'static str, Value)> {
    Ok(match ask {
        Ask::Start | Ask::Continue => ("continue", Value::Null),
        Ask::Answer { answer, reason: said, .. } => (
            "decide",
            match answer {
                Answer::Approve => json!({"answer": "approve", "reason": said}),
                Answer::Edit { args } => json!({"answer": "edit", "args": args, "reason": said}),
                Answer::Reject { reason } => json!({"answer": "reject", "reason": reason}),
                Answer::Respond { text } => json!({"answer": "respond", "text": text, "reason": said}),
            },
        ),
        other => steered(other).context("this command cannot be sent to a daemon by a person")?,
    })
}

/// Follows one session, or all that have not ended, each to its next rest. The daemon carries them on by itself; one that
/// was never started is.
pub(crate) async fn carry_on(remote: &Remote, session: Option<&str>, output: Output) -> Result<ExitCode> {
    let mut names: Vec<String> = session.map(str::to_owned).into_iter().collect();
    if session.is_none() {
        for status in UNFINISHED {
            names.extend(remote.sessions(status.as_str()).await?);
        }
    }
    let (told, mut codes) = (StopSignals::listen()?, Codes::default());
    for name in names {
        if told.to_end.is_cancelled() {
            break;
        }
        codes.add(go_on(remote, &name, &told, output).await, output);
    }
    Ok(codes.worst())
}

/// Follows a session to its next rest; one that was never started is started.
async fn go_on(remote: &Remote, name: &str, told: &StopSignals, output: Output) -> Result<ExitCode> {
    let shown: SessionDetail = remote.get(&["sessions", name]).await?;
    if shown.session.status == Status::New.as_str() {
        remote.ask(Method::POST, &["sessions", name, "continue"], None).await?;
    }
    follow_until(remote, Follower::new(shown.session.session.parse()?), told, output).await
}

/// Prints a session as it goes on until it rests, the daemon ends, or this process is asked to.
async fn follow(remote: &Remote, follower: Follower, output: Output) -> Result<ExitCode> {
    follow_until(remote, follower, &StopSignals::listen()?, output).await
}

async fn follow_until(remote: &Remote, mut follower: Follower, told: &StopSignals, output: Output) -> Result<ExitCode> {
    // Events that come after this position wake us; those before it are read first.
    let mut wakes = remote.events(follower.id(), follower.position()).await?;
    loop {
        follower.catch_up_from(remote, |step| print(output, step)).await?;
        if follower.rests() {
            break;
        }
        let woken = tokio::select! {
            woken = wakes.chunk() => woken.is_ok_and(|chunk| chunk.is_some()),
            () = told.to_end.cancelled() => false,
        };
        if !woken {
            output.line("following ends here; the session goes on with the daemon");
            break;
        }
    }
    Ok(conclusion(&follower, None, output))
}
