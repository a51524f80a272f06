//! The supervisor's state. Its files decide, append and perform on it; nothing here does.

use std::collections::{BTreeMap, HashSet, VecDeque};
use std::sync::Arc;

use provost_domain::citation::OlderResults;
use provost_domain::decide::{InputDigests, NOT_LOADED};
use provost_domain::ids::{AssignmentId, CmdId, Digest, Fence, PackName, Seq, SessionId};
use provost_domain::port::NewSession;
use provost_domain::projection::Obstacles;
use provost_domain::request::{Offers, Question};
use provost_domain::session::Session;
use provost_domain::time::Timestamp;
use provost_domain::tool::Contents;

use super::batch::Batch;
use super::messages::{Boot, End, Input, SupervisorArguments};
use super::performing::Performing;
use super::session_pack::SessionPack;
use crate::parts::EngineParts;
use crate::registry::SessionGuard;
use crate::resources::Resources;

/// Tool results that are cited although the session no longer holds them.
#[derive(Debug, Default)]
pub(super) struct CitedResults {
    /// What was looked up.
    pub(super) older: OlderResults,
    /// Whether what the session itself cites is still to be looked up.
    pub(super) session_is_due: bool,
}

/// One live session.
#[derive(Debug)]
pub(crate) struct State {
    pub(super) shared: Arc<EngineParts>,
    /// What this session works with until it rests.
    pub(super) resources: Arc<Resources>,
    /// The right to carry the session, held as long as this state is.
    pub(super) guard: SessionGuard,
    pub(super) boot: Option<Boot>,
    /// The row to be stored with the first append.
    pub(super) new: Option<NewSession>,
    /// The fence it is held under, once it is.
    pub(super) fence: Option<Fence>,
    pub(super) served: SessionPack,
    /// What the pack's agents are offered.
    pub(super) offers: Arc<Offers>,
    /// The large values that open turns name.
    pub(super) contents: Contents,
    /// The last question of each open assignment, as it leaves.
    pub(super) questions: BTreeMap<AssignmentId, Arc<Question>>,
    /// Since when it listens: it took the session over then, or handed its last work out.
    pub(super) since: Timestamp,
    pub(super) session: Option<Session>,
    pub(super) cited: CitedResults,
    pub(super) head_hash: Digest,
    pub(super) snapshot_seq: Seq,
    pub(super) inputs: VecDeque<Input>,
    pub(super) seen: HashSet<CmdId>,
    pub(super) wake_seq: u64,
    pub(super) appends: u64,
    pub(super) batch: Option<Batch>,
    pub(super) performing: Performing,
    pub(super) parking: bool,
    /// Why the actor is about to end.
    pub(super) end: Option<End>,
    pub(super) draining: bool,
    /// The last append ended the session and gave it up.
    pub(super) released: bool,
    /// What kept calls from acting when the batch under way was decided before.
    pub(super) obstacles: Obstacles,
}

impl State {
    pub(super) fn new(arguments: SupervisorArguments) -> Self {
        Self {
            resources: arguments.shared.resources.get(),
            guard: arguments.guard,
            boot: Some(arguments.boot),
            new: None,
            fence: None,
            served: SessionPack::Missing { loaded: NOT_LOADED.to_owned() },
            offers: Arc::default(),
            contents: Contents::default(),
            questions: BTreeMap::new(),
            since: arguments.shared.now(),
            shared: arguments.shared,
            session: None,
            cited: CitedResults::default(),
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
            obstacles: Obstacles::default(),
        }
    }

    pub(super) fn id(&self) -> SessionId {
        self.guard.session()
    }

    /// Finds the pack that the session pinned.
    pub(super) fn serve(&mut self, pack: &PackName, pinned: Digest) {
        self.served = SessionPack::of(&self.resources, pack, pinned);
        let offers = self.served.pack().map(|pack| self.resources.offers(pack, &*self.shared.ports.roles));
        self.offers = offers.unwrap_or_default();
    }

    /// What the session goes on with, besides its pack.
    pub(super) fn input_digests(&self) -> InputDigests {
        InputDigests { catalogue: self.resources.catalogue_digest, roles: self.shared.roles_digest }
    }

    pub(super) fn fence(&self) -> Fence {
        self.fence.unwrap_or_default()
    }

    /// Whether the append under way is the session's first.
    pub(super) fn is_creating(&self) -> bool {
        self.batch.as_ref().is_some_and(|batch| batch.creates)
    }

    /// Whether the session is not stored yet.
    pub(super) fn is_new(&self) -> bool {
        matches!(self.boot, Some(Boot::Create { .. }))
    }
}
