use serde_json::json;

use super::*;

fn schema() -> ArgSchema {
    ArgSchema::new(json!({"type": "object", "required": ["service", "environment"], "additionalProperties": false,
        "properties": {
            "service": {"type": "string"}, "environment": {"type": "string", "x-roster": "environments"},
            "severity": {"enum": ["low", "high"]}, "note": {"type": "string"}, "count": {"type": "number"},
            "alert": {"type": "object"}}}))
    .unwrap()
}

fn mapping() -> IntakeMapping {
    serde_json::from_value(json!({
        "when": "alert.labels.severity != \"none\"",
        "fields": {
            "service": {"from": ["alert.labels.service", "alert.labels.app"], "ignore": ["*-exporter", "kube-*-metrics"]},
            "environment": {"from": ["alert.labels.env"], "words": {"prod | live": "production"}, "default": "production"},
            "severity": {"from": ["alert.labels.severity"], "words": {"page | sev1": "high"}},
            "note": "alert.labels.service + \"!\"", "count": "alert.count", "alert": "alert", "elsewhere": "alert.labels.app",
        },
        "onset": "alert.startsAt", "links": ["alert.url", "alert.none", "\"https://x/\" + fields.service"],
    }))
    .unwrap()
}

fn sent(labels: &Value) -> Value {
    json!({"alert": {"labels": labels, "startsAt": "2026-01-01T00:00:00.5Z", "url": "https://u", "count": 7}})
}

fn map(data: &Value) -> Result<MappedCase, MappingFailure> {
    let rosters = Rosters([("environments".to_owned(), vec!["staging".to_owned(), "production".to_owned()])].into());
    let schema = schema();
    mapped(&mapping(), DeclaredFields { schema: &schema, rosters: &rosters }, &SentData::new(data))
}

/// One field of what labels are mapped to.
#[track_caller]
fn field(labels: &Value, name: &str) -> Value {
    map(&sent(labels)).unwrap().fields.get(name).cloned().unwrap_or_default()
}

#[test]
fn the_first_value_counts_that_is_neither_blank_nor_ignored() {
    for (labels, service) in [
        (json!({"service": "shop", "app": "till"}), json!("shop")),
        (json!({"service": " ", "app": "till"}), json!("till")),
        (json!({"service": null, "app": "till"}), json!("till")),
        (json!({"service": "Node-Exporter", "app": "till"}), json!("till")),
        (json!({"service": "kube-state-metrics", "app": "till"}), json!("till")),
        (json!({"service": "kube-state-metrics-2", "app": "till"}), json!("kube-state-metrics-2")),
    ] {
        assert_eq!(field(&labels, "service"), service, "{labels}");
    }
}

#[test]
fn words_stand_for_values_and_those_of_the_pack_for_themselves() {
    let with = |env: &str| field(&json!({"service": "shop", "env": env}), "environment");
    assert_eq!(
        ["PROD", "live", "Staging", "production"].map(with),
        ["production", "production", "staging", "production"]
    );
    let severity = |word: &str| field(&json!({"service": "shop", "severity": word}), "severity");
    assert_eq!(["SEV-1", "page", "LOW"].map(severity), ["high", "high", "low"]);
}

#[test]
fn an_unknown_word_takes_the_default_and_stays_visible() {
    let case = map(&sent(&json!({"service": "shop", "env": "the-moon", "severity": "purple"}))).unwrap();
    assert_eq!((&case.fields["environment"], case.fields.get("severity")), (&json!("production"), None));
    let unknown = [("environment", "the-moon"), ("severity", "purple")];
    let unknown = unknown.map(|(field, word)| (field.to_owned(), word.to_owned()));
    assert_eq!(case.origin.unknown_words, unknown.into());
    let missing = map(&sent(&json!({"service": "shop"}))).unwrap();
    assert_eq!((&missing.fields["environment"], missing.origin.unknown_words.len()), (&json!("production"), 0));
}

