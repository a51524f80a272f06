//! The ports besides those of sessions: tokens, deliveries, messages, requests, packs; and those that read the whole store.

use std::path::Path;

use async_trait::async_trait;
use provost_domain::access::Token;
use provost_domain::ids::{DeliveryId, Digest, MessageId, SessionId, TokenId};
use provost_domain::port::{
    AgainAnswer, AttentionLog, Backup, Deliveries, Delivery, DeliveryFilter, DeliveryReads, DeliveryRow, DismissAnswer,
    EnqueueAnswer, Examine, Finish, GroupWork, ImportAnswer, ImportedSession, Imports, KeptAnswer, KeptPack,
    KnownRequest, LookAnswer, Message, MessageFilter, MessageRow, MintAnswer, NewDelivery, NewMessage, Outbox,
    OutboxReads, PackReads, PackShelf, PageSession, PageSessions, Queued, Requests, RevokeAnswer, SessionLook,
    SessionMoment, SessionWalk, StoreError, TokenReads, Tokens, Tried, TryAnswer, WatchedSession,
};
use provost_domain::time::Timestamp;

use super::moment::MemoryWalk;
use super::store::{MemoryStore, count};
use crate::bounds::LIST_MAX;
use crate::check;

#[async_trait]
impl TokenReads for MemoryStore {
    async fn token(&self, id: &TokenId) -> Result<Option<Token>, StoreError> {
        Ok(self.with(|state| state.tokens.get(id)))
    }

    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        Ok(self.with(|state| state.tokens.list()))
    }
}

#[async_trait]
impl Tokens for MemoryStore {
    async fn mint(&self, token: &Token) -> Result<MintAnswer, StoreError> {
        let changed = self.with(|state| state.tokens.mint(token));
        Ok(if changed { MintAnswer::Stored } else { MintAnswer::NameTaken })
    }

    async fn revoke(&self, id: &TokenId, at: Timestamp) -> Result<RevokeAnswer, StoreError> {
        let changed = self.with(|state| state.tokens.revoke(id, at));
        Ok(if changed { RevokeAnswer::Revoked } else { RevokeAnswer::NotInForce })
    }

    async fn used(&self, id: &TokenId, at: Timestamp) -> Result<(), StoreError> {
        self.with(|state| state.tokens.used(id, at));
        Ok(())
    }
}

#[async_trait]
impl PageSessions for MemoryStore {
    async fn begin(&self, session: &PageSession) -> Result<(), StoreError> {
        self.with(|state| state.page_sessions.begin(session));
        Ok(())
    }

    async fn page_session(&self, digest: Digest) -> Result<Option<PageSession>, StoreError> {
        Ok(self.with(|state| state.page_sessions.get(digest)))
    }

    async fn end(&self, digest: Digest) -> Result<(), StoreError> {
        self.with(|state| state.page_sessions.end(digest));
        Ok(())
    }
}

#[async_trait]
impl Deliveries for MemoryStore {
    async fn deliver(&self, delivery: NewDelivery) -> Result<(), StoreError> {
        self.with(|state| state.deliveries.deliver(delivery))
    }

    async fn plan(&self, group: Digest, plan: &str) -> Result<(), StoreError> {
        self.with(|state| state.deliveries.plan(group, plan));
        Ok(())
    }

    async fn finish(&self, finish: Finish) -> Result<u64, StoreError> {
        Ok(self.with(|state| state.finish(finish)))
    }

    async fn dismiss(&self, id: &DeliveryId, note: &str) -> Result<DismissAnswer, StoreError> {
        let changed = self.with(|state| state.deliveries.dismiss(id, note));
        Ok(if changed { DismissAnswer::Dismissed } else { DismissAnswer::NotBad })
    }
}

#[async_trait]
impl DeliveryReads for MemoryStore {
    async fn waiting(&self) -> Result<Vec<(Digest, u64)>, StoreError> {
        Ok(self.with(|state| state.deliveries.waiting()))
    }

    async fn work(&self, group: Digest, limit: u32) -> Result<GroupWork, StoreError> {
        Ok(self.with(|state| state.deliveries.work(group, count(limit))))
    }

    async fn delivery(&self, id: &DeliveryId) -> Result<Delivery, StoreError> {
        self.with(|state| state.deliveries.delivery(id))
    }

