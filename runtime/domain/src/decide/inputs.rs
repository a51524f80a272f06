//! Whether the tools and roles are those the session went on with so far. They decide, so the log says where they change.

use super::draft::Draft;
use crate::event::CatalogueChanged;

/// Notes under which tools and roles the session goes on, where they are others than before or nobody noted them.
pub(super) fn note(draft: &mut Draft<'_>) {
    let now = draft.facts.inputs;
    let (catalogue, roles) = (draft.session.catalogue_digest(), draft.session.roles_digest());
    if (catalogue, roles) == (Some(now.catalogue), Some(now.roles)) {
        return;
    }
    draft.push(CatalogueChanged {
        catalogue_digest: now.catalogue,
        roles_digest: now.roles,
        catalogue_before: catalogue,
        roles_before: roles,
    });
}
