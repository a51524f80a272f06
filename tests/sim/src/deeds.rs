//! What truly happened in the world, call by call, whoever knows of it; and what the tools said of it. Events that say
//! otherwise, and requests that may not be made, are found here.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use provost_domain::event::{EventBody, ProbeFinding};
use provost_domain::ids::{CallId, SessionId};
use provost_domain::tool::{EffectClass, Happened, RecordedOutcome, ToolCall, ToolOutcome};

use crate::gate::Life;

/// All deeds, shared by the clones.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deeds(Arc<Mutex<BTreeMap<(SessionId, CallId), Deed>>>);

/// One call in the world.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deed {
    /// The keys it was made or asked about under.
    pub(crate) keys: BTreeSet<String>,
    /// How often it happened.
    pub(crate) times: u32,
    /// How often it was begun.
    requests: u32,
    /// How often its tool surely said that it did not happen. What was begun before is turned away since.
    denials: u32,
    /// How often a node was told that its request surely came to nothing.
    losses: u32,
    /// Whether its tool surely said that it happened.
    confirmed: bool,
    /// Whether its target said that it never will.
    pub(crate) refused: bool,
    /// What came of it where it happened first.
    outcome: Option<ToolOutcome>,
}

/// A request on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    class: EffectClass,
    /// From a node that another has replaced.
    stale: bool,
    denials: u32,
}

impl Request {
    /// Whether its call may happen more than once.
    pub(crate) fn may_repeat(self) -> bool {
        match self.class {
            EffectClass::Read | EffectClass::Idempotent => true,
            EffectClass::Probe | EffectClass::Unsafe => false,
        }
    }
}

impl Deeds {
    fn lock(&self) -> MutexGuard<'_, BTreeMap<(SessionId, CallId), Deed>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn at<T>(&self, call: &ToolCall, work: impl FnOnce(&mut Deed) -> T) -> T {
        work(self.lock().entry((call.session, call.call.clone())).or_default())
    }

    /// Every call that was begun.
    pub(crate) fn all(&self) -> BTreeMap<(SessionId, CallId), Deed> {
        self.lock().clone()
    }

    /// What is known of this call.
    pub(crate) fn of(&self, session: SessionId, call: &CallId) -> Deed {
        self.lock().get(&(session, call.clone())).cloned().unwrap_or_default()
    }

    /// Whether a call of this key happened.
    pub(crate) fn happened_under(&self, key: &str) -> bool {
        self.lock().values().any(|deed| deed.times > 0 && deed.keys.contains(key))
    }

    /// How often this call happened.
    pub(crate) fn times(&self, session: SessionId, call: &CallId) -> u32 {
        self.of(session, call).times
    }

    /// A node makes a request; also what is wrong with that.
    pub(crate) fn begin(&self, call: &ToolCall, class: EffectClass, life: Life) -> (Request, Option<String>) {
        let stale = life != Life::Runs;
        self.at(call, |deed| {
            deed.requests += 1;
            let allowed = match class {
                EffectClass::Read | EffectClass::Idempotent => u32::MAX,
                EffectClass::Probe => 1 + deed.denials + deed.losses,
                EffectClass::Unsafe => 1 + deed.losses,
            };
            let problem = if deed.requests > allowed {
                Some("is made again, and nobody knows that it did not happen".to_owned())
            } else if deed.confirmed && !stale {
                Some("is made again, and its tool had said that it happened".to_owned())
            } else {
                deed.under(call)
            };
            (Request { class, stale, denials: deed.denials }, problem)
        })
    }

    /// A request has come to its tool. `None` where the tool turns it away: it has said since that the call did not happen,
    /// or knows its sender for one that was replaced. Only so can such a tool be sure of its answers. Otherwise how often the
    /// call has happened now.
    pub(crate) fn arrive(&self, call: &ToolCall, request: Request, outcome: &ToolOutcome) -> Option<u32> {
        self.at(call, |deed| {
            if request.class == EffectClass::Probe && (request.stale || request.denials < deed.denials) {
                return None;
            }
            deed.times += 1;
            deed.outcome.get_or_insert_with(|| outcome.clone());
            Some(deed.times)
        })
    }

    /// A node that runs was told that its request surely came to nothing.
    pub(crate) fn lose(&self, call: &ToolCall) {
        self.at(call, |deed| deed.losses += 1);
    }

    /// Its target refuses it for good.
    pub(crate) fn refuse(&self, call: &ToolCall) {
        self.at(call, |deed| deed.refused = true);
    }

    /// A tool that can be sure says what came of a call, `None` where it did not happen; also what is wrong with the question.
    pub(crate) fn asked(&self, call: &ToolCall) -> (Option<ToolOutcome>, Option<String>) {
        self.at(call, |deed| {
            if deed.outcome.is_some() {
                deed.confirmed = true;
            } else {
                deed.denials += 1;
            }
            (deed.outcome.clone(), deed.under(call))
        })
    }

    /// What an event that is recorded now says of a call of this class, where that is not so.
    pub(crate) fn contradict(&self, session: SessionId, class: EffectClass, event: &EventBody) -> Option<String> {
        let (call, happened) = said(event)?;
        let times = self.times(session, call);
        // Nobody keeps count of what changes nothing.
        let wrong = class != EffectClass::Read && happened != (times > 0);
        wrong.then(|| {
            let word = if happened { "happened" } else { "did not happen" };
            format!("call {call} is recorded as one that {word}, and it happened {times} times")
        })
    }
}

impl Deed {
    /// What is wrong with the key that a call comes under.
    fn under(&mut self, call: &ToolCall) -> Option<String> {
        self.keys.insert(call.key.clone());
        (self.keys.len() > 1).then(|| format!("came under {} keys: {:?}", self.keys.len(), self.keys))
    }
}

/// Whether an event says of a call that it surely happened, or surely did not.
fn said(event: &EventBody) -> Option<(&CallId, bool)> {
    if let EventBody::CallProbed(probed) = event {
        return match probed.finding {
            ProbeFinding::Happened => Some((&probed.call, true)),
            ProbeFinding::DidNotHappen => Some((&probed.call, false)),
            ProbeFinding::CannotTell { .. } => None,
        };
    }
    let EventBody::ToolReturned(returned) = event else { return None };
    match &returned.outcome {
        RecordedOutcome::Ok { .. }
        | RecordedOutcome::Empty { .. }
        | RecordedOutcome::Truncated { .. }
        | RecordedOutcome::Partial { .. } => Some((&returned.call, true)),
        RecordedOutcome::Failed { failure } => match failure.happened {
            Happened::No => Some((&returned.call, false)),
            Happened::Answered => Some((&returned.call, true)),
            Happened::Maybe => None,
        },
    }
}
