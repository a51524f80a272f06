//! What must hold once the faults have stopped: compares what was acknowledged and what the witness counted with the log.

use std::collections::{BTreeMap, BTreeSet};

use provost_domain::event::{Event, EventBody, ProbeFinding};
use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::port::{Reads, SessionFilter, SessionRow, StoreError};
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::tool::{Blob, EffectClass, Happened, RecordedOutcome};
use provost_store::{SqliteReads, SqliteStore};
use serde_json::Value;

use super::case::is_end;
use super::ledger::{Acknowledged, Ledger, digest};
use super::meeting::Held;
use super::outside::Outside;
use super::report::Report;
use super::site::Site;
use super::witness::Effect;
use crate::desk::last_line;

/// A call that the log says was to be made.
#[derive(Debug, Clone)]
struct Intended {
    session: SessionId,
    tool: String,
    effect: EffectClass,
    /// What the log says came of it.
    outcome: Option<RecordedOutcome>,
}

impl Intended {
    /// Whether its outcome says that it was done.
    fn worked(&self) -> bool {
        self.outcome.as_ref().is_some_and(RecordedOutcome::worked)
    }

    /// Whether it told somebody something: what a target answers is nobody's outcome.
    fn notifies(&self) -> bool {
        self.tool.starts_with("notify:")
    }
}

/// One session as it is stored.
struct Log {
    row: SessionRow,
    events: Vec<Event>,
}

/// Checks everything.
pub(super) async fn verdict(site: &Site, ledger: &Ledger, witness: &Outside, held: &Held) -> Report {
    let mut report = Report::default();
    audit(site, &mut report).await;
    let reads = SqliteStore::open_read_only(&site.store()).await.unwrap();
    let logs = logs(&reads, &mut report).await;
    let mut intended = BTreeMap::new();
    for log in &logs {
        count(log, &mut report, &mut intended);
        rests(log, &mut report);
        fenced(log, held, &mut report);
    }
    report.counted.noticed = site.whole_log().matches(&StoreError::Fenced.to_string()).count();
    let acknowledged = ledger.all();
    promises(&logs, &acknowledged, &mut report);
    let witnessed = witness.all().await;
    effects(&intended, &witnessed, &mut report);
    truth(&intended, &witnessed, &mut report);
    report
}

async fn audit(site: &Site, report: &mut Report) {
    let output = site.command(&["audit", "verify"]).output().await.unwrap();
    let verdict = last_line(&output);
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let line: Value = serde_json::from_str(line).unwrap_or_default();
        if let Some(problem) = line["problem"].as_str() {
            report.breach("audit", format!("{}: {problem}", line["session"]));
        }
    }
    if verdict["problems"] != 0 && report.is_clean() {
        report.breach("audit", format!("{verdict}"));
    }
}

/// Every session with its events; what cannot be read is a breach.
async fn logs(reads: &SqliteReads, report: &mut Report) -> Vec<Log> {
    let (mut logs, mut before) = (Vec::new(), None);
    loop {
        let filter = SessionFilter { before, limit: 500, ..SessionFilter::default() };
        let rows = reads.sessions(&filter).await.unwrap();
        let Some(last) = rows.last() else { return logs };
        before = Some(last.id);
        for row in rows {
            match events(reads, &row, report).await {
                Ok(events) => logs.push(Log { row, events }),
                Err(problem) => report.breach("audit", format!("{}: {problem}", row.id)),
            }
        }
    }
}

async fn events(reads: &SqliteReads, row: &SessionRow, report: &mut Report) -> Result<Vec<Event>, String> {
    let records = reads.records(row.id, Seq(0), u32::MAX).await.map_err(|error| error.to_string())?;
    report.counted.appends += records.len() as u64;
    let (mut head, mut events) = ((Seq(0), Digest::default()), Vec::new());
    for record in records {
        events.extend(record.open(head.0, head.1).map_err(|error| error.to_string())?);
        head = (record.header.last_seq, record.hash);
    }
    Ok(events)
}

