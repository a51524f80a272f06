//! Operations in this process: for commands that found the store free, or only read it.

use anyhow::Result;
use provost_face::{Caller, Lookups, Operations};

use crate::args::ConfigArgs;
use crate::wiring::{self, House};

/// Who asks here: whoever can open the store's files may do everything.
pub(super) fn caller(args: &ConfigArgs) -> Caller {
    Caller::local(args.principal())
}

/// The store's read side, beside whoever holds it.
pub(super) async fn lookups(args: &ConfigArgs) -> Result<Lookups> {
    Ok(Lookups::new(wiring::reads(&wiring::config(args)?).await?.sessions))
}

/// What callers may have done with the store this process holds.
pub(super) fn operations(house: &House) -> Operations {
    Operations::new(house.engine.clone(), house.eraser().clone())
}
