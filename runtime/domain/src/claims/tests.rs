use serde_json::{Value, json};

use super::*;

#[test]
fn a_key_is_in_lower_case_and_what_is_not_known_is_a_dash() {
    let target = ClaimTarget::parse("{{ args.environment }}/{{ fields.service }}").unwrap();
    let key = |args: Value, fields: Value| target.key(&args, &fields).to_string();
    assert_eq!(key(json!({"environment": "Production"}), json!({"service": " Shop "})), "production/shop");
    assert_eq!(key(json!({}), json!({"service": "shop"})), "-/shop");
    assert_eq!(key(json!({"environment": "staging"}), json!({"service": null})), "staging/-");
    assert_eq!(key(json!({"environment": 7}), json!({"service": {"a": 1}})), "7/-");
    assert_eq!(ClaimTarget::of_fields(None, "service").key(&json!({}), &json!({"service": "a/b"})).as_str(), "-/a/b");
    let holes: Vec<_> = target.holes().map(TargetHole::name).collect();
    assert_eq!(holes, ["environment", "service"]);
    assert_eq!(ClaimTarget::parse("-/db-{{ args.n }}").unwrap().key(&json!({"n": "A"}), &json!({})).as_str(), "-/db-a");
}

#[test]
fn what_is_no_target_is_refused() {
    assert_eq!(ClaimTarget::parse("production"), Err(InvalidTarget::Parts));
    assert_eq!(ClaimTarget::parse("{{ args.a/b }}"), Err(InvalidTarget::Hole("args.a/b".to_owned())));
    assert_eq!(ClaimTarget::parse("-/{{ reports.x }}"), Err(InvalidTarget::Hole("reports.x".to_owned())));
    assert_eq!(ClaimTarget::parse("-/{{ args.x"), Err(InvalidTarget::Open));
    assert_eq!(ClaimTarget::parse(""), Err(InvalidTarget::Parts));
}
