//! The people of a scenario: who answers what, each once and in the order of the file.

use std::collections::BTreeSet;

use provost_domain::call::{Call, CallState};
use provost_domain::command::{Answer, Ask, Command};
use provost_domain::event::Settlement;
use provost_domain::ids::{ApprovalId, CallId};
use provost_domain::principal::Principal;
use provost_domain::session::Session;
use provost_form::{At, ErrorLog};
use serde_json::{Map, Value};

use crate::shape::{RawAnswerWord, RawPerson};

/// Somebody who answers once.
#[derive(Debug, Clone)]
pub(crate) struct PersonScript {
    pub(crate) asked: At<String>,
    pub(crate) name: String,
    answer: RawAnswerWord,
    text: String,
    args: Map<String, Value>,
}

/// What a resting session waits for.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum OpenAsk {
    /// An approval of a call of this tool.
    Approval { approval: ApprovalId, tool: String },
    /// Words for this agent.
    Words { agent: String },
    /// Whether this call of the tool happened.
    Doubt { call: CallId, tool: String },
}

impl OpenAsk {
    /// Everything that a session waits for people with.
    pub(crate) fn of(session: &Session) -> Vec<Self> {
        let approvals = session.approvals().iter();
        let approvals = approvals
            .map(|(id, pending)| Self::Approval { approval: id.clone(), tool: pending.asked.tool.to_string() });
        let words = session.operator().map(|asked| Self::Words { agent: asked.from.to_string() });
        let doubts = session.unknown().keys().map(|call| {
            let tool = session.call(call).map(tool_in_doubt).unwrap_or_default();
            Self::Doubt { call: call.clone(), tool }
        });
        approvals.chain(words).chain(doubts).collect()
    }

    /// The name under which people of a scenario answer it.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Approval { tool, .. } | Self::Doubt { tool, .. } => tool,
            Self::Words { agent } => agent,
        }
    }

    /// What is asked, in words.
    pub(crate) fn words(&self) -> String {
        match self {
            Self::Approval { tool, .. } => format!("whether `{tool}` may run"),
            Self::Words { agent } => format!("for words to `{agent}`"),
            Self::Doubt { tool, .. } => format!("whether a call of `{tool}` happened"),
        }
    }
}

/// The tool of a call of which nobody knows whether it happened.
fn tool_in_doubt(call: &Call) -> String {
    match &call.state {
        CallState::Unknown(intent) | CallState::Probing(intent) | CallState::Intended(intent) => {
            intent.tool.to_string()
        }
        CallState::Proposed | CallState::Waiting(_) | CallState::Approved(_) | CallState::Settled(_) => {
            call.wire.clone()
        }
    }
}

impl PersonScript {
    /// Reads one person; an answer that says less than it must is reported.
    pub(crate) fn read(raw: &RawPerson, log: &mut ErrorLog) -> Option<Self> {
        let place = raw.asked.place;
        let text = raw.text.as_ref().map(|text| text.value.clone());
        let needs_words = match raw.answer {
            RawAnswerWord::Reject | RawAnswerWord::Respond | RawAnswerWord::Continue | RawAnswerWord::Stop => true,
            RawAnswerWord::Approve
            | RawAnswerWord::Edit
            | RawAnswerWord::Happened
            | RawAnswerWord::DidNotHappen
            | RawAnswerWord::Nothing => false,
        };
        if needs_words && text.is_none() {
            log.report(place, "the answer has no words", "add `text:` with what the person says");
            return None;
        }
        let args = raw.args.as_ref().map(provost_form::YamlNode::value);
        let edits = raw.answer == RawAnswerWord::Edit;
        let args = match (edits, args) {
            (true, Some(Value::Object(args))) => args,
            (true, _) => {
                log.report(place, "an edit needs new arguments", "add `args: {…}`, all that the model may write");
                return None;
            }
            (false, Some(_)) => {
                log.report(place, "only an edit has arguments", "take `args` out, or write `answer: edit`");
                return None;
            }
            (false, None) => Map::new(),
        };
        let name = raw.name.value.clone();
        Some(Self { asked: raw.asked.clone(), name, answer: raw.answer, text: text.unwrap_or_default(), args })
    }

    /// Whether the person says nothing, so that time passes.
    pub(crate) fn is_silent(&self) -> bool {
        self.answer == RawAnswerWord::Nothing
    }

    /// The command with which the person answers; `None` where the answer does not fit what is asked.
    pub(crate) fn command(&self, open: &OpenAsk) -> Option<Command> {
        let answer = |answer| match open {
            OpenAsk::Approval { approval, .. } => {
                Some(Ask::Answer { approval: approval.clone(), answer, reason: None })
            }
            OpenAsk::Words { .. } | OpenAsk::Doubt { .. } => None,
        };
        let settled = |settlement| match open {
            OpenAsk::Doubt { call, .. } => Some(Ask::Settle { call: call.clone(), settlement }),
            OpenAsk::Approval { .. } | OpenAsk::Words { .. } => None,
        };
        let text = self.text.clone();
        let note = if text.is_empty() { "seen in the scenario".to_owned() } else { text.clone() };
        let ask = match self.answer {
            RawAnswerWord::Approve => answer(Answer::Approve),
            RawAnswerWord::Reject => answer(Answer::Reject { reason: text }),
            RawAnswerWord::Edit => answer(Answer::Edit { args: self.args.clone() }),
            RawAnswerWord::Respond => answer(Answer::Respond { text }),
            RawAnswerWord::Continue => match open {
                OpenAsk::Words { .. } => Some(Ask::Speak { text }),
                OpenAsk::Approval { .. } | OpenAsk::Doubt { .. } => None,
            },
            RawAnswerWord::Stop => Some(Ask::Stop { reason: text }),
            RawAnswerWord::Happened => settled(Settlement::Happened { note }),
            RawAnswerWord::DidNotHappen => settled(Settlement::DidNotHappen { note }),
            RawAnswerWord::Nothing => None,
        };
        Some(Command { by: Principal::user(&self.name), if_version: None, ask: ask? })
    }
}

/// Who has not answered yet.
#[derive(Debug)]
pub(crate) struct PeopleQueue<'a> {
    people: &'a [PersonScript],
    answered: BTreeSet<usize>,
}

impl<'a> PeopleQueue<'a> {
    pub(crate) fn new(people: &'a [PersonScript]) -> Self {
        Self { people, answered: BTreeSet::new() }
    }

    /// The next person who answers one of these, who then has answered.
    pub(crate) fn next(&mut self, open: &[OpenAsk]) -> Option<(&'a PersonScript, OpenAsk)> {
        let waiting = self.people.iter().enumerate().filter(|(place, _)| !self.answered.contains(place));
        let found = waiting.filter_map(|(place, person)| {
            let ask = open.iter().find(|ask| ask.name() == person.asked.as_str())?;
            Some((place, person, ask.clone()))
        });
        let (place, person, ask) = { found }.next()?;
        self.answered.insert(place);
        Some((person, ask))
    }

    /// The first person who was never asked.
    pub(crate) fn first_left(&self) -> Option<&'a PersonScript> {
        self.people.iter().enumerate().find(|(place, _)| !self.answered.contains(place)).map(|(_, person)| person)
    }
}
