//! Following a session: its events as lines, until it rests.

use anyhow::Result;
use provost_domain::event::{CallProbed, Event, EventBody, ProbeFinding};
use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::Reads;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::RecordedOutcome;
use provost_engine::LogReader;
use serde_json::Value;
use tokio::sync::broadcast::error::RecvError;

use crate::output::{BAD, DIM, GOOD, NOTE, Output};
use crate::remote::Remote;
use crate::wiring::House;

/// A session followed so far, and what it took.
#[derive(Debug)]
pub(crate) struct Follower {
    id: SessionId,
    log: LogReader,
    began: Option<Timestamp>,
    pub(crate) events: u64,
    pub(crate) tool_calls: u64,
    pub(crate) approvals: u64,
}

impl Follower {
    pub(crate) fn new(id: SessionId) -> Self {
        Self { id, log: LogReader::new(id), began: None, events: 0, tool_calls: 0, approvals: 0 }
    }

    /// Which session.
    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    /// The position read up to.
    pub(crate) fn position(&self) -> Seq {
        self.log.position()
    }

    /// The session as folded so far.
    pub(crate) fn session(&self) -> Option<&Session> {
        self.log.session()
    }

    /// Reads what is new, verified as part of the chain, and hands each event on.
    pub(crate) async fn catch_up(&mut self, reads: &dyn Reads, mut each: impl FnMut(&Event, Timestamp)) -> Result<()> {
        loop {
            let events = self.log.next(reads).await?;
            if events.is_empty() {
                return Ok(());
            }
            self.hand_on(&events, &mut each);
        }
    }

    /// The same from a daemon: what it hands out is verified here.
    pub(crate) async fn catch_up_from(
        &mut self,
        remote: &Remote,
        mut each: impl FnMut(&Event, Timestamp),
    ) -> Result<()> {
        loop {
            let records = remote.records(self.id, self.log.position()).await?;
            if records.is_empty() {
                return Ok(());
            }
            let events = self.log.take(records)?;
            self.hand_on(&events, &mut each);
        }
    }

    fn hand_on(&mut self, events: &[Event], each: &mut impl FnMut(&Event, Timestamp)) {
        for event in events {
            let began = *self.began.get_or_insert(event.at);
            self.count(&event.body);
            each(event, began);
        }
    }

    fn count(&mut self, body: &EventBody) {
        self.events += 1;
        self.tool_calls += u64::from(matches!(body, EventBody::ToolIntended(_)));
        self.approvals += u64::from(matches!(body, EventBody::ApprovalRequested(_)));
    }

    /// Whether nothing goes on: it is not started, waits for a person or has ended.
    pub(crate) fn rests(&self) -> bool {
        self.session().is_some_and(|session| *session.status() != Status::InProgress)
    }

    /// Prints the session as it goes on until it rests, or until this process is asked to end.
    ///
    /// # Errors
    /// The store failed under it.
    pub(crate) async fn until_rest(&mut self, house: &House, output: Output) -> Result<()> {
        let mut hints = house.engine.hints();
        loop {
            self.catch_up(&**house.engine.reads(), |event, began| print(output, event, began)).await?;
            if self.rests() {
                return Ok(());
            }
            let hint = tokio::select! {
                hint = hints.recv() => hint,
                error = house.store().died() => return Err(error.into()),
                () = house.told_to_end().cancelled() => {
                    // The engine is drained by whoever opened it; the session goes on with the next start.
                    output.line("stopping: what runs is finished, the rest goes on with `provost sessions continue`");
                    return Ok(());
                }
            };
            house.engine.undamaged(self.log.id())?;
            match hint {
                Ok(_) | Err(RecvError::Lagged(_)) => {}
                Err(RecvError::Closed) => anyhow::bail!("the engine ended"),
            }
        }
    }
}

