//! What expressions come to.

use provost_expr::Expression;
use serde_json::{Value, json};

#[track_caller]
fn check(text: &str, data: &Value, expect: Value) {
    assert_eq!(Expression::parse(text).unwrap().value(data), Ok(expect), "{text}");
}

#[test]
fn arithmetic_binds_as_usual() {
    for (text, expect) in [
        ("1 + 2 * 3", json!(7)),
        ("(1 + 2) * 3", json!(9)),
        ("7 / 2", json!(3.5)),
        ("7 % 4", json!(3)),
        ("-2 * 3", json!(-6)),
        ("10 - 2 - 3", json!(5)),
        ("2 * 0.4", json!(0.8)),
        (".5 + 1e1", json!(10.5)),
        ("1 < 2 == true", json!(true)),
        ("true ? 1 : false ? 2 : 3", json!(1)),
        ("false ? 1 : false ? 2 : 3", json!(3)),
        ("!false && true || false", json!(true)),
        ("min(3, 1, 2) + max([4, 9])", json!(10)),
        ("-(-1)", json!(1)),
    ] {
        check(text, &Value::Null, expect);
    }
}

#[test]
fn texts_lists_and_tables() {
    let data = json!({"s": "checkout", "list": [{"n": 1}, {"n": 2}, {"n": 3}], "o": {"a.b/c": "x"}, "big": 9_007_199_254_740_993_u64});
    for (text, expect) in [
        (r#""a" + 'b' + r"\n" + "\t\"\u00e9""#, json!("ab\\n\t\"é")),
        ("s.contains(\"out\") && s.startsWith(\"check\") && s.endsWith(\"out\")", json!(true)),
        (r#"s.matches("^ch.*t$") && !s.matches(r"\d")"#, json!(true)),
        ("size(s) + s.size() + size(list) + size(o)", json!(20)),
        ("string(7) + string(0.5) + string(true)", json!("70.5true")),
        ("double(\" 1e3 \")", json!(1000)),
        ("list.map(i, i.n * 2)", json!([2, 4, 6])),
        ("list.map(i, i.n > 1, i.n)", json!([2, 3])),
        ("list.filter(i, i.n != 2).map(i, i.n)", json!([1, 3])),
        ("list[0].n + list[2][\"n\"]", json!(4)),
        ("o[\"a.b/c\"]", json!("x")),
        ("{\"a\": [1, 2,], \"b\": {}, \"c\": s,}", json!({"a": [1, 2], "b": {}, "c": "checkout"})),
        ("[1] + [2]", json!([1, 2])),
        ("list", json!([{"n": 1}, {"n": 2}, {"n": 3}])),
        ("list.exists(s, s.n == 3)", json!(true)),
        // What is read and not calculated with stays as it came.
        ("big", json!(9_007_199_254_740_993_u64)),
    ] {
        check(text, &data, expect);
    }
}

#[test]
fn no_value_is_not_a_value() {
    for text in [
        "0 / 0",
        "1 / 0",
        "gone",
        "list[1]",
        "list[0.5]",
        "list[-1]",
        "null",
        "list.map(i, i / 0)",
        "list[\"a\"]",
        "o.?x",
    ] {
        let value = Expression::parse(text).unwrap().value(&json!({"list": [1], "o": {}}));
        assert!(value.is_err(), "{text}: {value:?}");
    }
}

#[test]
fn what_is_read_is_listed() {
    let reads = |text: &str| {
        let reads = Expression::parse(text).unwrap().reads();
        reads.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(reads("fields.service == args.name && has(case.id)"), "fields.service args.name case.id");
    assert_eq!(reads("report.list.exists(h, h.confidence > fields.least && h.x.y)"), "report.list fields.least");
    assert_eq!(reads("a[\"b\"].c[0].d + a[e.f].g"), "a.b.c a e.f");
    assert_eq!(reads("a.?b.orValue(c)"), "a.b c");
    assert_eq!(reads("[x, {\"k\": y}][0] ? -z : !w"), "x y z w");
    assert_eq!(reads("h.exists(h, h)"), "h");
    let path = Expression::parse("fields.service").unwrap().path().unwrap();
    assert_eq!((path.names, path.offset), (vec!["fields".to_owned(), "service".to_owned()], 7));
    assert_eq!(Expression::parse("fields.a + 1").unwrap().path(), None);
}

#[test]
fn an_expression_is_its_text_at_the_wire() {
    let expression = Expression::parse(" a == 1").unwrap();
    let wire = serde_json::to_value(&expression).unwrap();
    assert_eq!(wire, json!(" a == 1"));
    assert_eq!(serde_json::from_value::<Expression>(wire).unwrap(), expression);
    assert!(serde_json::from_value::<Expression>(json!("a ==")).is_err());
}
