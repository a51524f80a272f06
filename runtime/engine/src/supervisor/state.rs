//! The supervisor's state: inputs in turn, one append at a time.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use provost_domain::command::{Ask, Command, Report};
use provost_domain::decide::{self, Accepted, Facts, NOT_LOADED, Unserved, Verdict};
use provost_domain::event::{Event, EventBody, SessionCreated};
use provost_domain::ids::{CmdId, Digest, Fence, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::pack::Pack;
use provost_domain::port::{InboxEntry, NewSession, StoreError, TakenOver};
use provost_domain::refusal::Refusal;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use ractor::{ActorId, ActorProcessingErr, ActorRef};

use super::append::Batch;
use super::load::Loaded;
use super::perform::Performing;
use super::{Answerer, Boot, End, Input, Settled, SupervisorArguments, ToSupervisor};
use crate::api::EngineError;
use crate::gear::Gear;
use crate::shared::Shared;

/// A session taken over more often than this without getting any further ends its run: whatever it does may be what
/// ends its processes. Recovering from a crash takes one.
const TAKEOVERS_MAX: u32 = 5;

/// Whether the session's pack is loaded as the session pinned it.
#[derive(Debug)]
pub(super) enum Served {
    /// By this one.
    As(Arc<Pack>),
    /// No: another version, or none, is loaded in its place.
    Not {
        /// What is.
        loaded: String,
    },
}

impl Served {
    fn by(gear: &Gear, name: &str, pinned: Digest) -> Self {
        match gear.pinned(pinned, name) {
            Some(pack) if pack.digest == pinned => Self::As(pack),
            Some(pack) => Self::Not { loaded: pack.digest.hex() },
            None => Self::Not { loaded: NOT_LOADED.to_owned() },
        }
    }

    pub(super) fn pack(&self) -> Option<&Arc<Pack>> {
        match self {
            Self::As(pack) => Some(pack),
            Self::Not { .. } => None,
        }
    }
}

/// One live session.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) shared: Arc<Shared>,
    /// What this session works with until it rests.
    pub(super) gear: Arc<Gear>,
    pub(super) id: SessionId,
    boot: Option<Boot>,
    /// The row to be stored with the first append.
    pub(super) new: Option<NewSession>,
    /// The fence it is held under, once it is.
    pub(super) fence: Option<Fence>,
    pub(super) served: Served,
    /// Since when it listens: it took the session over then, or handed its last work out.
    pub(super) since: Timestamp,
    pub(super) session: Option<Session>,
    pub(super) head_hash: Digest,
    pub(super) snapshot_seq: Seq,
    inputs: VecDeque<Input>,
    seen: HashSet<CmdId>,
    wake_seq: u64,
    pub(super) appends: u64,
    pub(super) batch: Option<Batch>,
    pub(super) performing: Performing,
    pub(super) parking: bool,
    /// Why the actor is about to end.
    pub(super) end: Option<End>,
    pub(super) draining: bool,
    /// The last append ended the session and gave it up.
    pub(super) released: bool,
}

impl State {
    pub(super) fn new(arguments: SupervisorArguments) -> Self {
        Self {
            gear: arguments.shared.rack.get(),
            id: arguments.session,
            boot: Some(arguments.boot),
            new: None,
            fence: None,
            served: Served::Not { loaded: NOT_LOADED.to_owned() },
            since: arguments.shared.now(),
            shared: arguments.shared,
            session: None,
            head_hash: Digest::default(),
            snapshot_seq: Seq(0),
            inputs: VecDeque::new(),
            seen: HashSet::new(),
            wake_seq: 0,
            appends: 0,
            batch: None,
            performing: Performing::default(),
            parking: false,
            end: None,
            draining: false,
            released: false,
        }
    }

    pub(super) fn fence(&self) -> Fence {
        self.fence.unwrap_or_default()
    }

