//! Truth tables of the three values, for each operator and comprehension.

use provost_expr::{Expression, Judgement};
use serde_json::{Value, json};

fn judge(text: &str, data: &Value) -> char {
    match Expression::parse(text).unwrap().judge(data) {
        Judgement::True => 'T',
        Judgement::False => 'F',
        Judgement::CannotTell(_) => 'U',
    }
}

/// What stands for each of the three values: the last is absent.
const OPERANDS: [(char, &str); 3] = [('T', "t"), ('F', "f"), ('U', "u")];

#[track_caller]
fn two(operator: &str, table: [&str; 3]) {
    let data = json!({"t": true, "f": false});
    for ((_, left), row) in OPERANDS.iter().zip(table) {
        for ((_, right), expect) in OPERANDS.iter().zip(row.chars()) {
            let text = format!("{left} {operator} {right}");
            assert_eq!(judge(&text, &data), expect, "{text}");
        }
    }
}

#[test]
fn and_or_absorb_what_cannot_be_told() {
    two("&&", ["TFU", "FFF", "UFU"]);
    two("||", ["TTT", "TFU", "TUU"]);
}

#[test]
fn equality_of_truth_values() {
    two("==", ["TFU", "FTU", "UUU"]);
    two("!=", ["FTU", "TFU", "UUU"]);
    two("<", ["UUU", "UUU", "UUU"]);
}

#[test]
fn not_and_choice() {
    let data = json!({"t": true, "f": false});
    for (text, expect) in [("!t", 'F'), ("!f", 'T'), ("!u", 'U'), ("!!t", 'T')] {
        assert_eq!(judge(text, &data), expect, "{text}");
    }
    for (condition, row) in [("t", ["T", "F", "U"]), ("f", ["F", "T", "F"]), ("u", ["U", "U", "U"])] {
        for ((yes, no), expect) in [("t", "f"), ("f", "t"), ("u", "f")].into_iter().zip(row) {
            let text = format!("{condition} ? {yes} : {no}");
            assert_eq!(judge(&text, &data).to_string(), expect, "{text}");
        }
    }
}

#[test]
fn long_chains_are_decided_by_one_part() {
    let data = json!({"t": true, "f": false});
    for (text, expect) in [
        ("u && t && f", 'F'),
        ("t && u && t", 'U'),
        ("u || f || t", 'T'),
        ("f || u || f", 'U'),
        ("f && u || t", 'T'),
        ("u || t && f", 'U'),
        ("(u || t) && f", 'F'),
    ] {
        assert_eq!(judge(text, &data), expect, "{text}");
    }
}

/// Lists of the three values; an item without `v` is the one that cannot be told.
fn list(of: &str) -> Value {
    let item = |sign| match sign {
        'T' => json!({"v": true}),
        'F' => json!({"v": false}),
        _ => json!({}),
    };
    json!({"list": of.chars().map(item).collect::<Vec<_>>()})
}

#[test]
fn comprehensions() {
    let walks = ["exists", "all", "exists_one"];
    for (items, expect) in [
        ("", "FTF"),
        ("T", "TTT"),
        ("F", "FFF"),
        ("U", "UUU"),
        ("TT", "TTF"),
        ("TF", "TFT"),
        ("TU", "TUU"),
        ("UT", "TUU"),
        ("FU", "UFU"),
        ("UF", "UFU"),
        ("TUT", "TUF"),
        ("UTT", "TUF"),
        ("UUF", "UFU"),
    ] {
        for (walk, expect) in walks.iter().zip(expect.chars()) {
            let text = format!("list.{walk}(i, i.v)");
            assert_eq!(judge(&text, &list(items)), expect, "{text} of {items}");
        }
        let unknown = items.contains('U');
        let count = items.matches('T').count();
        for text in [format!("size(list.filter(i, i.v)) == {count}"), format!("size(list.map(i, i.v, i.v)) == {count}")]
        {
            assert_eq!(judge(&text, &list(items)), if unknown { 'U' } else { 'T' }, "{text} of {items}");
        }
    }
}

