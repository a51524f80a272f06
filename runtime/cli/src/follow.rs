//! Following a session: its events as lines, until it rests.

use anyhow::Result;
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::Reads;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_engine::LogReader;
use provost_face::{CallNames, Level, Narration, VisibleText, narrate};
use tokio::sync::broadcast::error::RecvError;

use crate::output::{DIM, Output, style};
use crate::remote::Remote;
use crate::wiring::House;

/// Longest sentence on a line, in characters: a few lines of a terminal.
const SENTENCE_MAX: usize = 400;

/// One step of a followed session.
#[derive(Debug)]
pub(crate) struct FollowedEvent<'a> {
    pub(crate) event: &'a Event,
    /// When the session began.
    began: Timestamp,
    names: &'a CallNames,
}

/// What is known of a session's earlier events when the next one is told.
#[derive(Debug, Default)]
pub(crate) struct EventTeller {
    began: Option<Timestamp>,
    names: CallNames,
}

impl EventTeller {
    /// The next event, with what the ones before it say of it.
    pub(crate) fn step<'a>(&'a mut self, event: &'a Event) -> FollowedEvent<'a> {
        let began = *self.began.get_or_insert(event.at);
        self.names.learn(&event.body);
        FollowedEvent { event, began, names: &self.names }
    }
}

/// A session followed so far, and what it took.
#[derive(Debug)]
pub(crate) struct Follower {
    id: SessionId,
    log: LogReader,
    told: EventTeller,
    pub(crate) events: u64,
    pub(crate) tool_calls: u64,
    pub(crate) approvals: u64,
}

impl Follower {
    pub(crate) fn new(id: SessionId) -> Self {
        Self { id, log: LogReader::new(id), told: EventTeller::default(), events: 0, tool_calls: 0, approvals: 0 }
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
    pub(crate) async fn catch_up(&mut self, reads: &dyn Reads, mut each: impl FnMut(&FollowedEvent<'_>)) -> Result<()> {
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
        mut each: impl FnMut(&FollowedEvent<'_>),
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

    fn hand_on(&mut self, events: &[Event], each: &mut impl FnMut(&FollowedEvent<'_>)) {
        for event in events {
            self.count(&event.body);
            each(&self.told.step(event));
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
            self.catch_up(&**house.engine.reads(), |step| print(output, step)).await?;
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
pub(crate) fn print(output: Output, step: &FollowedEvent<'_>) {
    let FollowedEvent { event, began, names } = step;
    if output.is_json() {
        return output.json(&event.to_json());
    }
    let narration = narrate(&event.body, names);
    if narration.level == Level::Minor {
        return;
    }
    let seconds = event.at.since(*began).as_secs_f64();
    output.line(&format!("{DIM}{seconds:7.2}s {:>4}{DIM:#}  {}", event.seq, line(&narration)));
}

/// A narration on one line; what is smaller than an agent's turn is indented.
fn line(narration: &Narration) -> String {
    let indent = match narration.level {
        Level::Session | Level::Agent => "",
        Level::Turn | Level::Call | Level::Minor => "  ",
    };
    let style = style(narration.tone);
    let detail = narration.key_detail().map(|detail| format!("{DIM}: {detail}{DIM:#}")).unwrap_or_default();
    let sentence = VisibleText::new(narration.sentence()).line(SENTENCE_MAX);
    format!("{indent}{style}{}{style:#} {sentence}{detail}", narration.glyph)
}
