//! What the memory store holds, and the rules between its tables. Each write is checked first and then done in one go.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use provost_domain::attention::is_news;
use provost_domain::ids::{ApprovalId, Digest, Handle, Owner, SessionId};
use provost_domain::port::{
    Append, Appended, ApprovalRow, ClaimChanges, Erase, Erased, Finish, ImportAnswer, ImportedSession, KeptAnswer,
    KeptPack, LookAnswer, Message, MessageRow, MessageState, NewMessage, NewSession, Quiet, SessionLook, SessionRow,
    StoreError, Then, Tried,
};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_domain::tool::Content;

use super::attention::AttentionTable;
use super::claims::ClaimTable;
use super::deliveries::{DeliveryTable, Fate};
use super::moment::MemoryMoment;
use super::outbox::Messages;
use super::packs::PackTable;
use super::page_sessions::PageSessionTable;
use super::requests::RequestTable;
use super::session::{Stored, Waits};
use super::tokens::TokenTable;
use crate::guards::Guards;
use crate::mentions::{hex, is_refusal, mentions};
use crate::numbers::Numbers;

#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) guards: Guards,
    pub(super) sessions: BTreeMap<SessionId, Stored>,
    /// The sessions that something may wake: looking for work reads only these.
    awake: BTreeSet<SessionId>,
    pub(super) handles: HashMap<Handle, SessionId>,
    numbers: Numbers,
    pub(super) contents: HashMap<Digest, Vec<u8>>,
    /// Who refers to them.
    refs: BTreeSet<(Digest, SessionId)>,
    pub(super) approvals: BTreeMap<ApprovalId, ApprovalRow>,
    pub(super) claims: ClaimTable,
    pub(super) messages: Messages,
    pub(super) attention: AttentionTable,
    pub(super) deliveries: DeliveryTable,
    pub(super) tokens: TokenTable,
    pub(super) page_sessions: PageSessionTable,
    pub(super) packs: PackTable,
    pub(super) requests: RequestTable,
}

impl State {
    pub(super) fn allot(&mut self, prefix: &str, day: &str) -> Handle {
        let Self { numbers, handles, .. } = self;
        numbers.next(prefix, day, || {
            let start = format!("{prefix}-{day}-");
            let number = |handle: &Handle| handle.as_str().strip_prefix(&start)?.parse().ok();
            handles.keys().filter_map(number).max().unwrap_or(0)
        })
    }

    pub(super) fn create(&mut self, mut new: NewSession) -> Result<(), StoreError> {
        if self.sessions.contains_key(&new.id) || self.handles.contains_key(&new.handle) {
            let detail = format!("session {} or {} exists already; use an id that is not taken", new.id, new.handle);
            return Err(StoreError::Failed { detail });
        }
        let first = new.first.take();
        self.handles.insert(new.handle.clone(), new.id);
        self.sessions.insert(new.id, Stored::new(new, first.as_deref()));
        // A new row held by the append's own owner takes the append.
        first.map_or(Ok(()), |first| self.append(*first).map(drop))
    }

    pub(super) fn session(&self, id: SessionId) -> Result<&Stored, StoreError> {
        self.sessions.get(&id).ok_or_else(|| StoreError::missing("session", &id))
    }

    /// Changes one session and keeps [`Self::awake`] right.
    pub(super) fn change<T>(
        &mut self,
        id: SessionId,
        work: impl FnOnce(&mut Stored) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let stored = self.sessions.get_mut(&id).ok_or_else(|| StoreError::missing("session", &id))?;
        let result = work(stored);
        if stored.may_wake() {
            self.awake.insert(id);
        } else {
            self.awake.remove(&id);
        }
        result
    }