#[test]
fn what_compares_with_what() {
    let data = json!({
        "n": 7, "half": 0.5, "text": "a", "list": [1, 2], "object": {"a": 1}, "none": null, "nan": "NaN",
        "mixed": [1, "a"], "nested": {"none": null},
    });
    for (text, expect) in [
        ("n == 7", 'T'),
        ("n == 7.0", 'T'),
        ("n != 8", 'T'),
        ("n > half", 'T'),
        ("n >= 7 && n <= 7", 'T'),
        ("n < 7", 'F'),
        ("\"a\" < \"b\"", 'T'),
        ("text >= \"b\"", 'F'),
        ("n == \"7\"", 'U'),
        ("n != \"7\"", 'U'),
        ("n < \"8\"", 'U'),
        ("nan < 0.02", 'U'),
        ("double(nan) < 0.02", 'U'),
        ("double(nan) == double(nan)", 'U'),
        ("double(nan) != 1", 'U'),
        ("0 / 0 == 0 / 0", 'U'),
        ("1 / 0 > 5", 'T'),
        ("list == [1, 2]", 'T'),
        ("list == [1, 3]", 'F'),
        ("list == [1]", 'F'),
        ("list == [\"1\", 3]", 'F'),
        ("list == [\"1\", 2]", 'U'),
        ("object == {\"a\": 1}", 'T'),
        ("object == {\"b\": 1}", 'F'),
        ("object == list", 'U'),
        ("none == null", 'U'),
        ("nested.none == null", 'U'),
        ("n == null", 'F'),
        ("n != null", 'T'),
        ("null == null", 'T'),
        ("gone == null", 'U'),
        ("1 in list", 'T'),
        ("3 in list", 'F'),
        ("\"a\" in mixed", 'T'),
        ("2 in mixed", 'U'),
        ("\"a\" in object", 'T'),
        ("\"b\" in object", 'F'),
        ("gone in list", 'U'),
        ("n in object", 'U'),
    ] {
        assert_eq!(judge(text, &data), expect, "{text}");
    }
}

#[test]
fn what_may_be_absent() {
    let data = json!({"fields": {"team": "red", "none": null, "deep": {"a": 1}}, "list": [5]});
    for (text, expect) in [
        ("has(fields.team)", 'T'),
        ("has(fields.gone)", 'F'),
        ("has(fields.none)", 'F'),
        ("has(fields.gone.further)", 'U'),
        ("has(fields.deep.a)", 'T'),
        ("has(gone.team)", 'F'),
        ("has(fields.team.x)", 'U'),
        ("has(fields[\"team\"])", 'T'),
        ("has(list[0])", 'T'),
        ("has(list[1])", 'F'),
        ("fields.?team.orValue(\"blue\") == \"red\"", 'T'),
        ("fields.?gone.orValue(\"blue\") == \"blue\"", 'T'),
        ("fields.?none.orValue(\"blue\") == \"blue\"", 'T'),
        ("gone.?team.orValue(\"blue\") == \"blue\"", 'T'),
        ("fields.?deep.a.orValue(2) == 1", 'T'),
        ("fields.?deep.?b.orValue(2) == 2", 'T'),
        ("fields.?gone.further.orValue(2) == 2", 'T'),
        ("list[?3].orValue(7) == 7", 'T'),
        ("fields.?team == \"red\"", 'U'),
        ("fields.team.?x.orValue(1) == 1", 'U'),
        ("fields.gone == \"red\"", 'U'),
        ("fields.team == \"red\"", 'T'),
        ("\"team\" in fields", 'T'),
        ("\"none\" in fields", 'F'),
    ] {
        assert_eq!(judge(text, &data), expect, "{text}");
    }
}

#[test]
fn a_reason_is_given() {
    let why = |text: &str| match Expression::parse(text).unwrap().judge(&json!({"a": {"n": 1}})) {
        Judgement::CannotTell(cannot) => (cannot.offset, cannot.to_string()),
        told => panic!("{told:?}"),
    };
    assert_eq!(why("a.b == 1"), (2, "cannot tell: `b` is missing".to_owned()));
    assert_eq!(why("a.n == \"1\""), (4, "cannot tell: a number does not compare with a text".to_owned()));
    assert_eq!(why("a.n"), (2, "cannot tell: a truth value is needed, and this is a number".to_owned()));
    assert!(Judgement::True.is_true() && Judgement::False.is_false());
}
