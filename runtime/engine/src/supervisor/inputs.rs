//! Inputs in their turn: what workers report and callers ask is decided here, one after the other.

use std::sync::Arc;
use std::time::Duration;

use provost_domain::command::{Ask, Command, Report};
use provost_domain::decide::{self, Accepted, Facts, Unserved, Verdict};
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::Seq;
use provost_domain::pack::Pack;
use provost_domain::port::InboxEntry;
use provost_domain::refusal::Refusal;
use provost_domain::session::Session;
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use ractor::{ActorId, ActorProcessingErr, ActorRef};

use super::batch::Batch;
use super::messages::{Input, ToSupervisor};
use super::session_pack::SessionPack;
use super::state::State;
use crate::answer::StoredAnswer;

/// A timer rings later than that only where the process did not run, or the clock jumped.
const STOOD_STILL: Duration = Duration::from_secs(5);

impl State {
    /// What a worker reports. One that was replaced may not have listened and go on all the same: that something happened is
    /// news from anybody, but its failures and answers say nothing of the attempt that is under way in its place.
    pub(super) fn reported(&mut self, worker: ActorId, reports: Vec<Report>) {
        for report in reports {
            if self.performing.is_carried_by(worker) {
                self.report(report);
            } else if report.tells_of_success() {
                self.inputs.push_back(Input::Report(report));
            }
        }
    }

    pub(super) fn report(&mut self, report: Report) {
        self.performing.ended(&report);
        self.inputs.push_back(Input::Report(report));
    }

    /// Time itself may change something. A timer that rings much too late says that this process stood still, its workers with it: the
    /// answers that arrived meanwhile are taken before anybody counts as silent.
    pub(super) fn tick(&mut self) {
        let now = self.shared.now();
        if self.performing.timer.as_ref().is_some_and(|(at, _)| now.since(*at) > STOOD_STILL) {
            self.since = now;
        }
        self.report(Report::Tick);
    }

    pub(super) fn inbox(&mut self, inbox: Vec<InboxEntry>, wake_seq: u64) {
        self.wake_seq = self.wake_seq.max(wake_seq);
        for entry in inbox {
            if self.seen.insert(entry.cmd_id.clone()) {
                self.inputs.push_back(match entry.command {
                    Ok(command) => Input::Inbox(entry.cmd_id, Box::new(command)),
                    Err(unreadable) => Input::Unreadable(entry.cmd_id, unreadable),
                });
            }
        }
    }

    pub(super) fn read_inbox(&self, myself: &ActorRef<ToSupervisor>) {
        let (commands, id) = (Arc::clone(&self.shared.ports.commands), self.id());
        let work = async move { commands.inbox(id).await };
        self.shared.tasks.report("reading an inbox", myself, work, ToSupervisor::Inbox);
    }

    /// Decides one input. A refusal is an answer and changes nothing.
    pub(super) fn take(&mut self, input: Input, batch: &mut Batch) -> Result<(), ActorProcessingErr> {
        let place = batch.inputs.len();
        match input {
            Input::Create(created, reply) => {
                let body = decide::create((*created).clone());
                let event = Event { seq: Seq(1), at: batch.at, fence: self.fence(), body };
                Session::advance(&mut self.session, &event)?;
                batch.events.push(event.body);
                let accepted = Accepted { status: Status::New, version: event.seq };
                if reply.is_some() {
                    batch.answers.push((place, StoredAnswer::Accepted(accepted)));
                }
                batch.inputs.push(Input::Create(created, reply));
            }
            Input::Report(report) => {
                if batch.before.is_some() {
                    batch.inputs.push(Input::Report(report.clone()));
                }
                self.decide_report(report, batch)?;
            }
            Input::Direct(command, reply) => {
                let answer = self.decide(&command, batch)?;
                if reply.is_some() {
                    batch.answers.push((place, answer));
                }
                batch.inputs.push(Input::Direct(command, reply));
            }
            Input::Inbox(cmd_id, command) => {
                let answer = self.decide(&command, batch)?;
                batch.acks.push((cmd_id.clone(), answer));
                batch.inputs.push(Input::Inbox(cmd_id, command));
            }
            Input::Unreadable(cmd_id, unreadable) => {
                let detail = unreadable.detail.clone();
                tracing::warn!(session = %self.id(), command = %cmd_id, detail, "a stored command cannot be read and is refused");
                batch.acks.push((cmd_id.clone(), StoredAnswer::Refused(Refusal::CommandUnreadable { detail })));
                batch.inputs.push(Input::Unreadable(cmd_id, unreadable));
            }
        }
        Ok(())
    }

