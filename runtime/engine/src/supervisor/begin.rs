//! Beginning to carry a session: a new one, or one whose log was loaded.

use provost_domain::command::Report;
use provost_domain::event::SessionCreated;
use provost_domain::ids::{Digest, Fence, Seq};
use provost_domain::log::AppendRecord;
use provost_domain::port::{NewSession, StoreError, TakenOver};
use provost_domain::session::Session;
use ractor::ActorProcessingErr;

use super::load::LoadedSession;
use super::messages::{Boot, Input};
use super::session_pack::SessionPack;
use super::state::State;

/// A session taken over more often than this without getting any further ends its run: whatever it does may be what
/// ends its processes. Recovering from a crash takes one.
const TAKEOVERS_MAX: u32 = 5;

impl State {
    /// Begins a new session: held under the first fence from its first append on.
    pub(super) fn begin(&mut self) {
        let Some(Boot::Create { created, title, start, reply }) = self.boot.take() else { return };
        let at = self.shared.now();
        let SessionCreated { handle, pack, pack_digest, .. } = (*created).clone();
        self.served = SessionPack::of(&self.resources, &pack, pack_digest);
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

    /// Folds what was loaded and queues why it was: what is in doubt first, then the command or the inbox.
    pub(super) fn loaded(&mut self, loaded: LoadedSession) {
        if let Err(error) = self.begin_again(loaded) {
            self.fail(&StoreError::Damaged { detail: format!("session {}: {error}", self.id()) });
        }
    }

    fn begin_again(&mut self, loaded: LoadedSession) -> Result<(), ActorProcessingErr> {
        let LoadedSession { taken: TakenOver { row, snapshot: _, records, inbox }, session, mut head, snapshot_seq } =
            loaded;
        self.served = SessionPack::of(&self.resources, &row.pack, row.pack_digest);
        self.since = self.shared.now();
        self.wake_seq = row.wake_seq;
        self.snapshot_seq = snapshot_seq;
        self.session = session;
        self.cited.session_is_due = true;
        for record in &records {
            self.fold(record, head)?;
            head = (record.header.last_seq, record.hash);
        }
        if head != (row.head_seq, row.head_hash) {
            return Err(format!("its log ends at event {}, its row says {}", head.0, row.head_seq).into());
        }
        self.head_hash = head.1;
        let takeovers = row.takeovers;
        self.fence = Some(row.fence);
        self.inputs.push_back(Input::Report(Report::TakenOver));
        match self.boot.take() {
            Some(Boot::Command { command, reply }) => self.inputs.push_back(Input::Direct(command, Some(reply))),
            Some(Boot::GiveUp(cause)) => self.inputs.push_front(Input::Report(Report::GivenUp { cause })),
            Some(Boot::Wake) if takeovers > TAKEOVERS_MAX => {
                let cause = format!("taken over {takeovers} times without getting any further");
                self.inputs.push_front(Input::Report(Report::GivenUp { cause }));
            }
            Some(Boot::Wake | Boot::Create { .. }) | None => {}
        }
        self.inbox(inbox, self.wake_seq);
        Ok(())
    }

    fn fold(&mut self, record: &AppendRecord, head: (Seq, Digest)) -> Result<(), ActorProcessingErr> {
        for event in record.open(head.0, head.1)? {
            Session::advance(&mut self.session, &event)?;
        }
        Ok(())
    }
}