    pub(super) fn append(&mut self, append: Append) -> Result<Appended, StoreError> {
        let (session, contents, approvals) = (append.session, append.contents, append.approvals);
        let (claims, at) = (append.claims, append.at);
        let header = append.record.as_ref().map(|record| &record.header);
        let news = header.filter(|header| is_news(&header.kinds)).map(|header| header.last_seq);
        let append = Append { contents: Vec::new(), approvals: Vec::new(), claims: ClaimChanges::default(), ..append };
        let guards = self.guards;
        if guards.claims() && self.sessions.get(&session).is_some_and(|stored| stored.takes(&append, guards)) {
            self.claims.check(session, &claims, at)?;
        }
        let (appended, written) = self.change(session, |stored| stored.append(append, guards))?;
        if written {
            self.claims.change(session, &claims, at);
            self.hold(session, contents);
            if let Some(news) = news {
                self.attention.mark(session, news);
            }
            for change in approvals {
                change.apply(session, &mut self.approvals);
            }
        }
        Ok(appended)
    }

    fn hold(&mut self, session: SessionId, contents: Vec<Content>) {
        for content in contents {
            self.refs.insert((content.digest, session));
            self.contents.entry(content.digest).or_insert(content.bytes);
        }
    }

    pub(super) fn import(&mut self, imported: ImportedSession) -> ImportAnswer {
        let ImportedSession { row, snapshot, appends, claims } = imported;
        let id = row.id;
        if self.sessions.contains_key(&id) {
            return ImportAnswer::SessionExists;
        }
        if self.handles.contains_key(&row.handle) {
            return ImportAnswer::HandleTaken;
        }
        let mut records = Vec::with_capacity(appends.len());
        for append in appends {
            self.hold(id, append.contents);
            append.approvals.into_iter().for_each(|change| change.apply(id, &mut self.approvals));
            records.push(append.record);
        }
        self.claims.bring(claims);
        self.handles.insert(row.handle.clone(), id);
        self.sessions.insert(id, Stored::imported(row, snapshot, records));
        ImportAnswer::Stored
    }

    pub(super) fn erase(&mut self, erase: Erase) -> Result<Erased, StoreError> {
        let id = erase.session;
        let waits = Waits { messages: self.messages.waiting(id), deliveries: self.deliveries.is_planned(id) };
        let guards = self.guards;
        let Some(records) = self.change(id, |stored| stored.erase(erase, waits, guards))? else {
            return Ok(Erased::Unsent { messages: waits.messages });
        };
        self.deliveries.erase(id);
        self.requests.erase(id);
        self.messages.remove(usize::MAX, |row| row.session == id);
        self.claims.erase(id);
        self.attention.erase(id);
        let mine: Vec<Digest> = self.refs.iter().filter(|(_, by)| *by == id).map(|(digest, _)| *digest).collect();
        self.refs.retain(|(_, by)| *by != id);
        for digest in mine {
            if !self.refs.iter().any(|(of, _)| *of == digest) {
                self.contents.remove(&digest);
            }
        }
        for row in self.approvals.values_mut().filter(|row| row.session == id) {
            row.args = serde_json::Value::Null;
            row.args_hash = Digest::default();
        }
        Ok(Erased::Done { records })
    }

    fn fate(sessions: &BTreeMap<SessionId, Stored>, id: SessionId) -> Fate {
        match sessions.get(&id).map(|stored| &stored.row) {
            None => Fate::Unknown,
            Some(row) if row.erased_at.is_some() => Fate::Erased,
            Some(row) if row.ended && row.owner.is_none() => Fate::Ended { since: row.progress_at },
            Some(row) if row.ended => Fate::Ending,
            Some(_) => Fate::Open,
        }
    }

    /// Returns how many deliveries were finished.
    pub(super) fn finish(&mut self, finish: Finish) -> u64 {
        let Self { deliveries, sessions, .. } = self;
        deliveries.finish(finish, |id| Self::fate(sessions, id))
    }

    pub(super) fn prune_deliveries(&mut self, before: Timestamp, limit: usize) -> u64 {
        let Self { deliveries, sessions, .. } = self;
        deliveries.prune(before, limit, |id| Self::fate(sessions, id))
    }

