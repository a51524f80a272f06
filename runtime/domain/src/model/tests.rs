use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::ids::Digest;

fn call(tool: &str, args: Arguments) -> ProposedCall {
    ProposedCall { tool: tool.to_owned(), args: Arc::new(args) }
}

fn reply(text: &str, calls: Vec<ProposedCall>) -> ModelReply {
    ModelReply { text: text.into(), calls, ..ModelReply::default() }
}

#[test]
fn only_objects_are_arguments() {
    assert_eq!(Arguments::parse(" {\"a\": [1]} "), Arguments::Json(json!({"a": [1]})));
    for empty in ["", "null", "\"{}\""] {
        assert_eq!(Arguments::parse(empty), Arguments::Json(json!({})));
    }
    for text in ["[1]", "1", "\"a\"", "{\"a\":", "{} {}", "{a: 1}", "{\"a\": NaN}"] {
        assert_eq!(Arguments::parse(text), Arguments::Broken(text.to_owned()));
    }
}

#[test]
fn arguments_without_end_are_broken() {
    let deep = format!("{}{}", "{\"a\":".repeat(1_000), "}".repeat(1_000));
    assert!(matches!(Arguments::parse(&deep), Arguments::Broken(text) if text.len() == 200));
    let long = |size: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(size - 8));
    assert!(matches!(Arguments::parse(&long(ARGUMENTS_MAX)), Arguments::Json(_)));
    assert!(matches!(Arguments::parse(&long(ARGUMENTS_MAX + 1)), Arguments::Broken(text) if text.len() < 100));
}

#[test]
fn a_reply_is_cut_down_to_its_limits() {
    let large = Arguments::Json(json!({"a": "x".repeat(ARGUMENTS_MAX)}));
    let mut calls = vec![call(&"é".repeat(300), large)];
    calls.extend((0..40).map(|_| call("t", Arguments::Json(json!({})))));
    let mut whole = reply(&"é".repeat(REPLY_TEXT_MAX), calls);
    whole.dropped_calls = 2;
    let cut = whole.bounded();
    assert!(!cut.text.is_empty() && cut.text.len() <= REPLY_TEXT_MAX && cut.text.chars().all(|c| c == 'é'));
    assert_eq!((cut.calls.len(), cut.dropped_calls), (CALLS_MAX, 2 + 41 - CALLS_MAX));
    assert_eq!(cut.calls[0].tool.chars().count(), 200);
    assert!(matches!(&*cut.calls[0].args, Arguments::Broken(text) if text.contains("over the limit")));
    assert_eq!(*cut.calls[1].args, Arguments::Json(json!({})));
}

#[test]
fn opaque_items_are_kept_whole_or_not_at_all_and_long_ones_beside_the_event() {
    let key = || OpaquePlace::Message { key: "reasoning".to_owned() };
    let text = "x".repeat(OPAQUE_MAX / 2);
    let kept = |items| ModelReply { opaque: items, ..ModelReply::default() }.bounded();
    let within = kept(vec![OpaqueItem::new(key(), text.clone()), OpaqueItem::new(key(), "1")]);
    assert_eq!((within.opaque.len(), within.dropped_opaque), (2, 0));
    let beyond = kept(vec![OpaqueItem::new(key(), text.clone()), OpaqueItem::new(key(), text.clone() + "x")]);
    assert_eq!((beyond.opaque.len(), beyond.dropped_opaque), (0, 2));
    let of_call = OpaquePlace::Call { call: 0, key: "signature".to_owned() };
    assert_eq!(kept(vec![OpaqueItem::new(of_call, "1")]).dropped_opaque, 1, "its call is not there");

    let (split, contents) = within.split();
    let stored = Digest::of(json!(text).to_string().as_bytes());
    assert_eq!(split.opaque.iter().map(OpaqueItem::stored).collect::<Vec<_>>(), [Some(stored), None]);
    assert_eq!(contents.iter().map(|content| content.digest).collect::<Vec<_>>(), [stored]);
}

