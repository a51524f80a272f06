//! The supervisor's state: inputs in turn, one append at a time.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;

use provost_domain::command::Report;
use provost_domain::decide::{self, Accepted, Facts, Verdict};
use provost_domain::event::{Event, EventBody, SessionCreated};
use provost_domain::ids::{CmdId, Digest, Fence, Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_domain::pack::Pack;
use provost_domain::port::{InboxEntry, NewSession, SessionRow, StoreError, TakenOver};
use provost_domain::refusal::Refusal;
use provost_domain::session::Session;
use ractor::{ActorId, ActorProcessingErr, ActorRef};

use super::append::Batch;
use super::perform::Performing;
use super::{Answerer, Boot, Input, Settled, SupervisorArguments, ToSupervisor};
use crate::api::{EngineError, Shared};
use crate::gear::Gear;

/// A session taken over more often than this without getting any further ends its run: whatever it does may be what
/// ends its processes. Recovering from a crash takes one.
const TAKEOVERS_MAX: u32 = 5;

/// One live session.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "four independent facts about how the actor ends, not a mode")]
pub(crate) struct State {
    pub(super) shared: Arc<Shared>,
    /// What this session works with until it rests.
    pub(super) gear: Arc<Gear>,
    pub(super) id: SessionId,
    boot: Option<Boot>,
    /// The row to be stored with the first append.
    pub(super) new: Option<NewSession>,
    pub(super) row: Option<SessionRow>,
    pub(super) pack: Option<Arc<Pack>>,
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
    pub(super) rested: bool,
    pub(super) draining: bool,
    /// The last append ended the session and gave it up.
    pub(super) released: bool,
}

impl State {
    pub(super) fn new(arguments: SupervisorArguments) -> Self {
        Self {
            gear: arguments.shared.rack.get(),
            shared: arguments.shared,
            id: arguments.session,
            boot: Some(arguments.boot),
            new: None,
            row: None,
            pack: None,
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
            rested: false,
            draining: false,
            released: false,
        }
    }

    pub(super) fn fence(&self) -> Fence {
        self.row.as_ref().map_or(Fence(0), |row| row.fence)
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
        self.pack = self.gear.pinned(pack_digest, &pack);
        self.row = Some(SessionRow {
            id: self.id,
            handle: handle.clone(),
            pack: pack.clone(),
            pack_digest,
            status: String::new(),
            ended: false,
            title: title.clone(),
            head_seq: Seq(0),
            head_hash: Digest::default(),
            fence: Fence(1),
            owner: Some(self.shared.owner.clone()),
            wake_seq: 0,
            next_run_at: None,
            progress_at: at,
            takeovers: 0,
            created_at: at,
        });
        self.new = Some(NewSession { id: self.id, handle, pack, pack_digest, title, at, first: None });
        self.inputs.push_back(Input::Create(created));
        self.inputs.push_back(Input::Direct(Box::new(start.unwrap_or_else(nothing)), Some(reply)));
    }

    /// Folds what was loaded and queues why it was: what is in doubt first, then the command or the inbox.
    pub(super) fn loaded(&mut self, taken: TakenOver) -> Result<(), ActorProcessingErr> {
        let TakenOver { row, snapshot, records, inbox } = taken;
        self.pack = self.gear.pinned(row.pack_digest, &row.pack);
        self.wake_seq = row.wake_seq;
        let mut head = (Seq(0), Digest::default());
        if let Some(snapshot) = snapshot {
            head = (snapshot.seq, snapshot.hash);
            self.snapshot_seq = snapshot.seq;
            self.session = Some(Session::from_snapshot(&snapshot.header)?);
        }
        for record in &records {
            self.fold(record, head)?;
            head = (record.header.last_seq, record.hash);
        }
        self.head_hash = head.1;
        let takeovers = row.takeovers;
        self.row = Some(row);
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
            self.apply(&event)?;
        }
        Ok(())
    }

    fn apply(&mut self, event: &Event) -> Result<(), ActorProcessingErr> {
        match &mut self.session {
            Some(session) => session.apply(event)?,
            None => self.session = Some(Session::create(event)?),
        }
        Ok(())
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

    /// The next step that is possible: decide what waits, or perform and rest.
    pub(super) async fn go_on(&mut self, myself: &ActorRef<ToSupervisor>) -> Result<(), ActorProcessingErr> {
        if self.row.is_none() || self.batch.is_some() || self.parking || self.rested {
            return Ok(());
        }
        let mut batch = Batch::default();
        while let Some(input) = self.inputs.pop_front() {
            self.take(input, &mut batch)?;
        }
        if !batch.is_empty() {
            self.append(batch, myself);
            return Ok(());
        }
        self.perform(myself).await?;
        if self.is_resting() {
            self.park(myself);
        }
        Ok(())
    }

    /// Decides one input. A refusal is an answer and changes nothing.
    fn take(&mut self, input: Input, batch: &mut Batch) -> Result<(), ActorProcessingErr> {
        match input {
            Input::Create(created) => {
                let body = decide::create(*created);
                let event = Event { seq: Seq(1), at: self.shared.now(), fence: self.fence(), body: body.clone() };
                self.apply(&event)?;
                batch.events.push(body);
            }
            Input::Report(report) => {
                if let (Some(pack), Some(session)) = (self.pack.clone(), &self.session)
                    && pack.digest == session.pack_digest()
                {
                    let verdict = decide::report(session, report, &self.facts(&pack));
                    self.adopt(verdict, batch);
                }
            }
            Input::Direct(command, reply) => {
                let settled = self.decide(&command, batch);
                batch.answers.extend(reply.map(|reply| (reply, settled)));
            }
            Input::Inbox(cmd_id, command) => {
                let settled = self.decide(&command, batch);
                batch.acks.push((cmd_id, settled));
            }
        }
        Ok(())
    }

    fn decide(&mut self, command: &provost_domain::command::Command, batch: &mut Batch) -> Settled {
        let (Some(pack), Some(session)) = (self.pack.clone(), &self.session) else {
            let pinned = self.row.as_ref().map(|row| row.pack_digest.hex()).unwrap_or_default();
            return Settled::Refused(Refusal::PackChanged { pinned, loaded: "nothing".to_owned() });
        };
        match decide::command(session, command, &self.facts(&pack)) {
            Ok(verdict) => {
                self.adopt(verdict, batch);
                let (status, version) =
                    self.session.as_ref().map(|s| (s.status().to_string(), s.head())).unwrap_or_default();
                Settled::Accepted(Accepted { status, version })
            }
            Err(refusal) => Settled::Refused(refusal),
        }
    }

    fn facts<'a>(&'a self, pack: &'a Pack) -> Facts<'a> {
        Facts {
            now: self.shared.now(),
            fence: self.fence(),
            pack,
            catalog: &self.gear.catalog,
            roles: &*self.shared.ports.roles,
        }
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

    /// Gives the session up. One that still owes work (a drain) stays owned by this incarnation: the next one finds it.
    fn park(&mut self, myself: &ActorRef<ToSupervisor>) {
        if self.released || !self.owes_nothing() {
            self.rested = true;
            return;
        }
        self.parking = true;
        let park = provost_domain::port::Park {
            session: self.id,
            fence: self.fence(),
            owner: self.shared.owner.clone(),
            wake_seq: self.wake_seq,
            next_run_at: self.session.as_ref().and_then(|session| session.next_timer(self.fence())),
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
        tracing::warn!(session = %self.id, %error, "giving the session up");
        let told = || Err(EngineError::Store(error.clone()));
        for (reply, _) in self.batch.take().into_iter().flat_map(|batch| batch.answers) {
            drop(reply.send(told()));
        }
        if let Some(reply) = self.boot.take().and_then(answerer) {
            drop(reply.send(told()));
        }
        self.performing.dismiss();
        self.rested = true;
    }

    pub(super) fn worker_gone(&mut self, worker: ActorId, cause: Option<String>) {
        if let Some((assignment, cause)) = self.performing.gone(worker).zip(cause) {
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

/// A command that records nothing of its own: answers a creation that does not start yet.
fn nothing() -> provost_domain::command::Command {
    use provost_domain::command::{Ask, Command};
    let ask = Ask::Signal { source: "runtime".to_owned(), payload: "created".into() };
    Command { by: provost_domain::ids::Principal::new(decide::RUNTIME), if_version: None, ask }
}
