//! Looking up what is cited: tool results that are older than those the session holds are read from its log, so that
//! evidence is never held against a part of it only.

use std::collections::BTreeSet;

use provost_domain::citation;
use provost_domain::event::EventBody;
use provost_domain::evidence::ResultKind;
use provost_domain::ids::{Seq, SessionId};
use provost_domain::port::{Reads, StoreError};

use super::load::unreadable;
use super::messages::Input;
use super::state::State;
use crate::reader::Tail;

/// Results that are read for one step. What is cited beyond them counts as unknown: nobody cites so many for good reason.
const READ_MAX: usize = 256;

impl State {
    /// Reads the results that the waiting inputs cite, and after a takeover those that the session itself does.
    pub(super) async fn look_up_cited(&mut self) -> Result<(), StoreError> {
        let Some(session) = &self.session else { return Ok(()) };
        let mut cited = BTreeSet::new();
        if self.cited.session_is_due {
            cited = citation::of_session(session);
        }
        for input in &self.inputs {
            cited.extend(match input {
                Input::Report(report) => citation::of_report(session, report),
                Input::Direct(command, _) | Input::Inbox(_, command) => citation::of_command(session, command),
                Input::Create(..) | Input::Unreadable(..) => BTreeSet::new(),
            });
        }
        let (id, head) = (session.id(), session.head());
        cited.retain(|seq| *seq > Seq(0) && *seq <= head && session.result(*seq).is_none());
        cited.retain(|seq| !self.cited.older.contains_key(seq));
        for seq in cited.into_iter().take(READ_MAX) {
            if let Some(kind) = result_at(&*self.shared.ports.reads, id, seq).await? {
                self.cited.older.insert(seq, kind);
            }
        }
        self.cited.session_is_due = false;
        Ok(())
    }
}

/// The result at a position of a log, if one stands there.
async fn result_at(reads: &dyn Reads, id: SessionId, seq: Seq) -> Result<Option<ResultKind>, StoreError> {
    let mut tail = Tail::new(id, Seq(seq.0.saturating_sub(1)));
    let events = tail.next_of(reads, 1).await.map_err(|error| unreadable(id, error))?;
    let event = events.iter().find(|event| event.seq == seq);
    Ok(event.and_then(|event| match &event.body {
        EventBody::ToolReturned(returned) => Some(ResultKind::of(&returned.outcome)),
        _ => None,
    }))
}