/// One event: a JSON line, or a line a person can read; events of mere bookkeeping are left out for people.
pub(crate) fn print(output: Output, event: &Event, began: Timestamp) {
    output.json(&event.to_json());
    if let Some(text) = describe(&event.body) {
        let seconds = event.at.since(began).as_secs_f64();
        output.line(&format!("{DIM}{seconds:7.2}s {:>4}{DIM:#}  {text}", event.seq));
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    if text.chars().count() > 110 { format!("{}…", text.chars().take(110).collect::<String>()) } else { text }
}

/// A line for people, or nothing.
pub(crate) fn describe(body: &EventBody) -> Option<String> {
    Some(match body {
        EventBody::SessionCreated(e) => format!("opened {} from pack {}", e.handle, e.pack),
        EventBody::AssignmentIssued(e) => format!("▸ {} ({}) gets to work", e.agent, e.role.as_str()),
        EventBody::AssignmentRedispatched(e) => format!("{NOTE}assigned again{NOTE:#}: {}", e.cause),
        EventBody::ModelReplied(e) if !e.reply.text.is_empty() => format!("  “{}”", e.reply.text),
        EventBody::ModelFailed(e) => format!("{BAD}model failed{BAD:#}: {}", e.failure),
        EventBody::RepairRequested(_) => format!("{NOTE}asked the model to mend its reply{NOTE:#}"),
        EventBody::ToolIntended(e) => format!("  {} {}", e.tool, short(&e.args)),
        EventBody::ToolReturned(e) => returned(&e.outcome),
        EventBody::ToolRefused(e) => format!("  {NOTE}refused{NOTE:#} {}: {}", e.tool, e.refusal),
        EventBody::CallReissued(e) => format!("{NOTE}call {} is made again under the same key{NOTE:#}", e.call),
        EventBody::ProbeRequested(e) => format!("{NOTE}did call {} happen? asking its tool{NOTE:#}", e.call),
        EventBody::CallProbed(e) => probed(e),
        EventBody::ApprovalRequested(e) => {
            format!(
                "{NOTE}● approval needed{NOTE:#} for {} {} ({}) id {}",
                e.tool,
                short(&e.args),
                e.reason,
                e.approval
            )
        }
        EventBody::ApprovalAnswered(e) => format!("one approval by {}", e.by),
        EventBody::ApprovalDecided(e) => format!("● {} by {}", e.decision.state(), e.by),
        EventBody::ApprovalExpired(_) => format!("{NOTE}● nobody answered in time: not run{NOTE:#}"),
        EventBody::OutcomeUnknown(e) => {
            format!("{BAD}● nobody knows whether call {} happened{BAD:#}: {}", e.call, e.cause)
        }
        EventBody::OutcomeSettled(e) => format!("● call {} settled by {}", e.call, e.by),
        EventBody::OperatorAsked(e) => format!("{NOTE}● an operator is asked{NOTE:#}: {}", e.summary),
        EventBody::OperatorSpoke(e) => format!("● {} says: {}", e.by, e.text),
        EventBody::AgentFinished(e) => format!(
            "◂ {}: {} (confidence {:.2}{})",
            e.agent,
            e.envelope.content,
            e.envelope.confidence,
            e.envelope.signal.as_ref().map(|signal| format!(", {signal}")).unwrap_or_default()
        ),
        EventBody::AgentFailed(e) => format!("{BAD}◂ {} failed{BAD:#}: {}", e.agent, e.failure),
        EventBody::WatchPolled(e) => {
            let met = e.met.map_or("not readable", |met| if met { "met" } else { "not met" });
            format!("  measured: {met}, {} in a row", e.streak)
        }
        EventBody::FieldsPatched(e) => format!("  fields {}", short(&e.patch)),
        EventBody::FindingRecorded(e) => format!("  {} {}", e.tool, short(&e.finding)),
        EventBody::ClaimRefused(e) => format!("  {NOTE}claim {} refused{NOTE:#}: {}", e.tool, e.refusal),
        EventBody::LimitReached(e) => format!("{NOTE}limit reached{NOTE:#}: {} {}", e.limit, e.bound),
        EventBody::StopRequested(e) => format!("{NOTE}stopped by {}{NOTE:#}: {}", e.by, e.reason),
        EventBody::RetryStarted(e) => format!("retry {} by {}", e.count, e.by),
        EventBody::SessionErased(e) => format!("{NOTE}erased by {}{NOTE:#}: {}", e.by, e.reason),
        EventBody::StatusChanged(e) => format!("= {}: {}", status(e.to_status().as_str()), e.reason()),
        EventBody::SignalReceived(e) => format!("signal from {}", e.source),
        EventBody::SessionStarted(_)
        | EventBody::ModelRequested(_)
        | EventBody::ModelReplied(_)
        | EventBody::GateFired(_)
        | EventBody::ConfidenceEmitted(_)
        | EventBody::ConfidenceMismatched(_)
        | EventBody::RouteDecided(_)
        | EventBody::ClaimRaised(_) => return None,
    })
}

fn probed(e: &CallProbed) -> String {
    match &e.finding {
        ProbeFinding::Happened => format!("  its tool says that call {} happened", e.call),
        ProbeFinding::DidNotHappen => format!("  its tool says that call {} did not happen", e.call),
        ProbeFinding::CannotTell { detail } => {
            format!("  {NOTE}its tool cannot tell of call {}{NOTE:#}: {detail}", e.call)
        }
    }
}

fn returned(outcome: &RecordedOutcome) -> String {
    match outcome {
        RecordedOutcome::Ok { content } | RecordedOutcome::Truncated { content, .. } => {
            let shown = match content {
                provost_domain::tool::Blob::Inline(value) => short(value),
                provost_domain::tool::Blob::Stored { bytes, .. } => format!("{bytes} bytes"),
            };
            format!("    {DIM}→ {shown}{DIM:#}")
        }
        RecordedOutcome::Empty { note } => format!("    {DIM}→ nothing: {note}{DIM:#}"),
        RecordedOutcome::Failed { failure } => format!("    {BAD}→ failed{BAD:#}: {}", failure.detail),
    }
}

/// A status in its colour.
pub(crate) fn status(word: &str) -> String {
    match word {
        "resolved" => format!("{GOOD}{word}{GOOD:#}"),
        "error" | "needs_review" => format!("{BAD}{word}{BAD:#}"),
        "awaiting_input" | "escalated" | "stopped" => format!("{NOTE}{word}{NOTE:#}"),
        other => other.to_owned(),
    }
}