    fn decide_report(&mut self, report: Report, batch: &mut Batch) -> Result<(), ActorProcessingErr> {
        let Some(session) = self.session.take() else { return Ok(()) };
        let verdict = match &self.served {
            SessionPack::Pinned(pack) => decide::report(session, report, &self.facts(pack, batch.at)),
            SessionPack::Missing { loaded } => self.unserved(loaded, batch.at).report(session, &report),
        };
        self.adopt(verdict, batch)
    }

    fn decide(&mut self, command: &Command, batch: &mut Batch) -> Result<StoredAnswer, ActorProcessingErr> {
        let Some(session) = &self.session else { return Err("a command came before the session".into()) };
        if let Ask::Settle { call, .. } = &command.ask
            && self.performing.makes(call)
        {
            return Ok(StoredAnswer::Refused(Refusal::CallUnderWay { call: call.clone() }));
        }
        let decided = match &self.served {
            SessionPack::Pinned(pack) => decide::command(session, command, &self.facts(pack, batch.at)),
            SessionPack::Missing { loaded } => self.unserved(loaded, batch.at).command(session, command),
        };
        Ok(match decided {
            Ok(verdict) => {
                let verdict = self.shared.settings.controls.verdict(verdict, session, self.fence())?;
                let after = &verdict.after;
                let accepted = Accepted { status: after.status().clone(), version: after.head() };
                self.adopt(verdict, batch)?;
                StoredAnswer::Accepted(accepted)
            }
            Err(refusal) => StoredAnswer::Refused(refusal),
        })
    }

    fn facts<'a>(&'a self, pack: &'a Pack, now: Timestamp) -> Facts<'a> {
        Facts {
            now,
            fence: self.fence(),
            since: self.since,
            pack,
            catalog: &self.resources.catalog,
            older: &self.cited.older,
            roles: &*self.shared.ports.roles,
            inputs: self.input_digests(),
            models: &self.resources.models,
            offers: &self.offers,
            contents: &self.contents,
            outages: &self.resources.outages,
            obstacles: &self.obstacles,
        }
    }

    fn unserved<'a>(&self, loaded: &'a str, now: Timestamp) -> Unserved<'a> {
        Unserved { now, fence: self.fence(), loaded }
    }

    fn adopt(&mut self, verdict: Verdict, batch: &mut Batch) -> Result<(), ActorProcessingErr> {
        let ends_turn = |event: &EventBody| matches!(event, EventBody::AgentFinished(_) | EventBody::AgentFailed(_));
        batch.turn_ended |= verdict.events.iter().any(ends_turn);
        for event in &verdict.events {
            if let EventBody::AssignmentRedispatched(again) = event {
                self.performing.dismiss(again.assignment);
            }
        }
        for content in &verdict.contents {
            self.contents.add(content.digest, &content.bytes)?;
        }
        if batch.turn_ended {
            self.contents.keep(&verdict.after.contents_named());
            let works = verdict.after.works();
            self.questions.retain(|assignment, _| works.contains_key(assignment));
        }
        for question in verdict.questions {
            self.questions.insert(question.request.assignment, Arc::new(question));
        }
        batch.events.extend(verdict.events);
        batch.contents.extend(verdict.contents);
        batch.claims.extend(verdict.claims);
        self.session = Some(verdict.after);
        Ok(())
    }
}
