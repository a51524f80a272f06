use proptest::prelude::*;
use serde_json::json;

use super::*;

#[track_caller]
#[expect(clippy::needless_pass_by_value, reason = "rows read better so")]
fn check(text: &str, expect: Option<Value>) {
    assert_eq!(json(text, NonFinite::Refused), expect, "{text}");
}

#[test]
fn what_has_one_reading_is_read() {
    for (text, expect) in [
        ("{\"a\": \"one\ntwo\tthree\r\n\"}", json!({"a": "one\ntwo\tthree\r\n"})),
        ("{\"a\": \"\u{1}\"}", json!({"a": "\u{1}"})),
        (r#"{"a": "ok \ud83d"}"#, json!({"a": "ok \u{fffd}"})),
        (r#"{"a": "\ud83d\ude00 \ude00"}"#, json!({"a": "\u{1f600} \u{fffd}"})),
        (r#"{"a": "\ud83d\n"}"#, json!({"a": "\u{fffd}\n"})),
        (r#"{"a": [1, 2,], }"#, json!({"a": [1, 2]})),
        (r#"{"a": "code=~\"5\d\d\""}"#, json!({"a": "code=~\"5\\d\\d\""})),
        (r#"{"a": "C:\users"}"#, json!({"a": "C:\\users"})),
        (r#"{"a": "it\'s"}"#, json!({"a": "it's"})),
        (r"{'a': ['x', True, None, False]}", json!({"a": ["x", true, null, false]})),
        (r#"{'a': 'say "hi"'}"#, json!({"a": "say \"hi\""})),
    ] {
        check(text, Some(expect));
    }
}

#[test]
fn what_has_none_is_not() {
    for text in ["", "{", "{a: 1}", "{\"a\": NaN}", "{\"a\": 1} {\"a\": 1}", "{\"a\": 1", "hello", "{\"a\": 01}"] {
        check(text, None);
    }
    assert_eq!(
        json("{\"a\": [NaN, -Infinity], \"b\": \"NaN\"}", NonFinite::Null),
        Some(json!({"a": [null, null], "b": "NaN"}))
    );
}

#[test]
fn an_object_in_a_fence_in_a_text() {
    let plain = json!({"a": ["x"]});
    let text = plain.to_string();
    let mut nested = text.clone();
    for _ in 0..3 {
        nested = json!(nested).to_string();
        assert_eq!(object(&nested).map(Value::Object), Some(plain.clone()), "{nested}");
    }
    for text in [
        format!("```json\n{text}\n```"),
        format!(" ```\n{text}``` "),
        format!("{text}<|call|>"),
        format!("{text}</s>"),
        json!(format!("```json\n{text}\n```")).to_string(),
    ] {
        assert_eq!(object(&text).map(Value::Object), Some(plain.clone()), "{text}");
    }
    for empty in ["", " ", "null", "{}", "\"{}\"", "\"\"", "```\n```"] {
        assert_eq!(object(empty), Some(Map::new()), "{empty}");
    }
    for other in ["[1]", "1", "true", "\"a\"", "{} {}"] {
        assert_eq!(object(other), None, "{other}");
    }
}

#[test]
fn objects_inside_words() {
    let text = "I say {this} and {\"a\": {\"b\": \"}\"}} and {\"c\": 1}, {\"d\":";
    let found: Vec<Value> = objects(text).into_iter().map(|(_, _, object)| Value::Object(object)).collect();
    assert_eq!(found, [json!({"a": {"b": "}"}}), json!({"c": 1})]);
}

proptest! {
    #[test]
    fn json_is_read_as_it_is(
        fields in proptest::collection::btree_map("\\PC{0,8}", (any::<i32>(), "\\PC{0,12}", any::<bool>()), 0..4),
    ) {
        let value = json!(fields);
        prop_assert_eq!(json(&value.to_string(), NonFinite::Refused), Some(value.clone()));
        let repaired: Value = serde_json::from_str(&Repair::of(&value.to_string(), NonFinite::Null)).unwrap();
        prop_assert_eq!(repaired, value);
    }

    #[test]
    fn raw_control_characters_stand_for_themselves(text in "[a-c\n\r\t\u{1}\u{8} ]{0,20}") {
        let raw = format!("{{\"a\": \"{text}\"}}");
        prop_assert_eq!(json(&raw, NonFinite::Refused), Some(json!({"a": text})));
    }

    #[test]
    fn any_text_is_survived(text in "[{}\\[\\]\"',:\\\\u0-9dD8TNa \n]{0,80}") {
        let _whatever = (json(&text, NonFinite::Null), object(&text), objects(&text));
    }
}