    /// Keeps an answer, and notes which sessions it speaks of.
    pub(super) fn answer(&mut self, key: Digest, answer: &KeptAnswer) {
        let words = mentions(answer);
        let is_named = |row: &&SessionRow| words.contains(row.handle.as_str()) || words.contains(&hex(row.id));
        let named = self.sessions.values().map(|stored| &stored.row).filter(is_named).map(|row| row.id).collect();
        self.requests.answer(key, answer, named, is_refusal(answer));
    }

    /// The packs of sessions that have not ended, or whose end a person can leave again.
    pub(super) fn needed(&self) -> Vec<KeptPack> {
        let leaves = [Status::NeedsReview, Status::Error];
        let goes_on = |row: &&SessionRow| !row.ended || leaves.contains(&row.status);
        let rows = self.sessions.values().map(|stored| &stored.row).filter(goes_on);
        let digests: BTreeSet<Digest> = rows.map(|row| row.pack_digest).collect();
        self.packs.wanted(|digest| digests.contains(&digest))
    }

    /// A copy of one session.
    pub(super) fn moment(&self, id: SessionId) -> Result<MemoryMoment, StoreError> {
        let stored = self.session(id)?;
        let own = self.refs.iter().filter(|(_, by)| *by == id);
        let contents = own.filter_map(|(digest, _)| Some((*digest, self.contents.get(digest)?.clone())));
        Ok(MemoryMoment {
            row: stored.row.clone(),
            snapshot: stored.snapshot.clone(),
            records: stored.records.clone(),
            contents: contents.collect(),
            approvals: self.approvals.values().filter(|row| row.session == id).cloned().collect(),
            claims: self.claims.of(id),
            unread: stored.unread().len() as u64,
        })
    }

    /// Whether it was stored now.
    pub(super) fn enqueue(&mut self, message: NewMessage) -> bool {
        let erased = self.sessions.get(&message.call.session).is_some_and(|stored| stored.row.erased_at.is_some());
        !erased && self.messages.enqueue(message)
    }

    /// Stores a look and its messages, where nobody looked meanwhile.
    pub(super) fn looked(&mut self, mut look: SessionLook) -> LookAnswer {
        if !self.attention.is_current(&look) {
            return LookAnswer::Outdated;
        }
        for message in std::mem::take(&mut look.messages) {
            self.enqueue(message);
        }
        self.attention.looked(look);
        LookAnswer::Stored
    }

    pub(super) fn due(&mut self, target: &str, now: Timestamp, limit: usize) -> Vec<Message> {
        let due = self.messages.due(target, now, limit);
        if !self.guards.noting() {
            for Message { id, .. } in &due {
                self.messages.tried(&Tried { id: id.clone(), at: now, then: Then::Sent, note: String::new() });
            }
        }
        due
    }

    /// What an open session sent tells it that it need not be sent again.
    pub(super) fn prune_messages(&mut self, before: Timestamp, limit: usize) -> u64 {
        let sessions = &self.sessions;
        let is_open = |id| sessions.get(&id).is_some_and(|stored| !stored.row.ended);
        let is_old = |row: &MessageRow| row.state != MessageState::Waiting && row.at < before;
        self.messages.remove(limit, |row| is_old(row) && !is_open(row.session))
    }

    pub(super) fn expired(&self, before: Timestamp, after: Option<Quiet>) -> Vec<Quiet> {
        let ended = |row: &&SessionRow| row.ended && row.owner.is_none() && row.erased_at.is_none();
        let rows = self.sessions.values().map(|stored| &stored.row).filter(ended);
        let quiet = rows.map(|row| Quiet { since: row.progress_at, session: row.id });
        let mut quiet: Vec<_> = quiet.filter(|quiet| quiet.since < before && Some(*quiet) > after).collect();
        quiet.sort_unstable();
        quiet
    }

    pub(super) fn runnable(&self, owner: &Owner, now: Timestamp) -> impl Iterator<Item = SessionId> {
        let wanted = move |id: &&SessionId| self.sessions.get(id).is_some_and(|stored| stored.is_runnable(owner, now));
        self.awake.iter().filter(wanted).copied()
    }
}
