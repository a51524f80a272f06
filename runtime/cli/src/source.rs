//! Where a command looks things up: in the files of a store, beside whoever holds it, or at the daemon that was named. A
//! daemon needs a token and its address, nothing else: no configuration, model key, pack or store.

use std::sync::Arc;

use anyhow::Result;
use provost_domain::event::Event;
use provost_domain::ids::{DeliveryId, SessionId};
use provost_domain::log::Tombstone;
use provost_domain::port::{ApprovalFilter, DeliveryFilter, SessionFilter};
use provost_domain::principal::Principal;
use provost_engine::Tail;
use provost_face::{
    ApprovalView, Caller, DeliveryDetail, DeliveryLookups, DeliveryView, Lookups, Page, SessionDetail, SessionView,
    TokenView, list_tokens,
};
use provost_store::StoreReads;

use crate::args::ReachArgs;
use crate::remote::{self, Remote};
use crate::wiring;

/// Most rows of a list without a limit of its own.
const ROWS_MAX: u32 = 500;

/// Where things are looked up.
#[derive(Debug)]
pub(crate) enum Source {
    /// The files of a store, by whoever can open them.
    Files {
        /// The store's read side.
        reads: StoreReads,
        /// Who looks.
        caller: Caller,
    },
    /// A daemon, as the holder of a token.
    Daemon(Remote),
}

impl Source {
    /// The daemon that was named, or the configured store.
    pub(crate) async fn of(args: &ReachArgs) -> Result<Self> {
        if let Some(remote) = remote::named(args)? {
            return Ok(Self::Daemon(remote));
        }
        let reads = wiring::reads(&wiring::config(&args.store)?).await?;
        Ok(Self::Files { reads, caller: Caller::local(Principal::user("cli")) })
    }

    /// Sessions, newest first.
    pub(crate) async fn sessions(&self, filter: &SessionFilter) -> Result<Vec<SessionView>> {
        match self {
            Self::Files { reads, caller } => Ok(lookups(reads).sessions(caller, filter).await?.items),
            Self::Daemon(remote) => {
                let status = filter.status.as_ref().map(|status| ("status", status.as_str().to_owned()));
                let limit = ("page_size", filter.limit.to_string());
                let page: Page<SessionView> = remote.look(&["sessions"], status.into_iter().chain([limit])).await?;
                Ok(page.items)
            }
        }
    }

    /// A session as it stands, by its id or handle.
    pub(crate) async fn session(&self, name: &str) -> Result<SessionDetail> {
        match self {
            Self::Files { reads, caller } => {
                let lookups = lookups(reads);
                let id = lookups.session_named(caller, name).await?;
                Ok(lookups.session(caller, id).await?.detail())
            }
            Self::Daemon(remote) => remote.get(&["sessions", name]).await,
        }
    }

    /// What is left of an erased session in the files; `None` for any other. A daemon says it in its refusal.
    pub(crate) async fn tombstone(&self, name: &str) -> Result<Option<(SessionView, Tombstone)>> {
        match self {
            Self::Files { reads, caller } => {
                let lookups = lookups(reads);
                let id = lookups.session_named(caller, name).await?;
                let Some(tombstone) = lookups.tombstone(caller, id).await? else { return Ok(None) };
                Ok(Some((SessionView::from(&lookups.row(caller, id).await?), tombstone)))
            }
            Self::Daemon(_) => Ok(None),
        }
    }

    /// The id of a session, by its id or handle.
    pub(crate) async fn session_id(&self, name: &str) -> Result<SessionId> {
        match self {
            Self::Files { reads, caller } => Ok(lookups(reads).session_named(caller, name).await?),
            Self::Daemon(remote) => {
                let detail: SessionDetail = remote.get(&["sessions", name]).await?;
                Ok(detail.session.session.parse()?)
            }
        }
    }

    /// The next events of a session, verified as part of its chain; none at the log's present end.
    pub(crate) async fn events(&self, tail: &mut Tail) -> Result<Vec<Event>> {
        match self {
            Self::Files { reads, caller } => Ok(lookups(reads).next_events(caller, tail).await?),
            Self::Daemon(remote) => Ok(tail.take(remote.records(tail.id(), tail.position()).await?)?),
        }
    }

    /// Approvals, newest first: of one session or of all, those that wait or all.
    pub(crate) async fn approvals(&self, session: Option<SessionId>, all: bool) -> Result<Vec<ApprovalView>> {
        match self {
            Self::Files { reads, caller } => {
                let filter =
                    ApprovalFilter { session, pending_only: !all, limit: ROWS_MAX, ..ApprovalFilter::default() };
                Ok(lookups(reads).approvals(caller, &filter).await?.items)
            }
            Self::Daemon(remote) => {
                let session = session.map(|id| ("session", id.to_string()));
                let query = [("all", all.to_string()), ("page_size", ROWS_MAX.to_string())];
                let page: Page<ApprovalView> = remote.look(&["approvals"], session.into_iter().chain(query)).await?;
                Ok(page.items)
            }
        }
    }

    /// Deliveries, newest first.
    pub(crate) async fn deliveries(&self, filter: &DeliveryFilter) -> Result<Vec<DeliveryView>> {
        match self {
            Self::Files { reads, caller } => Ok(deliveries(reads).list(caller, filter).await?.items),
            Self::Daemon(remote) => {
                let state = filter.state.map(|state| ("state", state.as_str().to_owned()));
                let limit = ("page_size", filter.limit.to_string());
                let page: Page<DeliveryView> = remote.look(&["deliveries"], state.into_iter().chain([limit])).await?;
                Ok(page.items)
            }
        }
    }

    /// A delivery with what came.
    pub(crate) async fn delivery(&self, id: &str) -> Result<DeliveryDetail> {
        match self {
            Self::Files { reads, caller } => Ok(deliveries(reads).delivery(caller, &DeliveryId::new(id)).await?),
            Self::Daemon(remote) => remote.get(&["deliveries", id]).await,
        }
    }

    /// Every token, newest first.
    pub(crate) async fn tokens(&self) -> Result<Vec<TokenView>> {
        match self {
            Self::Files { reads, caller } => Ok(list_tokens(&*reads.tokens, caller).await?.items),
            Self::Daemon(remote) => Ok(remote.get::<Page<TokenView>>(&["tokens"]).await?.items),
        }
    }
}

fn lookups(reads: &StoreReads) -> Lookups {
    Lookups::new(Arc::clone(&reads.sessions))
}

fn deliveries(reads: &StoreReads) -> DeliveryLookups {
    DeliveryLookups::new(Arc::clone(&reads.deliveries))
}
