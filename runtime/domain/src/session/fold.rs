//! The fold: one event at a time, the only mutation of a session. Serves live recording and recovery alike.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use serde_json::{Value, json};

use super::handover::Handover;
use super::header::{Acknowledgement, NEWS_MAX, OpenClaim, Session, WORDS_MAX};
use super::illegal::IllegalEvent;
use super::works::push_bounded;
use crate::call::CallOwner;
use crate::confidence::Confidence;
use crate::event::{
    About, ClaimRaised, ClaimRefused, Event, EventBody, FindingRecorded, SessionCreated, SignalReceived,
};
use crate::ids::{AssignmentId, Seq};
use crate::model::Usage;
use crate::refusal::ToolRefusal;
use crate::status::Status;
use crate::terminal::StatusChanged;
use crate::time::Timestamp;
use crate::work::CaseNews;

impl Session {
    /// The session a log's first event creates.
    pub fn create(event: &Event) -> Result<Self, IllegalEvent> {
        let EventBody::SessionCreated(created) = &event.body else {
            return Err(IllegalEvent::Creation { seq: event.seq, kind: event.body.kind() });
        };
        let SessionCreated { session, handle, pack, pack_version, pack_digest, fields, parent, by, .. } =
            created.clone();
        Ok(Self {
            id: session,
            handle,
            pack,
            pack_version,
            pack_digest,
            catalogue_digest: created.catalogue_digest,
            roles_digest: created.roles_digest,
            origin: created.origin.clone(),
            fields,
            authors: BTreeMap::new(),
            parent,
            requester: by,
            starters: BTreeSet::new(),
            editors: BTreeMap::new(),
            status: Status::New,
            status_reason: String::new(),
            head: event.seq,
            head_fence: event.fence,
            created_at: event.at,
            updated_at: event.at,
            status_at: event.at,
            last_assignment: AssignmentId(0),
            last_agent: None,
            last_failure: None,
            retries: 0,
            records: VecDeque::new(),
            works: BTreeMap::new(),
            calls: BTreeMap::new(),
            handover: None,
            approvals: BTreeMap::new(),
            decided: VecDeque::new(),
            unused: BTreeMap::new(),
            held: BTreeMap::new(),
            resolved_at: None,
            operator: None,
            words: VecDeque::new(),
            news: VecDeque::new(),
            claim: None,
            unknown: BTreeMap::new(),
            repeated: BTreeSet::new(),
            reports: BTreeMap::new(),
            findings: BTreeMap::new(),
            finders: BTreeMap::new(),
            acted_at: None,
            results: VecDeque::new(),
            changed_at: Seq(0),
            confidence: None,
            usage: Usage::default(),
            priced_micro_usd: 0,
            outage_since: None,
            acknowledged: None,
        })
    }

