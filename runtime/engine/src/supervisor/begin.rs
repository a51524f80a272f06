//! Beginning to carry a session: a new one, or one whose log was loaded.

use provost_domain::command::Report;
use provost_domain::event::SessionCreated;
use provost_domain::ids::Fence;
use provost_domain::port::{NewSession, StoreError, TakenOver};
use ractor::ActorProcessingErr;

use super::load::LoadedSession;
use super::messages::{Boot, Input};
use super::state::State;

/// A session taken over more often than this without getting any further ends its run: whatever it does may be what
/// ends its processes. Recovering from a crash takes one.
const TAKEOVERS_MAX: u32 = 5;

impl State {
    /// Begins a new session: held under the first fence from its first append on.
    pub(super) fn begin(&mut self) {
        let Some(Boot::Create { mut created, title, start, reply }) = self.boot.take() else { return };
        let at = self.shared.now();
        let inputs = self.input_digests();
        created.catalogue_digest = Some(inputs.catalogue);
        created.roles_digest = Some(inputs.roles);
        let SessionCreated { handle, pack, pack_digest, .. } = (*created).clone();
        self.serve(&pack, pack_digest);
        self.fence = Some(Fence(1));
        self.new = Some(NewSession { id: self.id(), handle, pack, pack_digest, title, at, first: None });
        match start {
            Some(start) => {
                self.inputs.push_back(Input::Create(created, None));
                self.inputs.push_back(Input::Direct(Box::new(start), Some(reply)));
            }
            None => self.inputs.push_back(Input::Create(created, Some(reply))),
        }
    }

    /// Goes on from what was loaded and queues why it was: what is in doubt first, then the command or the inbox.
    pub(super) fn loaded(&mut self, loaded: LoadedSession) {
        if let Err(error) = self.begin_again(loaded) {
            self.fail(&StoreError::Damaged { detail: format!("session {}: {error}", self.id()) });
        }
    }

    fn begin_again(&mut self, loaded: LoadedSession) -> Result<(), ActorProcessingErr> {
        let LoadedSession { taken, session, head, snapshot_seq, contents } = loaded;
        let TakenOver { row, snapshot: _, records: _, inbox } = taken;
        self.serve(&row.pack, row.pack_digest);
        self.since = self.shared.now();
        self.wake_seq = row.wake_seq;
        self.snapshot_seq = snapshot_seq;
        self.session = session;
        self.cited.session_is_due = true;
        self.contents = contents;
        if head != (row.head_seq, row.head_hash) {
            return Err(format!("its log ends at event {}, its row says {}", head.0, row.head_seq).into());
        }
        self.head_hash = head.1;
        let takeovers = row.takeovers;
        self.fence = Some(row.fence);
        self.inputs.push_back(Input::Report(Report::TakenOver));
        match self.boot.take() {
            Some(Boot::GiveUp(cause)) => self.inputs.push_front(Input::Report(Report::GivenUp { cause })),
            Some(Boot::Wake) if takeovers > TAKEOVERS_MAX => {
                let cause = format!("taken over {takeovers} times without getting any further");
                self.inputs.push_front(Input::Report(Report::GivenUp { cause }));
            }
            Some(Boot::Wake | Boot::Asked | Boot::Create { .. }) | None => {}
        }
        self.inbox(inbox, self.wake_seq);
        Ok(())
    }
}