/// Counts, and collects the calls that were to be made.
fn count(log: &Log, report: &mut Report, intended: &mut BTreeMap<String, Intended>) {
    let (session, counted) = (log.row.id, &mut report.counted);
    counted.sessions += 1;
    counted.events += log.events.len() as u64;
    *counted.statuses.entry(log.row.status.to_string()).or_default() += 1;
    // Under another fence while it was at work: its owner had not given it up.
    let (mut fence, mut works) = (None, false);
    for event in &log.events {
        counted.takeovers += u64::from(works && fence.is_some_and(|fence| fence != event.fence));
        fence = Some(event.fence);
        match &event.body {
            EventBody::StatusChanged(changed) => works = changed.to_status().as_str() == "in_progress",
            EventBody::OutcomeUnknown(_) => counted.doubts += 1,
            EventBody::CallReissued(_) => counted.reissued += 1,
            EventBody::CallProbed(probed) => {
                let finding = match probed.finding {
                    ProbeFinding::Happened => "happened",
                    ProbeFinding::DidNotHappen => "did_not_happen",
                    ProbeFinding::CannotTell { .. } => "cannot_tell",
                };
                *counted.findings.entry(finding.to_owned()).or_default() += 1;
            }
            EventBody::ToolIntended(call) => {
                let (tool, effect) = (call.tool.to_string(), call.effect);
                intended.insert(call.call.key(session), Intended { session, tool, effect, outcome: None });
            }
            EventBody::ToolReturned(call) => {
                if let Some(intended) = intended.get_mut(&call.call.key(session)) {
                    intended.outcome = Some(call.outcome.clone());
                }
            }
            _ => {}
        }
    }
}

/// It has ended, or it waits for something that a person can give.
fn rests(log: &Log, report: &mut Report) {
    let Log { row, events } = log;
    let mut session: Option<Session> = None;
    for event in events {
        match &mut session {
            None => session = Session::create(event).ok(),
            // An event that does not fit is found by the audit.
            Some(session) => drop(session.apply(event)),
        }
    }
    let waits = session.as_ref().is_some_and(|session| !session.waits().is_empty());
    if ["error", "needs_review"].contains(&row.status.as_str()) {
        let why = session.as_ref().map(|session| session.status_reason().to_owned()).unwrap_or_default();
        *report.counted.failures.entry(why).or_default() += 1;
    }
    let rests = is_end(&Value::String(row.status.to_string())) || (row.status == Status::AwaitingInput && waits);
    if !rests || row.owner.is_some() {
        report.breach("stuck", format!("{} is {}, owner {:?}", row.id, row.status, row.owner));
    }
}

/// Once a session was taken over, nothing is added under an older fence.
fn fenced(log: &Log, held: &Held, report: &mut Report) {
    for event in &log.events {
        if let Some(newer) = held.before(log.row.id, event.seq).filter(|newer| *newer > event.fence) {
            let Event { seq, fence, .. } = event;
            report.breach("fenced", format!("{}: event {seq} under fence {fence}, after fence {newer}", log.row.id));
        }
    }
}

/// Everything acknowledged is there, once.
fn promises(logs: &[Log], acknowledged: &Acknowledged, report: &mut Report) {
    let stored: BTreeMap<SessionId, &Log> = logs.iter().map(|log| (log.row.id, log)).collect();
    let Acknowledged { opened, seen, promises, unanswered, answers, refusals, complaints } = acknowledged;
    report.counted.answers = *answers;
    report.counted.refusals.clone_from(refusals);
    for (rule, what) in complaints {
        report.breach(rule, what.clone());
    }
    for key in unanswered {
        report.breach("unanswered", key.clone());
    }
    let ours: BTreeSet<SessionId> = opened.values().copied().collect();
    for session in ours.iter().filter(|session| !stored.contains_key(session)) {
        report.breach("acknowledged_lost", format!("{session} is gone"));
    }
    for session in stored.keys().filter(|session| !ours.contains(session)) {
        report.breach("done_twice", format!("{session} was opened without an answer"));
    }
    for (session, seen) in seen {
        let events = stored.get(session).map(|log| log.events.as_slice()).unwrap_or_default();
        let held: BTreeMap<u64, Digest> = events.iter().map(|event| (event.seq.0, digest(&event.to_json()))).collect();
        report.counted.seen += seen.len() as u64;
        for (seq, digest) in seen.iter().filter(|(seq, digest)| held.get(seq) != Some(digest)) {
            report.breach("acknowledged_lost", format!("{session}: event {seq} ({digest}) is gone or changed"));
        }
    }
    for promise in promises {
        let events = stored.get(&promise.session).map(|log| log.events.as_slice()).unwrap_or_default();
        let kept = |event: &&Event| {
            event.body.kind() == promise.kind && event.body.data()[promise.field] == promise.value.as_str()
        };
        match events.iter().filter(kept).count() {
            1 => {}
            0 => report.breach("acknowledged_lost", format!("{promise:?}")),
            more => report.breach("done_twice", format!("{more} times: {promise:?}")),
        }
    }
}

