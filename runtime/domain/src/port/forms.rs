//! The forms of deliveries that packs may map, implemented where deliveries are read.

use provost_expr::Scope;

use crate::pack::{CaseSchedule, Pack};

/// The forms of deliveries that are there.
pub trait DeliveryForms: Send + Sync + std::fmt::Debug {
    /// Their names, as packs write them under `intake`.
    fn names(&self) -> Vec<&'static str>;

    /// The names that a mapping of this form may read, with their types; `None` for a form that is not there.
    fn scope(&self, form: &str) -> Option<Scope>;

    /// Of these the names that all parts of a delivery have in common, which its group may be made of.
    fn group_scope(&self, form: &str) -> Option<Scope>;

    /// Checks that a schedule of the pack opens a case.
    ///
    /// # Errors
    /// Why it does not, in words for the author of the pack.
    fn opens_scheduled(&self, pack: &Pack, schedule: &CaseSchedule) -> Result<(), String>;

    /// Checks that a delivery of this form opens a case of the pack.
    ///
    /// # Errors
    /// Why it does not, in words for the author of the pack.
    fn opens_case(&self, pack: &Pack, form: &str, delivery: &str) -> Result<(), String>;
}
