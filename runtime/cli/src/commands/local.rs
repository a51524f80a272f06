//! Operations in this process: for commands that found the store free.

use provost_face::{Caller, Operations};

use crate::args::ConfigArgs;
use crate::wiring::House;

/// Who asks here: whoever can open the store's files may do everything.
pub(super) fn caller(args: &ConfigArgs) -> Caller {
    Caller::local(args.principal())
}

/// What callers may have done with the store this process holds.
pub(super) fn operations(house: &House) -> Operations {
    Operations::new(house.engine.clone(), house.eraser().clone())
}
