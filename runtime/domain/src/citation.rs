//! Citations: what a claim or a report gives as evidence, held against the log.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::command::{Answer, Ask, Command, Report};
use crate::evidence::{Evidence, ResultKind};
use crate::ids::Seq;
use crate::model::Arguments;
use crate::refusal::ToolRefusal;
use crate::schema::ArgSchema;
use crate::session::Session;

/// Tool results that are cited and are older than what the session's header holds, as its log says. A position that is not a
/// tool result's is left out.
pub type OlderResults = BTreeMap<Seq, ResultKind>;

/// What may be cited in a session.
#[derive(Debug, Clone, Copy)]
pub struct Citations<'a> {
    session: &'a Session,
    older: &'a OlderResults,
    also: &'a BTreeSet<ResultKind>,
}

/// Why what is cited does not count as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CitationFlaw {
    /// It names no tool result of this session.
    Unknown,
    /// It names a result of a kind that the pack does not take as evidence.
    NotTaken(ResultKind),
}

impl<'a> Citations<'a> {
    /// What may be cited: whole results, and those of the kinds that the pack takes besides.
    pub fn new(session: &'a Session, older: &'a OlderResults, also: &'a BTreeSet<ResultKind>) -> Self {
        Self { session, older, also }
    }

    /// The kind of the result at a position; `None` where no result stands.
    pub fn kind(&self, seq: Seq) -> Option<ResultKind> {
        self.session.result(seq).or_else(|| self.older.get(&seq).copied())
    }

    /// Whether the result at a position is evidence.
    pub fn takes(&self, seq: Seq) -> bool {
        self.kind(seq).is_some_and(|kind| kind == ResultKind::Whole || self.also.contains(&kind))
    }

    /// Why an id does not count as evidence; `None` if it does.
    pub fn flaw(&self, id: &str) -> Option<CitationFlaw> {
        let Some(evidence) = Evidence::parse(id).filter(|evidence| evidence.session == self.session.id()) else {
            return Some(CitationFlaw::Unknown);
        };
        match self.kind(evidence.seq) {
            None => Some(CitationFlaw::Unknown),
            Some(_) if self.takes(evidence.seq) => None,
            Some(kind) => Some(CitationFlaw::NotTaken(kind)),
        }
    }

    /// Every id that arguments cite must be evidence: those of the list `evidence`, and those that stand where the schema
    /// has one.
    pub(crate) fn check(&self, schema: &ArgSchema, args: &Value) -> Result<(), ToolRefusal> {
        let listed = args.get("evidence").and_then(Value::as_array).into_iter().flatten();
        let listed = listed.map(|id| id.as_str().map_or_else(|| id.to_string(), str::to_owned));
        let marked = schema.evidence_in(args).into_iter().map(str::to_owned);
        let (mut unknown, mut cited) = (Vec::new(), Vec::new());
        for text in listed.chain(marked) {
            match self.flaw(&text) {
                None => {}
                Some(CitationFlaw::Unknown) => unknown.push(text),
                Some(CitationFlaw::NotTaken(kind)) => cited.push(format!("{text} is {kind}")),
            }
        }
        if !unknown.is_empty() {
            return Err(ToolRefusal::UnknownEvidence { unknown });
        }
        if cited.is_empty() { Ok(()) } else { Err(ToolRefusal::NoEvidence { cited }) }
    }

    /// Why an id does not count as evidence, in words for a model; `None` if it does.
    pub fn told_flaw(&self, id: &str) -> Option<String> {
        let shown: String = id.chars().take(80).collect();
        match self.flaw(id)? {
            CitationFlaw::Unknown => Some(format!(
                "`{shown}` is not the id of a tool result of this session; cite the id that a tool result shows"
            )),
            CitationFlaw::NotTaken(kind) => {
                Some(format!("`{shown}` is {kind}, so no evidence; cite a result that came back whole"))
            }
        }
    }
}

/// The positions of this session's log that a text cites.
fn cited(session: &Session, text: &str, found: &mut BTreeSet<Seq>) {
    found.extend(Evidence::all_in(text).filter(|own| own.session == session.id()).map(|own| own.seq));
}

/// The same of every text in a value, names of members included.
fn cited_in_value(session: &Session, value: &Value, found: &mut BTreeSet<Seq>) {
    match value {
        Value::String(text) => cited(session, text, found),
        Value::Array(items) => items.iter().for_each(|item| cited_in_value(session, item, found)),
        Value::Object(members) => {
            for (name, member) in members {
                cited(session, name, found);
                cited_in_value(session, member, found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn cited_in(session: &Session, args: &Arguments, found: &mut BTreeSet<Seq>) {
    match args {
        Arguments::Json(value) => cited_in_value(session, value, found),
        Arguments::Broken(_) => {}
    }
}

/// What open calls and turns of a session cite: a decision may look at it again at any time.
pub fn of_session(session: &Session) -> BTreeSet<Seq> {
    let mut found = BTreeSet::new();
    for call in session.open_calls() {
        cited_in(session, &call.args, &mut found);
    }
    for turn in session.works().values().filter_map(|work| work.turn()) {
        cited(session, &turn.text, &mut found);
    }
    if let Some(open) = session.claim() {
        cited_in_value(session, &open.args, &mut found);
    }
    for pending in session.approvals().values() {
        cited_in_value(session, &pending.asked.args, &mut found);
    }
    found
}

/// What a report of a worker cites.
pub fn of_report(session: &Session, report: &Report) -> BTreeSet<Seq> {
    let mut found = BTreeSet::new();
    match report {
        Report::Replied { result: Ok(reply), .. } => {
            cited(session, &reply.text, &mut found);
            for call in &reply.calls {
                cited_in(session, &call.args, &mut found);
            }
        }
        Report::Replied { result: Err(_), .. }
        | Report::TakenOver
        | Report::Returned { .. }
        | Report::Probed { .. }
        | Report::GivenUp { .. }
        | Report::Tick
        | Report::WorkerLost { .. } => {}
    }
    found
}

/// What a command cites.
pub fn of_command(session: &Session, command: &Command) -> BTreeSet<Seq> {
    let mut found = BTreeSet::new();
    match &command.ask {
        Ask::Claim { args, .. } | Ask::Answer { answer: Answer::Edit { args }, .. } => {
            for value in args.values() {
                cited_in_value(session, value, &mut found);
            }
        }
        Ask::Start
        | Ask::Continue
        | Ask::Retry { .. }
        | Ask::Stop { .. }
        | Ask::Answer { answer: Answer::Approve | Answer::Reject { .. } | Answer::Respond { .. }, .. }
        | Ask::Speak { .. }
        | Ask::Annotate { .. }
        | Ask::Acknowledge
        | Ask::Settle { .. }
        | Ask::Signal { .. } => {}
    }
    found
}