#[test]
fn an_unknown_word_without_a_default_stays_where_it_is_needed_so_that_the_refusal_names_it() {
    let mut mapping = mapping();
    mapping.fields.get_mut("environment").unwrap().default = None;
    let rosters = Rosters([("environments".to_owned(), vec!["staging".to_owned()])].into());
    let schema = schema();
    let declared = DeclaredFields { schema: &schema, rosters: &rosters };
    let data = sent(&json!({"service": "shop", "env": "the-moon"}));
    assert_eq!(mapped(&mapping, declared, &SentData::new(&data)).unwrap().fields["environment"], "the-moon");
}

#[test]
fn what_every_session_needs_and_nothing_says_is_a_failure_with_the_names_that_were_read() {
    let failure = map(&sent(&json!({"service": "node-exporter"}))).unwrap_err();
    let MappingFailure::Missing { field, from } = &failure else { panic!("{failure}") };
    assert_eq!((field.as_str(), from.as_str()), ("service", "`alert.labels.service`, `alert.labels.app`"));
    assert!(failure.to_string().contains("`default`"), "{failure}");
}

#[test]
fn values_keep_their_kind_and_fields_that_the_pack_lacks_are_left_out() {
    let case = map(&sent(&json!({"service": "shop", "app": "x"}))).unwrap();
    assert_eq!((&case.fields["note"], &case.fields["count"]), (&json!("shop!"), &json!(7)));
    assert_eq!((&case.fields["alert"]["url"], case.fields.get("elsewhere")), (&json!("https://u"), None));
}

#[test]
fn onset_and_links_are_read_after_the_fields() {
    let origin = map(&sent(&json!({"service": "shop"}))).unwrap().origin;
    assert_eq!(origin.onset, Timestamp::from_rfc3339("2026-01-01T00:00:00.5Z"));
    assert_eq!(origin.links, ["https://u", "https://x/shop"]);
    for (written, expect) in [
        (json!(1_700_000_000), Some(1_700_000_000_000_000)),
        (json!("1700000000123"), Some(1_700_000_000_123_000)),
        (json!("0001-01-01T00:00:00Z"), None),
        (json!("soon"), None),
        (json!(-1), None),
        (json!(""), None),
    ] {
        assert_eq!(time(&written).map(Timestamp::micros), expect, "{written}");
    }
}

#[test]
fn a_pack_takes_passes_over_or_cannot_tell() {
    let of = |labels: Value| taking(&mapping(), &SentData::new(&sent(&labels)));
    assert_eq!(of(json!({"severity": "page"})), Taking::Taken);
    assert_eq!(of(json!({"severity": "none"})), Taking::PassedOver);
    let Taking::CannotTell(why) = of(json!({})) else { panic!("it has no severity") };
    assert!(why.contains("alert.labels.severity"), "{why}");
    assert_eq!(taking(&IntakeMapping::default(), &SentData::new(&json!({}))), Taking::Taken);
}

/// An expression reads a bounded amount of data; a long text must not cost a page.
#[test]
fn a_long_text_changes_nothing_about_the_other_fields() {
    let long = "x".repeat(provost_expr::DATA_MAX + 1);
    let data = sent(&json!({"service": "shop", "severity": "page", "description": long}));
    assert_eq!(taking(&mapping(), &SentData::new(&data)), Taking::Taken);
    let case = map(&data).unwrap();
    assert_eq!((&case.fields["note"], &case.fields["service"]), (&json!("shop!"), &json!("shop")));
    assert_eq!(case.fields["alert"]["labels"]["description"], json!(long), "a name alone reads all of it");
}

#[test]
fn patterns_stand_for_whole_texts() {
    for (pattern, text, fits) in [
        ("a", "A", true),
        ("a", "ab", false),
        ("*", "", true),
        ("a*", "abc", true),
        ("*b*", "abc", true),
        ("*c", "abc", true),
        ("a*c", "ac", true),
        ("a*b*c", "axbxbxc", true),
        ("ab*ba", "aba", false),
        ("*ab*ab*", "xab", false),
    ] {
        assert_eq!(matches(pattern, text), fits, "{pattern} {text}");
    }
}
