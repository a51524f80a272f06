use proptest::prelude::*;
use serde_json::json;

use super::*;

fn schema() -> Value {
    json!({
        "type": "object", "additionalProperties": false, "required": ["series"],
        "properties": {
            "series": {"type": "array", "items": {"type": "string"}},
            "counts": {"type": "array", "items": {"type": "integer"}},
            "limit": {"type": ["integer", "null"], "minimum": 0},
            "last": {"type": "integer"},
            "share": {"type": "number"},
            "exact": {"type": "boolean"},
            "name": {"type": "string"},
            "severity": {"enum": ["low", "high"]},
            "where": {"type": "object", "properties": {"zone": {"type": "string"}, "rack": {"$ref": "#/$defs/rack"}}},
            "any": {},
            "list": {"type": "array"},
            "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        },
        "$defs": {"rack": {"type": "integer"}},
    })
}

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "rows read better so")]
fn check(written: Value, expect: Value) {
    let read = decoded(&schema(), written.as_object().unwrap());
    assert_eq!(Value::Object(read), expect, "{written}");
}

#[test]
fn what_the_schema_leaves_one_reading_for_is_that() {
    for (key, written, expect) in [
        ("series", json!("[\"up\"]"), json!(["up"])),
        ("series", json!("```json\n[\"up\"]\n```"), json!(["up"])),
        ("series", json!("['up', 'down']"), json!(["up", "down"])),
        ("series", json!("up"), json!(["up"])),
        ("series", json!([1]), json!(["1"])),
        ("counts", json!("[1, 2.0, \"3\"]"), json!([1, 2, 3])),
        ("counts", json!(4), json!([4])),
        ("limit", json!("5"), json!(5)),
        ("limit", json!(5.0), json!(5)),
        ("limit", json!("null"), json!(null)),
        ("last", json!("60"), json!(60)),
        ("last", json!(" 60.0 "), json!(60)),
        ("last", json!(60.0), json!(60)),
        ("last", json!(-2.0), json!(-2)),
        ("share", json!("0.5"), json!(0.5)),
        ("exact", json!("true"), json!(true)),
        ("exact", json!("False"), json!(false)),
        ("name", json!(42), json!("42")),
        ("name", json!(1.5), json!("1.5")),
        ("severity", json!(" High"), json!("high")),
        ("where", json!("{\"zone\": \"a\", \"rack\": \"7\"}"), json!({"zone": "a", "rack": 7})),
        ("where", json!({"zone": 1, "rack": 7.0}), json!({"zone": "1", "rack": 7})),
        ("any", json!("{\"a\": 1}"), json!({"a": 1})),
        ("list", json!("[{\"a\": \"1\"}]"), json!([{"a": "1"}])),
        ("list", json!(["{\"a\": 1}", "b"]), json!([{"a": 1}, "b"])),
        ("either", json!("3"), json!(3)),
        ("either", json!(3.0), json!(3)),
        ("labels", json!({"a": 1}), json!({"a": "1"})),
        ("labels", json!("{\"a\": \"b\"}"), json!({"a": "b"})),
    ] {
        check(json!({key: written}), json!({key: expect}));
    }
}

#[test]
fn what_has_no_reading_stays_as_written() {
    for (key, written) in [
        ("series", json!("up, down")),
        ("series", json!("")),
        ("series", json!({"a": 1})),
        ("limit", json!("many")),
        ("limit", json!(5.5)),
        ("last", json!("5 minutes")),
        ("last", json!(1e300)),
        ("share", json!("85%")),
        ("exact", json!("yes")),
        ("exact", json!(1)),
        ("name", json!(true)),
        ("name", json!("[1]")),
        ("severity", json!("medium")),
        ("where", json!("[1]")),
        ("any", json!("5")),
        ("unknown", json!("[1]")),
    ] {
        check(json!({key: written.clone()}), json!({key: written}));
    }
}

#[test]
fn what_is_optional_may_be_null_and_all_may_be_wrapped() {
    check(json!({"series": ["up"], "name": null, "limit": null}), json!({"series": ["up"], "limit": null}));
    check(json!({"series": null}), json!({"series": null}));
    check(json!({"where": {"zone": null}}), json!({"where": {}}));
    for wrapper in WRAPPERS {
        check(json!({wrapper: {"series": "[\"up\"]"}}), json!({"series": ["up"]}));
    }
    let own = json!({"type": "object", "properties": {"input": {"type": "object"}}});
    let args = json!({"input": {"a": 1}});
    assert_eq!(Value::Object(decoded(&own, args.as_object().unwrap())), args);
}

#[test]
fn schemas_without_end_are_survived() {
    let endless = json!({"$ref": "#"});
    let args = json!({"a": "1"});
    assert_eq!(decoded_value(&endless, &args), args);
    let tree = json!({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}});
    let read = decoded_value(&tree, &json!({"next": {"next": {"n": "1"}}}));
    assert_eq!(read, json!({"next": {"next": {"n": 1}}}));
}

/// A value that fits the schema.
fn fitting() -> impl Strategy<Value = Value> {
    let words = proptest::collection::vec("[a-z]{1,6}", 0..3);
    let whole = proptest::collection::vec(any::<i32>(), 0..3);
    (words, whole, any::<i32>(), any::<bool>(), "[a-z ]{0,8}", -1e6..1e6_f64).prop_map(
        |(series, counts, last, exact, name, share)| {
            json!({"series": series, "counts": counts, "last": last, "exact": exact, "name": name, "share": share,
            "where": {"zone": name, "rack": last}})
        },
    )
}

proptest! {
    #[test]
    fn what_fits_stays(args in fitting()) {
        prop_assert_eq!(Value::Object(decoded(&schema(), args.as_object().unwrap())), args);
    }

    #[test]
    fn every_member_may_be_a_text(args in fitting(), twice: bool) {
        let mut written = args.clone();
        for (key, value) in written.as_object_mut().unwrap() {
            if key != "name" {
                let once = value.to_string();
                *value = json!(if twice && key != "last" { format!("```\n{once}\n```") } else { once });
            }
        }
        prop_assert_eq!(Value::Object(decoded(&schema(), written.as_object().unwrap())), args);
    }

    #[test]
    fn reading_again_changes_nothing(text in "[\\[\\]{}\"a0-9:, .]{0,20}", key in "series|last|share|where|list|name|severity") {
        let args = json!({key: text});
        let once = decoded(&schema(), args.as_object().unwrap());
        prop_assert_eq!(decoded(&schema(), &once), once);
    }
}
