//! A session's log, page by page.

use provost_domain::access::Permission;
use provost_domain::event::{Event, EventBody};
use provost_domain::ids::{Seq, SessionId};
use provost_domain::time::Timestamp;
use provost_domain::tool::Blob;
use provost_engine::Tail;

use super::api::Lookups;
use crate::caller::Caller;
use crate::code::Code;
use crate::error::OperationError;
use crate::narrate::{CallNames, Narration, narrate};
use crate::view::{EventView, Page, RecordView};

/// Events before a page that are read for what they say of later ones. A call that waited longer is shown by its id.
const LEAD_IN: u64 = 200;

/// An event in words.
#[derive(Debug, Clone)]
pub struct NarratedEvent {
    /// Its position.
    pub seq: Seq,
    /// When.
    pub at: Timestamp,
    /// Its kind's wire word.
    pub kind: &'static str,
    /// What it is.
    pub narration: Narration,
}

/// Consecutive events in words.
#[derive(Debug, Clone, Default)]
pub struct Timeline {
    /// In the log's order.
    pub events: Vec<NarratedEvent>,
    /// The tools of their calls.
    pub names: CallNames,
}

/// An event with all it holds.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// As it was recorded.
    pub event: Event,
    /// The result that is stored beside it.
    pub content: Option<Vec<u8>>,
}

impl Lookups {
    /// Where the log ends, which is not before the position asked about.
    ///
    /// # Errors
    /// The log has not come that far; or see [`Self::session_named`].
    pub async fn reached(&self, caller: &Caller, id: SessionId, after: Seq) -> Result<Seq, OperationError> {
        let head = self.row(caller, id).await?.head_seq;
        if after > head {
            let detail = format!("there is no event {after} yet; the last one is {head}");
            return Err(OperationError::new(Code::InvalidRequest, detail).with("head_seq", head.0));
        }
        Ok(head)
    }

    /// The events after a position, at most `size` of them.
    ///
    /// # Errors
    /// See [`Self::reached`].
    pub async fn log_page(
        &self,
        caller: &Caller,
        id: SessionId,
        after: Seq,
        size: usize,
    ) -> Result<Page<EventView>, OperationError> {
        let head = self.reached(caller, id, after).await?;
        let items: Vec<EventView> = self.events(id, after, size).await?.iter().map(EventView::from).collect();
        let last = items.last().map(|event| event.seq).filter(|last| *last < head.0);
        Ok(Page { items, next_page_token: last.map(|last| last.to_string()) })
    }

    /// The next page of a session's events, verified as part of its chain; none at the log's present end.
    ///
    /// # Errors
    /// See [`Self::session_named`]; or what it said was erased.
    pub async fn next_events(&self, caller: &Caller, tail: &mut Tail) -> Result<Vec<Event>, OperationError> {
        caller.require(Permission::Look)?;
        Ok(tail.next(self.reads()).await?)
    }

    /// The sealed records that hold events after a position, at most `limit` of them.
    ///
    /// # Errors
    /// See [`Self::reached`].
    pub async fn records(
        &self,
        caller: &Caller,
        id: SessionId,
        after: Seq,
        limit: u32,
    ) -> Result<Page<RecordView>, OperationError> {
        self.reached(caller, id, after).await?;
        let records = self.reads().records(id, after, limit).await?.into_iter().map(RecordView::from);
        Ok(Page::up_to(limit, records.collect(), |last: &RecordView| last.header.last_seq.to_string()))
    }

    /// The events after a position in words, at most `size` of them.
    ///
    /// # Errors
    /// See [`Self::session_named`].
    pub async fn timeline(
        &self,
        caller: &Caller,
        id: SessionId,
        after: Seq,
        size: u64,
    ) -> Result<Timeline, OperationError> {
        caller.require(Permission::Look)?;
        let from = Seq(after.0.saturating_sub(LEAD_IN));
        let most = usize::try_from(size.saturating_add(after.0 - from.0)).unwrap_or(usize::MAX);
        let Timeline { mut events, mut names } = Timeline::default();
        for event in self.events(id, from, most).await? {
            names.learn(&event.body);
            if event.seq > after {
                let (narration, kind) = (narrate(&event.body, &names), event.body.kind());
                events.push(NarratedEvent { seq: event.seq, at: event.at, kind, narration });
            }
        }
        Ok(Timeline { events, names })
    }

    /// One event with all it holds.
    ///
    /// # Errors
    /// The log has no event there; or see [`Self::session_named`].
    pub async fn event(&self, caller: &Caller, id: SessionId, seq: Seq) -> Result<StoredEvent, OperationError> {
        caller.require(Permission::Look)?;
        let before = Seq(seq.0.saturating_sub(1));
        let event = self.events(id, before, 1).await?.into_iter().find(|event| event.seq == seq);
        let none =
            || OperationError::new(Code::NotFound, format!("the session has no event {seq}; look at its timeline"));
        let event = event.ok_or_else(none)?;
        let stored = if let EventBody::ToolReturned(returned) = &event.body { returned.outcome.blob() } else { None };
        let content = match stored {
            Some(Blob::Stored { sha256, .. }) => Some(self.reads().content(*sha256).await?),
            Some(Blob::Inline(_)) | None => None,
        };
        Ok(StoredEvent { event, content })
    }

    async fn events(&self, id: SessionId, after: Seq, size: usize) -> Result<Vec<Event>, OperationError> {
        let (mut tail, mut events) = (Tail::new(id, after), Vec::new());
        while events.len() < size {
            let next = tail.next(self.reads()).await?;
            if next.is_empty() {
                break;
            }
            events.extend(next);
        }
        events.truncate(size);
        Ok(events)
    }
}
