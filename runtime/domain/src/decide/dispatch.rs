//! From a command to the rule that decides it.

use std::time::Duration;

use super::draft::{Draft, Recorder};
use super::{answer, claim, retry, settle, speak, start, stop};
use crate::attention::NeedKind;
use crate::command::{Ask, Command};
use crate::event::{CaseAcknowledged, NoteAdded, SignalReceived};
use crate::nesting;
use crate::principal::Principal;
use crate::refusal::Refusal;

/// Decides a command by the rules of the session's pack.
pub(super) fn command(draft: &mut Draft<'_>, command: &Command) -> Result<(), Refusal> {
    let by = &command.by;
    match &command.ask {
        Ask::Start => start::decide(draft, by),
        Ask::Continue => start::carry_on(draft, by),
        Ask::Retry { force } => retry::decide(draft, by, *force),
        Ask::Answer { approval, answer, reason } => {
            let said = reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
            answer::decide(draft, (by, said), approval, answer)
        }
        Ask::Speak { text } => speak::decide(draft, by, text),
        Ask::Claim { tool, args } => claim::by_person(draft, by, tool, args),
        Ask::Stop { .. } | Ask::Settle { .. } | Ask::Annotate { .. } | Ask::Acknowledge | Ask::Signal { .. } => {
            without_pack(draft, command)
        }
    }
}

/// Decides what no pack has a say in; anything else records nothing.
pub(super) fn without_pack(recorder: &mut Recorder, command: &Command) -> Result<(), Refusal> {
    let by = &command.by;
    match &command.ask {
        Ask::Stop { reason } => stop::decide(recorder, by, reason),
        Ask::Settle { call, settlement } => settle::decide(recorder, by, call, settlement),
        Ask::Annotate { text } => {
            recorder.push(NoteAdded { by: by.clone(), text: text.clone() });
            Ok(())
        }
        Ask::Acknowledge => acknowledge(recorder, by),
        Ask::Signal { source, payload } => {
            let mut payload = payload.clone();
            nesting::cut(&mut payload, nesting::LEVELS_MAX);
            recorder.push(SignalReceived { source: source.clone(), payload: payload.into() });
            Ok(())
        }
        Ask::Start | Ask::Continue | Ask::Retry { .. } | Ask::Answer { .. } | Ask::Speak { .. } | Ask::Claim { .. } => {
            Ok(())
        }
    }
}

/// A person is at it. Where nothing is needed, nobody is reminded of anything.
fn acknowledge(recorder: &mut Recorder, by: &Principal) -> Result<(), Refusal> {
    let session = &recorder.session;
    if session.needs(Duration::ZERO).iter().all(|need| need.kind == NeedKind::Closed) {
        return Err(Refusal::NothingToDo { status: session.status().clone(), verb: "acknowledge".to_owned() });
    }
    recorder.push(CaseAcknowledged { by: by.clone() });
    Ok(())
}
