//! Operations in this process: for commands that found the store free.

use anyhow::Result;
use provost_face::{Caller, Operations};
use provost_store::Stores;

use crate::args::AuthorArgs;
use crate::wiring::{Configuration, House};

/// Who asks here: whoever can open the store's files may do everything.
pub(super) fn caller(args: &AuthorArgs) -> Caller {
    Caller::local(args.principal())
}

/// What callers may have done with the store this process holds.
pub(super) fn operations(house: &House) -> Operations {
    Operations::new(house.engine.clone(), house.eraser().clone())
}

/// The store alone, without an engine: it is closed by the command.
pub(super) async fn keep(_: &Configuration, (): (), store: Stores) -> Result<Stores> {
    std::future::ready(Ok(store)).await
}
