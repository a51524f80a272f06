//! The one line by which people know a case.

use provost_domain::event::SessionCreated;
use provost_domain::ids::{Handle, SessionId};
use provost_domain::origin::CaseOrigin;
use provost_domain::title::{TITLE_MAX, title_of};
use provost_expr::Template;
use serde_json::{Value, json};

use crate::world::{World, opener};

fn title(template: Option<&str>, fields: Value) -> String {
    let mut world = World::opened(|_, _| {});
    world.pack.title = template.map(|text| Template::parse(text).unwrap());
    let created = SessionCreated {
        session: SessionId::new(uuid::Uuid::from_u128(7)),
        handle: Handle::new("CASE-1"),
        pack: world.pack.name.clone(),
        pack_version: 1,
        pack_digest: world.pack.digest,
        fields: fields.into(),
        parent: None,
        by: opener(),
        catalogue_digest: None,
        roles_digest: None,
        origin: CaseOrigin::default(),
    };
    title_of(&world.pack, &created, world.now)
}

#[test]
fn a_title_is_the_packs_template_on_one_line() {
    for (template, fields, expect) in [
        (Some("{{ fields.service }}: {{ fields.what }}"), json!({"service": "till", "what": "a\n b"}), "till: a b"),
        (Some("{{ fields.service }}: {{ fields.what }}"), json!({"what": "w"}), "unknown: w"),
        (Some("{{ case.handle }} by {{ case.opened_by }}"), json!({}), "CASE-1 by user:opener"),
        (Some("{{ fields.what }}"), json!({"what": " "}), "case"),
        (None, json!({"what": "w"}), "case"),
    ] {
        assert_eq!(title(template, fields), expect, "{template:?}");
    }
    assert_eq!(title(Some("{{ fields.what }}"), json!({"what": "w".repeat(1000)})).chars().count(), TITLE_MAX);
}