    async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryRow>, StoreError> {
        Ok(self.with(|state| state.deliveries.list(filter, count(filter.limit.min(LIST_MAX)))))
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn enqueue(&self, message: NewMessage) -> Result<EnqueueAnswer, StoreError> {
        let changed = self.with(|state| state.enqueue(message));
        Ok(if changed { EnqueueAnswer::Stored } else { EnqueueAnswer::NothingNew })
    }

    async fn tried(&self, tried: &Tried) -> Result<TryAnswer, StoreError> {
        let changed = self.with(|state| state.messages.tried(tried));
        Ok(if changed { TryAnswer::Counted } else { TryAnswer::NotWaiting })
    }

    async fn again(&self, id: &MessageId, at: Timestamp) -> Result<AgainAnswer, StoreError> {
        let changed = self.with(|state| state.messages.again(id, at));
        Ok(if changed { AgainAnswer::Due } else { AgainAnswer::NothingToSend })
    }
}

#[async_trait]
impl OutboxReads for MemoryStore {
    async fn queued(&self) -> Result<Vec<Queued>, StoreError> {
        Ok(self.with(|state| state.messages.queued()))
    }

    async fn due(&self, target: &str, now: Timestamp, limit: u32) -> Result<Vec<Message>, StoreError> {
        Ok(self.with(|state| state.due(target, now, count(limit))))
    }

    async fn message(&self, id: &MessageId) -> Result<MessageRow, StoreError> {
        self.with(|state| state.messages.message(id))
    }

    async fn messages(&self, filter: &MessageFilter) -> Result<Vec<MessageRow>, StoreError> {
        Ok(self.with(|state| state.messages.list(filter, count(filter.limit.min(LIST_MAX)))))
    }
}

#[async_trait]
impl AttentionLog for MemoryStore {
    async fn due(&self, now: Timestamp, limit: u32) -> Result<Vec<WatchedSession>, StoreError> {
        Ok(self.with(|state| state.attention.due(now, count(limit))))
    }

    async fn next_at(&self) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.with(|state| state.attention.next_at()))
    }

    async fn looked(&self, look: SessionLook) -> Result<LookAnswer, StoreError> {
        Ok(self.with(|state| state.looked(look)))
    }
}

#[async_trait]
impl PackShelf for MemoryStore {
    async fn keep(&self, packs: &[KeptPack]) -> Result<(), StoreError> {
        self.with(|state| state.packs.keep(packs));
        Ok(())
    }
}

#[async_trait]
impl PackReads for MemoryStore {
    async fn needed(&self) -> Result<Vec<Result<KeptPack, StoreError>>, StoreError> {
        Ok(self.with(|state| state.needed()).into_iter().map(Ok).collect())
    }
}

#[async_trait]
impl Requests for MemoryStore {
    async fn claim(
        &self,
        key: Digest,
        fingerprint: Digest,
        at: Timestamp,
        forget: Timestamp,
    ) -> Result<KnownRequest, StoreError> {
        Ok(self.with(|state| state.requests.claim(key, fingerprint, at, forget)))
    }

    async fn answer(&self, key: Digest, answer: &KeptAnswer) -> Result<(), StoreError> {
        self.with(|state| state.answer(key, answer));
        Ok(())
    }
}

#[async_trait]
impl Imports for MemoryStore {
    async fn import(&self, session: ImportedSession) -> Result<ImportAnswer, StoreError> {
        check::imported(&session)?;
        Ok(self.with(|state| state.import(session)))
    }
}

#[async_trait]
impl Examine for MemoryStore {
    async fn count(&self) -> Result<u64, StoreError> {
        Ok(self.with(|state| state.sessions.len()) as u64)
    }

    /// It has no file.
    async fn damage(&self) -> Vec<String> {
        Vec::new()
    }

    /// Its rows are values.
    async fn unreadable_rows(&self) -> Vec<String> {
        Vec::new()
    }

    async fn shared_targets(&self) -> Vec<String> {
        self.with(|state| state.claims.shared())
    }

    fn walk(&self) -> Box<dyn SessionWalk> {
        // No session goes while all are copied.
        let all = self.with(|state| state.sessions.keys().filter_map(|id| state.moment(*id).ok()).collect());
        Box::new(MemoryWalk(all))
    }

    async fn moment(&self, id: SessionId) -> Result<Box<dyn SessionMoment>, StoreError> {
        Ok(Box::new(self.with(|state| state.moment(id))?))
    }
}

#[async_trait]
impl Backup for MemoryStore {
    async fn back_up(&self, _: &Path) -> Result<(), StoreError> {
        let detail = "a store in memory cannot be copied; name the file of a store".to_owned();
        Err(StoreError::Failed { detail })
    }
}