/// The witness saw what the log says, and nothing else.
fn effects(intended: &BTreeMap<String, Intended>, witnessed: &BTreeMap<String, Effect>, report: &mut Report) {
    let mut keys: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (key, effect) in witnessed {
        for reason in &effect.reasons {
            keys.entry(reason).or_default().insert(key);
        }
        let Some(call) = intended.get(key) else {
            report.breach("without_intent", format!("{} under {key}", effect.what));
            continue;
        };
        let (rule, counted) = match call.effect {
            EffectClass::Idempotent if call.notifies() => {
                report.counted.notifications += 1;
                continue;
            }
            EffectClass::Idempotent => {
                report.counted.idempotent_effects += 1;
                report.counted.idempotent_repeats += effect.times - 1;
                continue;
            }
            EffectClass::Probe => ("probed_twice", &mut report.counted.probed_effects),
            EffectClass::Read | EffectClass::Unsafe => ("unsafe_twice", &mut report.counted.unsafe_effects),
        };
        *counted += 1;
        if effect.times > 1 {
            report.breach(rule, format!("{key}: {} {} times", effect.what, effect.times));
        }
    }
    for (reason, keys) in keys.into_iter().filter(|(_, keys)| keys.len() > 1) {
        report.breach("changed_key", format!("`{reason}` under {keys:?}"));
    }
    for (key, call) in intended.iter().filter(|(key, call)| call.worked() && !witnessed.contains_key(*key)) {
        match call.effect {
            EffectClass::Read => {}
            EffectClass::Idempotent if call.notifies() => {
                report.breach("messages_lost", format!("{}: {key}", call.session));
            }
            EffectClass::Idempotent | EffectClass::Probe | EffectClass::Unsafe => {
                report.breach("outcome_without_effect", format!("{} under {key}", call.tool));
            }
        }
    }
}

/// What came of a call, as the log has it, is what the witness answered; and what surely did not happen did not.
fn truth(intended: &BTreeMap<String, Intended>, witnessed: &BTreeMap<String, Effect>, report: &mut Report) {
    for (key, call) in intended.iter().filter(|(_, call)| !call.notifies()) {
        let Some(effect) = witnessed.get(key) else { continue };
        let told = match &call.outcome {
            Some(RecordedOutcome::Ok { content: Blob::Inline(content) }) => **content == effect.answer(),
            Some(RecordedOutcome::Failed { failure }) => failure.happened != Happened::No,
            // Answers are short.
            Some(
                RecordedOutcome::Ok { .. }
                | RecordedOutcome::Empty { .. }
                | RecordedOutcome::Truncated { .. }
                | RecordedOutcome::Partial { .. },
            ) => false,
            // It is or was in doubt.
            None => true,
        };
        if !told {
            report.breach("untrue", format!("{} under {key}: {:?} where {effect:?}", call.tool, call.outcome));
        }
    }
}

#[cfg(test)]
mod tests {
    use provost_domain::failure::FailureKind;
    use provost_domain::tool::{ToolFailure, ToolOutcome};
    use serde_json::json;

    use super::*;

    /// One call that the witness counted `times`, with receipt 7: the rules that this breaks.
    #[track_caller]
    fn check(effect: EffectClass, outcome: ToolOutcome, times: u64, expect: &[&str]) {
        let (session, tool) = (SessionId::new(uuid::Uuid::nil()), "service:deploy".to_owned());
        let outcome = Some(RecordedOutcome::of(outcome).0);
        let intended = BTreeMap::from([("key".to_owned(), Intended { session, tool, effect, outcome })]);
        let counted = json!({"key": {"what": "release", "times": times, "receipt": 7, "reasons": ["r"]}});
        let witnessed = serde_json::from_value(counted).unwrap();
        let mut report = Report::default();
        effects(&intended, &witnessed, &mut report);
        truth(&intended, &witnessed, &mut report);
        assert_eq!(report.broken(), expect);
    }

    fn worked(receipt: u64) -> ToolOutcome {
        ToolOutcome::Ok { content: json!({"done": "release", "receipt": receipt}) }
    }

    fn failed(happened: Happened) -> ToolOutcome {
        let (kind, detail) = (FailureKind::Permanent, String::new());
        ToolOutcome::Failed {
            failure: ToolFailure { kind, happened, detail, exit: None, signal: None, timeout_ms: None },
        }
    }

    #[test]
    fn only_what_is_safe_to_repeat_may_happen_twice() {
        check(EffectClass::Probe, worked(7), 1, &[]);
        check(EffectClass::Probe, worked(7), 2, &["probed_twice: 1"]);
        check(EffectClass::Unsafe, worked(7), 2, &["unsafe_twice: 1"]);
        check(EffectClass::Idempotent, worked(7), 2, &[]);
    }

    #[test]
    fn an_outcome_is_what_the_witness_did() {
        check(EffectClass::Probe, worked(8), 1, &["untrue: 1"]);
        check(EffectClass::Unsafe, failed(Happened::No), 1, &["untrue: 1"]);
        check(EffectClass::Unsafe, failed(Happened::Maybe), 1, &[]);
        check(EffectClass::Probe, ToolOutcome::Empty { note: String::new() }, 1, &["untrue: 1"]);
    }
}
