//! An owner of the session, in the steps of the engine's supervisor: take over, settle what is known in one append, read
//! the inbox beside it, park with the `wake_seq` seen, and go on where a command came meanwhile.

use std::collections::HashSet;
use std::sync::Arc;

use provost_domain::event::{EventBody, SignalReceived};
use provost_domain::ids::{CmdId, Digest, Fence, Owner, Seq};
use provost_domain::log::{AppendRecord, Unsealed};
use provost_domain::port::{
    Append, CommandLog as _, InboxAck, InboxEntry, Park, Parked, SessionStore as _, StoreError, TakenOver,
};
use provost_domain::status::Status;
use provost_domain::time::Timestamp;
use provost_races::memory::MemoryStore;
use serde_json::Value;
use shuttle::future::block_on;

use crate::race::{Race, SESSION, is_told, outcome};

/// A session held under a fence.
pub(crate) struct Carrier<'a> {
    race: &'a Race,
    owner: Owner,
    fence: Fence,
    head: Seq,
    prev: Digest,
    wake_seq: u64,
    /// Commands read and not settled.
    inputs: Vec<CmdId>,
    /// Commands read.
    seen: HashSet<CmdId>,
    appends: u64,
}

impl<'a> Carrier<'a> {
    /// Takes the session over.
    pub(crate) fn take(race: &'a Race, owner: &str) -> Self {
        let owner = Owner::new(owner);
        let TakenOver { row, inbox, .. } = block_on(race.store.take_over(SESSION, &owner)).unwrap();
        race.book(|book| book.taken.push((row.fence, row.head_seq)));
        let mut carrier = Self {
            race,
            owner,
            fence: row.fence,
            head: row.head_seq,
            prev: row.head_hash,
            wake_seq: 0,
            inputs: Vec::new(),
            seen: HashSet::new(),
            appends: 0,
        };
        carrier.inbox(inbox, row.wake_seq);
        carrier
    }

    /// Settles commands until the session is parked, or says who else has it.
    pub(crate) fn carry(mut self) -> Result<(), StoreError> {
        loop {
            // A hint made it read its inbox; it gets to see what it read after the append under way.
            let (inbox, wake_seq) = block_on(self.race.store.inbox(SESSION)).unwrap();
            self.settle()?;
            self.inbox(inbox, wake_seq);
            self.settle()?;
            let acknowledged = self.race.book(|book| book.acknowledged.clone());
            match self.as_owner(|store| block_on(store.park(self.park())))? {
                Parked::Parked => {
                    self.race.parked(&acknowledged);
                    return Ok(());
                }
                Parked::Woken { inbox, wake_seq } => self.inbox(inbox, wake_seq),
            }
        }
    }

    /// A write, which must fail if somebody else took the session before it was sent.
    fn as_owner<T>(&self, write: impl FnOnce(&MemoryStore) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let newest = self.race.fence();
        let written = write(&self.race.store)?;
        assert_eq!(newest, Some(self.fence), "a fenced owner wrote under {}", self.fence);
        Ok(written)
    }

    fn inbox(&mut self, inbox: Vec<InboxEntry>, wake_seq: u64) {
        self.wake_seq = self.wake_seq.max(wake_seq);
        for entry in inbox {
            if self.seen.insert(entry.cmd_id.clone()) {
                self.inputs.push(entry.cmd_id);
            }
        }
    }

    fn park(&self) -> Park {
        let (session, fence, owner) = (SESSION, self.fence, self.owner.clone());
        Park { session, fence, owner, wake_seq: self.wake_seq, next_run_at: None }
    }

    /// One append for all it knows.
    fn settle(&mut self) -> Result<(), StoreError> {
        let commands = std::mem::take(&mut self.inputs);
        if commands.is_empty() {
            return Ok(());
        }
        let record = self.record(&commands);
        let hash = record.as_ref().map(|record| record.hash);
        let appended = self.as_owner(|store| block_on(store.append(self.append(record, &commands))));
        self.race.book(|book| match appended {
            Ok(_) => {
                book.written.extend(hash);
                for cmd_id in commands {
                    book.settled.entry(cmd_id).or_default().push(self.fence);
                }
            }
            Err(_) => book.refused.extend(hash),
        });
        self.head = appended?.head_seq;
        self.prev = hash.unwrap_or(self.prev);
        Ok(())
    }

    fn record(&mut self, commands: &[CmdId]) -> Option<AppendRecord> {
        let told = commands.iter().filter(|cmd_id| is_told(cmd_id));
        let tell = |cmd_id: &CmdId| {
            SignalReceived { source: cmd_id.as_str().to_owned(), payload: Arc::new(Value::Null) }.into()
        };
        let events: Vec<EventBody> = told.map(tell).collect();
        self.appends += 1;
        (!events.is_empty()).then(|| {
            AppendRecord::seal(Unsealed {
                session: SESSION,
                after: self.head,
                fence: self.fence,
                cmd_id: CmdId::new(format!("{}.{}", self.fence, self.appends)),
                at: Timestamp::default(),
                events: &events,
                salt: [7; 16],
                prev: self.prev,
            })
            .unwrap()
        })
    }

    fn append(&self, record: Option<AppendRecord>, commands: &[CmdId]) -> Append {
        let ack = |cmd_id: &CmdId| InboxAck { cmd_id: cmd_id.clone(), outcome: outcome(self.fence) };
        Append {
            session: SESSION,
            fence: self.fence,
            owner: self.owner.clone(),
            expected_seq: self.head,
            record,
            status: Status::AwaitingInput,
            ended: false,
            release: false,
            snapshot: None,
            contents: Vec::new(),
            approvals: Vec::new(),
            claims: provost_domain::port::ClaimChanges::default(),
            acks: commands.iter().map(ack).collect(),
            progress: true,
            at: Timestamp::default(),
        }
    }
}