fn arguments() -> impl Strategy<Value = Arguments> {
    let size = prop_oneof![4 => 0..50_usize, 1 => ARGUMENTS_MAX - 50..ARGUMENTS_MAX + 50];
    prop_oneof![
        ("\\PC{0,12}", size).prop_map(|(key, size)| Arguments::Json(json!({key: "x".repeat(size)}))),
        "\\PC{0,60}".prop_map(|text| Arguments::parse(&text)),
        (0..400_usize).prop_map(|size| Arguments::Broken("é".repeat(size))),
        (0..400_usize).prop_map(|size| Arguments::Json(json!(["é".repeat(size)]))),
    ]
}

fn replies() -> impl Strategy<Value = ModelReply> {
    let size = prop_oneof![3 => 0..100_usize, 1 => REPLY_TEXT_MAX / 4 - 10..REPLY_TEXT_MAX + 10];
    let text = (prop_oneof![Just("x"), Just("é"), Just("€"), Just("🦀")], size);
    let tool = prop_oneof![4 => "\\PC{0,20}", 1 => "\\PC{190,220}"];
    let one = (tool, arguments()).prop_map(|(tool, args)| call(&tool, args));
    let calls = prop_oneof![3 => proptest::collection::vec(one, 0..4), 1 => many()];
    (text, calls, 0..3_usize).prop_map(|((letter, size), calls, dropped_calls)| ModelReply {
        dropped_calls,
        ..reply(&letter.repeat(size), calls)
    })
}

/// About as many calls as are taken.
fn many() -> impl Strategy<Value = Vec<ProposedCall>> {
    (CALLS_MAX - 2..CALLS_MAX + 3).prop_map(|count| vec![call("t", Arguments::Json(json!({}))); count])
}

/// Whether a call is within the limits.
fn fits(call: &ProposedCall) -> bool {
    let small = match &*call.args {
        Arguments::Json(value) => value.is_object() && value.to_string().len() <= ARGUMENTS_MAX,
        Arguments::Broken(text) => text.chars().count() <= 200,
    };
    small && call.tool.chars().count() <= 200
}

proptest! {
    #[test]
    fn any_text_is_an_object_or_broken(text in "[{}\\[\\]\":,a0.\\\\\\PC]{0,300}") {
        match Arguments::parse(&text) {
            Arguments::Json(value) => prop_assert!(value.is_object()),
            Arguments::Broken(kept) => prop_assert!(text.starts_with(&kept) && kept.chars().count() <= 200),
        }
    }

    #[test]
    fn arguments_round_trip(
        fields in proptest::collection::btree_map("\\PC{0,8}", (any::<i64>(), "\\PC{0,20}", any::<bool>()), 0..5),
    ) {
        let value = json!(fields);
        prop_assert_eq!(Arguments::parse(&value.to_string()), Arguments::Json(value.clone()));
        let stored = serde_json::to_string(&Arguments::Json(value.clone())).unwrap();
        prop_assert_eq!(serde_json::from_str::<Arguments>(&stored).unwrap(), Arguments::Json(value));
    }

    #[test]
    fn a_bounded_reply_is_within_the_limits_and_stays_as_it_is(whole in replies()) {
        let cut = whole.clone().bounded();
        prop_assert!(cut.text.len() <= REPLY_TEXT_MAX && whole.text.starts_with(&*cut.text));
        prop_assert!(cut.calls.len() <= CALLS_MAX && cut.calls.iter().all(fits));
        prop_assert_eq!(cut.calls.len() + cut.dropped_calls, whole.calls.len() + whole.dropped_calls);
        prop_assert_eq!(cut.clone().bounded(), cut.clone());
        let small = whole.text.len() <= REPLY_TEXT_MAX && whole.calls.len() <= CALLS_MAX && whole.calls.iter().all(fits);
        prop_assert_eq!(cut == whole, small);
    }
}
