//! The operations of one engine, and what it works with.

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_domain::access::Permission;
use provost_domain::ids::PackName;
use provost_domain::pack::Pack;
use provost_domain::tool::Catalog;
use provost_engine::{Engine, Eraser};

use crate::caller::Caller;
use crate::error::OperationError;
use crate::lookups::{Lookups, SessionState};
use crate::view::{PackView, Page, ToolView};

/// The operations of one engine. Cloning shares it.
#[derive(Debug, Clone)]
pub struct Operations {
    pub(crate) engine: Engine,
    pub(super) eraser: Eraser,
    pub(super) lookups: Lookups,
}

impl Operations {
    /// Over an engine, and what erases sessions of its store.
    pub fn new(engine: Engine, eraser: Eraser) -> Self {
        let lookups = Lookups::new(Arc::clone(engine.reads()));
        Self { engine, eraser, lookups }
    }

    /// What callers look up.
    pub fn lookups(&self) -> &Lookups {
        &self.lookups
    }

    /// The loaded packs themselves, by name.
    ///
    /// # Errors
    /// The caller may not look.
    pub fn loaded_packs(&self, caller: &Caller) -> Result<BTreeMap<PackName, Arc<Pack>>, OperationError> {
        caller.require(Permission::Look)?;
        Ok(self.engine.packs())
    }

    /// The tools themselves, by name.
    ///
    /// # Errors
    /// The caller may not look.
    pub fn catalog(&self, caller: &Caller) -> Result<Catalog, OperationError> {
        caller.require(Permission::Look)?;
        Ok(self.engine.catalog())
    }

    /// The pack a session was opened with, or the present one of that name, with which its session is then refused.
    pub fn pack_of(&self, state: &SessionState) -> Option<Arc<Pack>> {
        self.engine.pack_of(&state.session)
    }

    /// The loaded packs.
    ///
    /// # Errors
    /// The caller may not look.
    pub fn packs(&self, caller: &Caller) -> Result<Page<PackView>, OperationError> {
        caller.require(Permission::Look)?;
        Ok(Page::only(self.engine.packs().values().map(|pack| PackView::from(&**pack)).collect()))
    }

    /// The tools there are.
    ///
    /// # Errors
    /// The caller may not look.
    pub fn tools(&self, caller: &Caller) -> Result<Page<ToolView>, OperationError> {
        caller.require(Permission::Look)?;
        Ok(Page::only(self.engine.catalog().values().map(|spec| ToolView::from(&**spec)).collect()))
    }
}