    /// Whether the session is not stored yet.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.boot, Some(Boot::Create { .. }))
    }

    /// Begins a new session: held under the first fence from its first append on.
    pub(super) fn begin(&mut self) {
        let Some(Boot::Create { created, title, start, reply }) = self.boot.take() else { return };
        let at = self.shared.now();
        let SessionCreated { handle, pack, pack_digest, .. } = (*created).clone();
        self.served = self.served_by(&pack, pack_digest);
        self.fence = Some(Fence(1));
        self.new = Some(NewSession { id: self.id, handle, pack, pack_digest, title, at, first: None });
        match start {
            Some(start) => {
                self.inputs.push_back(Input::Create(created, None));
                self.inputs.push_back(Input::Direct(Box::new(start), Some(reply)));
            }
            None => self.inputs.push_back(Input::Create(created, Some(reply))),
        }
    }

    fn served_by(&self, name: &str, pinned: Digest) -> Served {
        #[cfg(feature = "controls")]
        if let Some(pack) = self.gear.packs().get(name).filter(|_| self.does_without(crate::Removed::Pin)) {
            return Served::As(Arc::clone(pack));
        }
        Served::by(&self.gear, name, pinned)
    }

    /// Folds what was loaded and queues why it was: what is in doubt first, then the command or the inbox.
    pub(super) fn loaded(&mut self, loaded: Loaded) {
        if let Err(error) = self.begin_again(loaded) {
            self.fail(&StoreError::Damaged { detail: format!("session {}: {error}", self.id) });
        }
    }

    fn begin_again(&mut self, loaded: Loaded) -> Result<(), ActorProcessingErr> {
        let Loaded { taken: TakenOver { row, snapshot: _, records, inbox }, session, mut head, snapshot_seq } = loaded;
        self.served = self.served_by(&row.pack, row.pack_digest);
        self.since = self.shared.now();
        self.wake_seq = row.wake_seq;
        self.snapshot_seq = snapshot_seq;
        self.session = session;
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

    /// What a worker reports. One that was replaced may not have listened and go on all the same: that something happened is
    /// news from anybody, but its failures and answers say nothing of the attempt that is under way in its place.
    pub(super) fn reported(&mut self, worker: ActorId, report: Report) {
        if self.performing.is_carried_by(worker) {
            self.report(report);
        } else if report.tells_of_success() {
            self.inputs.push_back(Input::Report(report));
        }
    }

    pub(super) fn report(&mut self, report: Report) {
        self.performing.ended(&report);
        self.inputs.push_back(Input::Report(report));
    }

    pub(super) fn inbox(&mut self, inbox: Vec<InboxEntry>, wake_seq: u64) {
        self.wake_seq = self.wake_seq.max(wake_seq);
        for entry in inbox {
            if self.seen.insert(entry.cmd_id.clone()) {
                self.inputs.push_back(Input::Inbox(entry.cmd_id, Box::new(entry.command)));
            }
        }
    }

    pub(super) fn read_inbox(&self, myself: &ActorRef<ToSupervisor>) {
        let (shared, id, myself) = (Arc::clone(&self.shared), self.id, myself.clone());
        let tasks = shared.tasks.clone();
        drop(tasks.spawn(async move {
            let inbox = shared.ports.commands.inbox(id).await;
            drop(myself.cast(ToSupervisor::Inbox(inbox)));
        }));
    }

    /// The next step, or the end of the actor where none is left.
    pub(super) async fn go_on_or_end(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        self.go_on(myself).await?;
        if let Some(end) = self.end {
            myself.stop(Some(end.word().to_owned()));
        }
        Ok(())
    }

    /// The next step that is possible: decide what waits, or perform and rest.
    pub(super) async fn go_on(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        if self.fence.is_none() || self.batch.is_some() || self.parking || self.end.is_some() {
            return Ok(());
        }
        let mut batch = Batch::at(self.shared.now());
        while let Some(input) = self.inputs.pop_front() {
            self.take(input, &mut batch)?;
        }
        if !batch.is_empty() {
            self.append(batch, myself);
            #[cfg(feature = "controls")]
            if self.does_without(crate::Removed::Intent) {
                self.perform(myself).await?;
            }
            return Ok(());
        }
        self.perform(myself).await?;
        if self.is_resting() {
            self.park(myself);
        }
        Ok(())
    }

    #[cfg(feature = "controls")]
    pub(super) fn does_without(&self, mechanism: crate::Removed) -> bool {
        self.shared.settings.removed == Some(mechanism)
    }

    /// Decides one input. A refusal is an answer and changes nothing.
    fn take(&mut self, input: Input, batch: &mut Batch) -> Result<(), ActorProcessingErr> {
        match input {
            Input::Create(created, reply) => {
                let body = decide::create(*created);
                let event = Event { seq: Seq(1), at: batch.at, fence: self.fence(), body: body.clone() };
                Session::advance(&mut self.session, &event)?;
                batch.events.push(body);
                let accepted = Accepted { status: Status::New.to_string(), version: event.seq };
                batch.answers.extend(reply.map(|reply| (reply, Settled::Accepted(accepted))));
            }
            Input::Report(report) => {
                let Some(session) = &self.session else { return Ok(()) };
                let verdict = match &self.served {
                    Served::As(pack) => decide::report(session, report, &self.facts(pack, batch.at)),
                    Served::Not { loaded } => self.unserved(loaded, batch.at).report(session, &report),
                };
                self.adopt(verdict, batch);
            }
            Input::Direct(command, reply) => {
                let settled = self.decide(&command, batch)?;
                batch.answers.extend(reply.map(|reply| (reply, settled)));
            }
            Input::Inbox(cmd_id, command) => {
                let settled = self.decide(&command, batch)?;
                batch.acks.push((cmd_id, settled));
            }
        }
        Ok(())
    }

    fn decide(&mut self, command: &Command, batch: &mut Batch) -> Result<Settled, ActorProcessingErr> {
        let Some(session) = &self.session else { return Err("a command came before the session".into()) };
        if let Ask::Settle { call, .. } = &command.ask
            && self.performing.makes(call)
        {
            return Ok(Settled::Refused(Refusal::CallUnderWay { call: call.clone() }));
        }
        let decided = match &self.served {
            Served::As(pack) => decide::command(session, command, &self.facts(pack, batch.at)),
            Served::Not { loaded } => self.unserved(loaded, batch.at).command(session, command),
        };
        Ok(match decided {
            Ok(verdict) => {
                #[cfg(feature = "controls")]
                let verdict = if self.does_without(crate::Removed::Consumption) {
                    crate::controls::unconsumed(verdict, session, self.fence())?
                } else {
                    verdict
                };
                let after = &verdict.after;
                let accepted = Accepted { status: after.status().to_string(), version: after.head() };
                self.adopt(verdict, batch);
                Settled::Accepted(accepted)
            }
            Err(refusal) => Settled::Refused(refusal),
        })
    }

    fn facts<'a>(&'a self, pack: &'a Pack, now: Timestamp) -> Facts<'a> {
        Facts {
            now,
            fence: self.fence(),
            since: self.since,
            pack,
            catalog: &self.gear.catalog,
            roles: &*self.shared.ports.roles,
        }
    }

    fn unserved<'a>(&self, loaded: &'a str, now: Timestamp) -> Unserved<'a> {
        Unserved { now, fence: self.fence(), loaded }
    }

    fn adopt(&mut self, verdict: Verdict, batch: &mut Batch) {
        let ends_turn = |event: &EventBody| matches!(event, EventBody::AgentFinished(_) | EventBody::AgentFailed(_));
        batch.turn_ended |= verdict.events.iter().any(ends_turn);
        if verdict.events.iter().any(|event| matches!(event, EventBody::AssignmentRedispatched(_))) {
            self.performing.dismiss();
        }
        batch.events.extend(verdict.events);
        batch.contents.extend(verdict.contents);
        self.session = Some(verdict.after);
    }

    /// Whether nothing is owed and nothing is under way.
    fn is_resting(&self) -> bool {
        self.inputs.is_empty() && self.performing.is_idle() && (self.draining || self.owes_nothing())
    }

    fn owes_nothing(&self) -> bool {
        self.session.as_ref().is_none_or(|session| provost_domain::session::owed(session, self.fence()).is_empty())
    }

    /// Gives the session up. One that still owes work (a drain) is due at once: the next start finds it.
    fn park(&mut self, myself: &ActorRef<ToSupervisor>) {
        if self.released {
            self.end = Some(End::Rested);
            return;
        }
        self.parking = true;
        let park = provost_domain::port::Park {
            session: self.id,
            fence: self.fence(),
            owner: self.shared.owner.clone(),
            wake_seq: self.wake_seq,
            next_run_at: if self.owes_nothing() {
                self.session.as_ref().and_then(|session| session.next_timer(self.fence(), self.since))
            } else {
                Some(self.shared.now())
            },
        };
        let (shared, myself) = (Arc::clone(&self.shared), myself.clone());
        let tasks = shared.tasks.clone();
        drop(tasks.spawn(async move {
            let parked = shared.ports.store.park(park).await;
            drop(myself.cast(ToSupervisor::Parked(parked)));
        }));
    }

    /// The store said no: nothing of this state can be trusted any more. Waiting callers are told, the log decides.
    pub(super) fn fail(&mut self, error: &StoreError) {
        if let StoreError::Damaged { .. } = error {
            tracing::error!(session = %self.id, %error, "the session cannot be carried on");
            self.shared.damaged(self.id, error);
        } else {
            tracing::warn!(session = %self.id, %error, "the session is carried on later");
        }
        let answers = self.batch.take().into_iter().flat_map(|batch| batch.answers).map(|(reply, _)| reply);
        let queued = self.inputs.drain(..).filter_map(|input| match input {
            Input::Create(_, reply) | Input::Direct(_, reply) => reply,
            Input::Report(_) | Input::Inbox(..) => None,
        });
        for reply in answers.chain(queued).chain(self.boot.take().and_then(answerer)) {
            drop(reply.send(Err(EngineError::Store(error.clone()))));
        }
        self.performing.dismiss();
        self.end = Some(match error {
            StoreError::Stale | StoreError::Failed { .. } | StoreError::Held { .. } => End::Again,
            // Somebody else carries it, or nobody can.
            StoreError::Fenced
            | StoreError::Missing { .. }
            | StoreError::Erased { .. }
            | StoreError::Damaged { .. } => End::Rested,
        });
    }

    pub(super) fn worker_gone(&mut self, worker: ActorId, cause: String) {
        if let Some(assignment) = self.performing.gone(worker) {
            self.inputs.push_back(Input::Report(Report::WorkerLost { assignment, cause }));
        }
    }
}

fn answerer(boot: Boot) -> Option<Answerer> {
    match boot {
        Boot::Create { reply, .. } | Boot::Command { reply, .. } => Some(reply),
        Boot::Wake | Boot::GiveUp(_) => None,
    }
}
