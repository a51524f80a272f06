//! Whether a session's pack is loaded.

use std::sync::Arc;

use provost_domain::decide::NOT_LOADED;
use provost_domain::ids::{Digest, PackName};
use provost_domain::pack::Pack;

use crate::resources::Resources;

/// Whether the session's pack is loaded as the session pinned it.
#[derive(Debug)]
pub(super) enum SessionPack {
    /// This one is.
    Pinned(Arc<Pack>),
    /// Another version, or none, is loaded in its place.
    Missing {
        /// The digest of the pack of that name that is loaded, or words that say that there is none.
        loaded: String,
    },
}

impl SessionPack {
    pub(super) fn of(resources: &Resources, name: &PackName, pinned: Digest) -> Self {
        match resources.pinned(pinned, name) {
            Some(pack) if pack.digest == pinned => Self::Pinned(pack),
            Some(pack) => Self::Missing { loaded: pack.digest.hex() },
            None => Self::Missing { loaded: NOT_LOADED.to_owned() },
        }
    }

    pub(super) fn pack(&self) -> Option<&Arc<Pack>> {
        match self {
            Self::Pinned(pack) => Some(pack),
            Self::Missing { .. } => None,
        }
    }
}