    /// The fold of a whole log.
    pub fn fold<'a>(events: impl IntoIterator<Item = &'a Event>) -> Result<Option<Self>, IllegalEvent> {
        let mut session: Option<Self> = None;
        for event in events {
            Self::advance(&mut session, event)?;
        }
        Ok(session)
    }

    /// Moves on by one event, of which the first creates it.
    pub fn advance(session: &mut Option<Self>, event: &Event) -> Result<(), IllegalEvent> {
        if let Some(session) = session {
            return session.apply(event);
        }
        *session = Some(Self::create(event)?);
        Ok(())
    }

    /// Moves on by one event.
    pub fn apply(&mut self, event: &Event) -> Result<(), IllegalEvent> {
        if event.seq != self.head.next() {
            return Err(IllegalEvent::OutOfOrder { seq: event.seq, head: self.head });
        }
        let of = self.work_named(&event.body);
        self.grow_older(event.at);
        self.apply_body(event).map_err(|what| IllegalEvent::Unknown {
            seq: event.seq,
            kind: event.body.kind(),
            what,
        })?;
        self.head = event.seq;
        self.head_fence = event.fence;
        self.updated_at = event.at;
        self.note_outage(event.at);
        self.was_active(of, event);
        Ok(())
    }

    /// Notes that a work's worker is alive. A fact that names no work speaks for all of them; what others say for none.
    fn was_active(&mut self, of: Option<AssignmentId>, event: &Event) {
        if !event.body.is_activity() {
            return;
        }
        let of = of.or_else(|| self.work_named(&event.body));
        for work in self.works.values_mut().filter(|work| of.is_none_or(|of| of == work.assignment)) {
            work.active_at = event.at;
            work.active_fence = event.fence;
        }
    }

    fn work_named(&self, body: &EventBody) -> Option<AssignmentId> {
        match body.about() {
            About::Session => None,
            About::Assignment(assignment) => Some(assignment),
            About::Call(call) => self.work_of(call),
        }
    }

    #[expect(clippy::too_many_lines, reason = "an arm for each kind of event, and nothing else")]
    fn apply_body(&mut self, event: &Event) -> Result<(), String> {
        match &event.body {
            EventBody::SessionCreated(_) => return Err("the session a second time".to_owned()),
            EventBody::StatusChanged(changed) => self.status_changed(changed, event)?,
            EventBody::CatalogueChanged(changed) => {
                self.catalogue_digest = Some(changed.catalogue_digest);
                self.roles_digest = Some(changed.roles_digest);
            }
            EventBody::AssignmentIssued(issued) => self.assignment_issued(issued, event),
            EventBody::AssignmentRedispatched(again) => self.redispatched(again.assignment)?,
            EventBody::ModelRequested(asked) => self.model_requested(asked)?,
            EventBody::ModelReplied(replied) => self.model_replied(replied)?,
            EventBody::ModelFailed(failed) => self.model_failed(failed.assignment)?,
            EventBody::ModelDeferred(deferred) => self.model_deferred(deferred, event)?,
            EventBody::RepairRequested(repair) => self.repair_requested(repair)?,
            EventBody::ToolIntended(intended) => self.tool_intended(intended, event)?,
            EventBody::ToolReturned(returned) => self.tool_returned(returned, event.seq)?,
            EventBody::ToolDeferred(deferred) => self.tool_deferred(deferred, event)?,
            EventBody::ToolRefused(refused) => self.refused(&refused.call, &refused.refusal)?,
            EventBody::CallReissued(reissued) => self.reissued(&reissued.call, event.fence)?,
            EventBody::ProbeRequested(asked) => self.probe_requested(&asked.call)?,
            EventBody::CallProbed(probed) => self.call_probed(&probed.call)?,
            EventBody::ApprovalRequested(asked) => self.approval_requested(asked, event)?,
            EventBody::ApprovalAnswered(answered) => {
                let pending =
                    self.approvals.get_mut(&answered.approval).ok_or_else(|| answered.approval.to_string())?;
                pending.approved_by.push(answered.by.clone());
            }
            EventBody::ApprovalDecided(decided) => self.approval_decided(decided)?,
            EventBody::ApprovalExpired(expired) => {
                self.forget_approval(&expired.approval)?;
                self.refused(&expired.call, &ToolRefusal::Expired)?;
            }
            EventBody::ApprovalExtended(extended) => {
                let pending =
                    self.approvals.get_mut(&extended.approval).ok_or_else(|| extended.approval.to_string())?;
                pending.asked.expires_at = extended.expires_at;
            }
            EventBody::ApprovalStale(stale) => self.approval_stale(stale)?,
            EventBody::OutcomeUnknown(unknown) => self.outcome_unknown(&unknown.call, &unknown.cause, event.seq),
            EventBody::OutcomeSettled(settled) => self.outcome_settled(settled, event.seq)?,
            EventBody::ConfidenceEmitted(emitted) => self.confidence = Some(emitted.confidence),
            EventBody::OperatorAsked(asked) => {
                self.handover = None;
                self.operator = Some(asked.clone());
            }
            EventBody::OperatorSpoke(spoke) => {
                self.handover =
                    self.operator.take().map(|asked| Handover::Follow { from: asked.from, to: asked.target });
                push_bounded(&mut self.words, (spoke.by.clone(), spoke.text.clone()), WORDS_MAX);
            }
            EventBody::RouteDecided(route) => {
                self.handover = Some(Handover::Follow { from: route.from.clone(), to: route.to.clone() });
            }
            EventBody::AgentFinished(finished) => self.agent_finished(finished, event),
            EventBody::AgentFailed(failed) => self.agent_failed(failed),
            EventBody::MeasureRead(read) => self.measure_read(read)?,
            EventBody::WatchPolled(polled) => self.watch_polled(polled, event)?,
            EventBody::FieldsPatched(patched) => self.fields_patched(&patched.call, &patched.patch, event.seq)?,
            EventBody::FindingRecorded(found) => self.finding_recorded(found)?,
            EventBody::ClaimRaised(raised) => self.claim_raised(raised),
            EventBody::ClaimRefused(refused) => self.claim_refused(refused)?,
            EventBody::LimitReached(limit) => self.limit_reached(limit),
            EventBody::SessionStarted(started) => {
                self.starters.insert(started.by.clone());
                self.handover = Some(Handover::Begin);
            }
            EventBody::RetryStarted(retry) => {
                self.retries = retry.count;
                self.starters.insert(retry.by.clone());
                self.last_failure = None;
                self.handover = Some(self.last_agent.clone().map_or(Handover::Begin, Handover::Again));
            }
            EventBody::SignalReceived(signal) => self.signal_received(signal, event.at),
            EventBody::CaseAcknowledged(acknowledged) => {
                let by = acknowledged.by.clone();
                self.acknowledged = Some(Acknowledgement { by, at: event.at, seq: event.seq });
            }
            // Facts for people and for the audit, without a place in the header.
            EventBody::GateFired(_)
            | EventBody::ConfidenceMismatched(_)
            | EventBody::NoteAdded(_)
            | EventBody::StopRequested(_)
            | EventBody::SessionErased(_) => {}
        }
        Ok(())
    }

    fn status_changed(&mut self, changed: &StatusChanged, event: &Event) -> Result<(), String> {
        if *changed.from_status() != self.status {
            return Err(format!("status {}", changed.from_status()));
        }
        self.status = changed.to_status().clone();
        changed.reason().clone_into(&mut self.status_reason);
        self.status_at = event.at;
        if self.status.is_end() {
            self.cut_off(changed);
            self.handover = None;
            self.claim = None;
            self.operator = None;
        }
        Ok(())
    }

    fn claim_raised(&mut self, raised: &ClaimRaised) {
        let ClaimRaised { call, by, tool, args } = raised.clone();
        self.claim = Some(OpenClaim { call, by, tool, args });
    }

    fn claim_refused(&mut self, refused: &ClaimRefused) -> Result<(), String> {
        self.claim = None;
        self.calls.retain(|_, call| call.owner != CallOwner::Claim);
        self.forget_unused();
        if self.calls.contains_key(&refused.call) {
            self.refused(&refused.call, &refused.refusal)?;
        }
        Ok(())
    }

    /// Intake says in `joined` which alerts fire, and in `resolved` which are over.
    fn signal_received(&mut self, signal: &SignalReceived, at: Timestamp) {
        let payload = &*signal.payload;
        let news = CaseNews::of(&signal.source, payload);
        for turn in self.works.values_mut().filter_map(|work| work.turn_mut()) {
            push_bounded(&mut turn.news, news.clone(), NEWS_MAX);
        }
        push_bounded(&mut self.news, news, NEWS_MAX);
        let firing = payload.get("firing").and_then(Value::as_u64).is_some_and(|count| count > 0);
        let alerts = |part: &str| payload.get(part)?.get("alerts")?.as_array();
        let lists = |part: &str| alerts(part).is_some_and(|alerts| !alerts.is_empty());
        if lists("resolved") && !firing {
            self.resolved_at = Some(at);
        } else if lists("joined") {
            self.resolved_at = None;
        }
    }

    fn finding_recorded(&mut self, found: &FindingRecorded) -> Result<(), String> {
        self.findings.entry(found.tool.clone()).or_default().push(Arc::clone(&found.finding));
        let finder = self.agent_of(&found.call).cloned();
        self.finders.entry(found.tool.clone()).or_default().push(finder);
        let confidence = found.finding.get("confidence").and_then(Value::as_f64);
        if let Some(assignment) = self.work_of(&found.call) {
            let work = self.work_mut(assignment)?;
            work.findings += 1;
            if let Some(confidence) = confidence.and_then(|confidence| Confidence::new(confidence).ok()) {
                work.stated = Some((found.call.clone(), confidence));
            }
        }
        self.call_mut(&found.call)?.settle(true, json!({"status": "ok", "content": "recorded"}));
        Ok(())
    }
}
