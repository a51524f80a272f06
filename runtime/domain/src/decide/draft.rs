//! A verdict in the making: every event is applied to the session as it is pushed, so later steps see it. Who may refuse, or
//! decide again, keeps a copy of the session of before.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde_json::Value;

use super::facts::{Facts, Verdict};
use crate::citation::Citations;
use crate::event::{Event, EventBody};
use crate::failure::ModelFailure;
use crate::fallback::ModelChoice;
use crate::ids::{Digest, Fence, Seq};
use crate::principal::Principal;
use crate::projection::{ClaimChanges, ReleaseClaim, TakeClaim};
use crate::request::{self, Materials, Question};
use crate::session::Session;
use crate::terminal::{FrameworkStatus, StatusChanged};
use crate::time::Timestamp;
use crate::tool::Content;
use crate::work::{Turn, Work};

/// The principal of what the runtime does by itself.
pub(super) const fn runtime() -> Principal {
    Principal::Runtime
}

/// Records facts on a session: all that is needed where no pack has a say.
#[derive(Debug)]
pub(super) struct Recorder {
    pub(super) session: Session,
    pub(super) now: Timestamp,
    fence: Fence,
    events: Vec<EventBody>,
    contents: Vec<Content>,
    questions: Vec<Question>,
    claims: ClaimChanges,
}

/// Records facts by the rules of the session's pack.
#[derive(Debug)]
pub(super) struct Draft<'a> {
    recorder: Recorder,
    pub(super) facts: &'a Facts<'a>,
}

impl Deref for Draft<'_> {
    type Target = Recorder;

    fn deref(&self) -> &Recorder {
        &self.recorder
    }
}

impl DerefMut for Draft<'_> {
    fn deref_mut(&mut self) -> &mut Recorder {
        &mut self.recorder
    }
}

impl<'a> Draft<'a> {
    pub(super) fn new(session: Session, facts: &'a Facts<'a>) -> Self {
        Self { recorder: Recorder::new(session, facts.now, facts.fence), facts }
    }

    pub(super) fn into_verdict(self) -> Verdict {
        self.recorder.into_verdict()
    }

    /// What may be cited as evidence.
    pub(super) fn citations(&self) -> Citations<'_> {
        Citations::new(&self.recorder.session, self.facts.older, &self.facts.pack.evidence_also)
    }

    /// The question of a turn's present round, as it leaves.
    pub(super) fn question(&self, work: &Work, turn: Turn, choice: &ModelChoice) -> Result<Question, ModelFailure> {
        let facts = self.facts;
        let Some(agent) = facts.pack.agents.get(&work.agent) else {
            return Err(ModelFailure::LlmConfig { detail: format!("the pack has no agent `{}`", work.agent) });
        };
        let contents = |digest| self.kept(digest).or_else(|| facts.contents.get(digest));
        let models = facts.models;
        // Where all are away the agent's own says so, and is waited for.
        let model = choice.of(models, &agent.model).unwrap_or(&agent.model);
        let from = Materials { models, model, offers: facts.offers, contents: &contents };
        request::question(&self.session, (work, turn), agent, from)
    }
}

impl Recorder {
    pub(super) fn new(session: Session, now: Timestamp, fence: Fence) -> Self {
        Self {
            session,
            now,
            fence,
            events: Vec::new(),
            contents: Vec::new(),
            questions: Vec::new(),
            claims: ClaimChanges::default(),
        }
    }

    /// Adds a fact. What does not fit the session is not added: decisions only push what they have just checked, and the
    /// property tests hold them to it.
    pub(super) fn push(&mut self, body: impl Into<EventBody>) {
        let seq = self.session.head().next();
        let event = Event { seq, at: self.now, fence: self.fence, body: body.into() };
        let release = ReleaseClaim::by(&event.body).filter(|release| self.session.held().contains_key(&release.call));
        let applied = self.session.apply(&event);
        debug_assert_eq!(applied, Ok(()), "a decision pushed an event that does not fit");
        if applied.is_ok() {
            self.claims.release.extend(release);
            self.events.push(event.body);
        }
    }

    /// Has the append take the claim of a call that is just intended.
    pub(super) fn take(&mut self, claim: TakeClaim) {
        self.claims.take.push(claim);
    }

    /// Keeps a large value for the append.
    pub(super) fn keep(&mut self, content: Option<Content>) {
        self.contents.extend(content);
    }

    /// A large value that this verdict keeps.
    fn kept(&self, digest: Digest) -> Option<Arc<Value>> {
        let content = self.contents.iter().find(|content| content.digest == digest)?;
        serde_json::from_slice(&content.bytes).ok()
    }

    /// Hands a question out, to leave once the verdict is durable.
    pub(super) fn ask(&mut self, question: Question) {
        self.questions.push(question);
    }

    /// Moves the status by the runtime's own right.
    pub(super) fn set_status(&mut self, to: FrameworkStatus, reason: impl Into<String>, by: &Principal) {
        if *self.session.status() != to.status() {
            let changed = StatusChanged::framework(self.session.status(), to, reason.into(), by.clone());
            self.push(changed);
        }
    }

    /// The head as of now.
    pub(super) fn head(&self) -> Seq {
        self.session.head()
    }

    pub(super) fn into_verdict(self) -> Verdict {
        let Self { events, contents, questions, claims, session, .. } = self;
        Verdict { events, contents, questions, claims, after: session }
    }
}
