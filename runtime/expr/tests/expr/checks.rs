//! Expressions against declared names.

use provost_expr::{Expression, Scope, Type};
use serde_json::json;

pub(crate) fn scope() -> Scope {
    let hypothesis =
        Type::object([("cause", Type::Text), ("confidence", Type::Number), ("component", Type::Text.optional())]);
    let roster =
        Type::Roster { name: "places".to_owned(), values: vec!["staging".to_owned(), "production".to_owned()] };
    let fields = Type::object([
        ("service", Type::Text),
        ("place", roster),
        ("level", Type::words(["low", "medium", "high", "critical"]).optional()),
        ("count", Type::Number),
        ("labels", Type::Map(Box::new(Type::Text))),
        ("tags", Type::Text.list()),
        ("outside", Type::Any),
    ]);
    let report = Type::object([
        ("list", hypothesis.list().optional()),
        ("stale", Type::Bool),
        ("verdict", Type::words(["done", "failed"])),
    ]);
    Scope::default()
        .with("fields", fields)
        .with("report", report)
        .with("signal", Type::words(["found", "lost"]))
        .with("confidence", Type::Number)
}

#[track_caller]
fn type_of(text: &str, expect: &Type) {
    assert_eq!(Expression::parse(text).unwrap().check(&scope()), Ok(expect.clone()), "{text}");
}

#[test]
fn types_follow_from_the_declared_ones() {
    for condition in [
        "signal == \"found\"",
        "fields.level == \"high\" || fields.level in [\"low\", \"medium\"]",
        "fields.place != \"staging\"",
        "report.list.exists(h, h.confidence >= 0.75 && h.cause != \"\")",
        "report.stale && !has(report.list)",
        "fields.?level.orValue(\"low\") == \"low\"",
        "report.?list.orValue([]).exists(h, h.cause == \"x\")",
        "fields.labels.anything == \"x\" && fields.labels[\"a/b\"] != \"y\" && has(fields.labels.z)",
        "fields.outside.any.thing[0] > 3 || fields.outside",
        "\"a\" in fields.tags && \"b\" in fields.labels && \"service\" in fields",
        "fields.tags.all(tag, tag.startsWith(\"a\"))",
        "size(fields.tags) + size(fields.service) > min(fields.count, 3)",
        "(report.stale ? \"low\" : \"high\") == fields.level",
        "fields.outside == null",
        "fields.service.matches(\"^a\")",
        "report.list[0].component.contains(\"db\")",
        "fields.count == 3 && confidence < 0.5",
    ] {
        type_of(condition, &Type::Bool);
        assert_eq!(Expression::parse(condition).unwrap().check_condition(&scope()), Ok(()), "{condition}");
    }
    type_of("fields.service + \"-\" + fields.place", &Type::Text);
    type_of("report.list.map(h, h.confidence)", &Type::Number.list());
    type_of("report.list.filter(h, h.confidence > 0)[0].cause", &Type::Text);
    type_of("-fields.count * 2", &Type::Number);
    type_of("fields.outside", &Type::Any);
    type_of("report.stale ? fields.service : fields.place", &Type::Text);
    type_of("[signal, signal]", &Type::words(["found", "lost"]).list());
    type_of("fields.?level.orValue(\"high\")", &Type::words(["low", "medium", "high", "critical"]));
    type_of("string(confidence)", &Type::Text);
    type_of("double(fields.service)", &Type::Number);
    type_of("{\"a\": 1}", &Type::object([("a", Type::Number)]));
}

#[test]
fn a_schema_gives_types() {
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["a", "r", "list", "words"],
        "properties": {
            "a": {"type": "string"}, "n": {"type": ["integer", "null"]}, "r": {"type": "string", "x-roster": "places"},
            "list": {"type": "array", "items": {"type": "object", "required": ["x"], "properties": {"x": {"type": "boolean"}}}},
            "words": {"enum": ["x", "y"]}, "mixed": {"enum": ["x", 1]}, "open": {"type": "object"},
            "map": {"type": "object", "additionalProperties": {"type": "number"}},
            "more": {"type": "object", "properties": {"x": {}}, "additionalProperties": true},
            "either": {"type": ["string", "number"]}, "rosters": {"type": "array", "x-roster": "places"},
        }
    });
    let places = vec!["here".to_owned()];
    let roster = |name: &str| (name == "places").then(|| places.clone());
    let place = Type::Roster { name: "places".to_owned(), values: places.clone() };
    let expect = Type::object([
        ("a", Type::Text),
        ("n", Type::Number.optional()),
        ("r", place.clone()),
        ("list", Type::object([("x", Type::Bool)]).list()),
        ("words", Type::words(["x", "y"])),
        ("mixed", Type::Any.optional()),
        ("open", Type::Any.optional()),
        ("map", Type::Map(Box::new(Type::Number)).optional()),
        ("more", Type::Any.optional()),
        ("either", Type::Any.optional()),
        ("rosters", place.list().optional()),
    ]);
    assert_eq!(Type::of_schema(&schema, &roster), expect);
    let deep = (0..40).fold(json!({"type": "string"}), |inner, _| json!({"type": "array", "items": inner}));
    let mut own = Type::of_schema(&deep, &roster);
    let mut depth = 0;
    while let Type::List(inner) = own {
        own = *inner;
        depth += 1;
    }
    assert_eq!((own, depth), (Type::Any, 16));
}

#[test]
fn closed_types_are_those_that_nobody_writes_a_sentence_into() {
    let scope = scope();
    let closed =
        |path: &[&str]| scope.at(&path.iter().map(ToString::to_string).collect::<Vec<_>>()).map(Type::is_closed);
    assert_eq!(closed(&["fields", "place"]), Some(true));
    assert_eq!(closed(&["fields", "level"]), Some(true));
    assert_eq!(closed(&["confidence"]), Some(true));
    assert_eq!(closed(&["fields", "service"]), Some(false));
    assert_eq!(closed(&["fields", "outside", "x"]), Some(false));
    assert_eq!(closed(&["fields", "labels", "x"]), Some(false));
    assert_eq!(closed(&["fields"]), Some(false));
    assert_eq!(closed(&["fields", "gone"]), None);
    assert_eq!(closed(&["fields", "service", "x"]), None);
    assert_eq!(closed(&[]), None);
}
