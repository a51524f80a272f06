//! The parts outside a pack that it may refer to.

use std::collections::BTreeSet;

use provost_domain::port::{DeliveryForms, Roles};
use provost_domain::tool::Catalog;

/// What a pack may refer to outside itself: the configured tools and models, the roles, and the forms
/// of deliveries.
#[derive(Debug, Clone, Copy)]
pub struct Inventory<'a> {
    /// The configured tools.
    pub catalog: &'a Catalog,
    /// The configured models' names; `None` where there is no configuration, so that they cannot be checked.
    pub models: Option<&'a BTreeSet<String>>,
    /// The roles that agents map onto.
    pub roles: &'a dyn Roles,
    /// The forms of deliveries that it may map.
    pub forms: &'a dyn DeliveryForms,
}
