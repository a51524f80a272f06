//! Everything has a limit: a text beyond it is refused, data beyond it cannot be told.

use provost_expr::{
    COMPREHENSIONS_MAX, DATA_MAX, Expression, HOLES_MAX, Judgement, LIST_MAX, NESTING_MAX, NODES_MAX, PATTERNS_MAX,
    TEMPLATE_MAX, TEXT_MAX, Template,
};
use serde_json::{Value, json};

fn refusal(text: &str) -> String {
    Expression::parse(text).unwrap_err().message
}

fn parses(text: &str) -> bool {
    Expression::parse(text).is_ok()
}

#[test]
fn texts() {
    let long = |length: usize| format!("\"{}\"", "a".repeat(length - 2));
    assert!(parses(&long(TEXT_MAX)));
    assert!(refusal(&long(TEXT_MAX + 1)).contains("bytes"));
    assert!(Template::parse(&format!("{{{{{}}}}}", long(TEXT_MAX))).is_ok());
    assert!(Template::parse(&format!("{{{{{}}}}}", long(TEXT_MAX + 1))).is_err());
    assert!(Template::parse(&"a".repeat(TEMPLATE_MAX)).is_ok());
    assert!(Template::parse(&"a".repeat(TEMPLATE_MAX + 1)).is_err());
    assert!(Template::parse(&"{{a}}".repeat(HOLES_MAX)).is_ok());
    assert!(Template::parse(&"{{a}}".repeat(HOLES_MAX + 1)).is_err());
}

#[test]
fn nesting() {
    for (open, close) in
        [("(", ")"), ("!", ""), ("-", ""), ("[", "]"), ("size([", "])"), ("{\"a\":", "}"), ("a[", "]"), ("true?1:", "")]
    {
        let nested = |depth| format!("{}1{}", open.repeat(depth), close.repeat(depth));
        assert!(parses(&nested(8)), "{open}");
        assert!(refusal(&nested(NESTING_MAX + 1)).contains("nested deeper"), "{open}");
    }
    let chain = |length| format!("a{}", ".b".repeat(length));
    assert!(parses(&chain(NESTING_MAX - 1)));
    assert!(refusal(&chain(NESTING_MAX)).contains("nested deeper"));
}

#[test]
fn nodes() {
    let sums = |parts: usize| vec!["a"; parts].join("&&");
    assert!(parses(&sums(NODES_MAX - 1)), "long conditions are not deep");
    assert!(refusal(&sums(NODES_MAX)).contains("parts"));
}

#[test]
fn comprehensions_and_patterns() {
    let walks = |count: usize| vec!["a.exists(i, i)"; count].join("||");
    assert!(parses(&walks(COMPREHENSIONS_MAX)));
    assert!(refusal(&walks(COMPREHENSIONS_MAX + 1)).contains("comprehensions"));
    assert!(refusal("a.exists(i, i.b.all(j, j))").contains("inside another"));
    assert!(refusal("a.map(i, i.b.map(j, j), 1)").contains("inside another"));
    assert!(parses("a.filter(i, i).map(i, i)"));
    let patterns = |count: usize| vec!["a.matches('b')"; count].join("||");
    assert!(parses(&patterns(PATTERNS_MAX)));
    assert!(refusal(&patterns(PATTERNS_MAX + 1)).contains("patterns"));
    assert!(refusal(r#"a.matches("(\\w{1000}){1000}")"#).contains("not a regular expression"));
}

#[track_caller]
fn unknown(text: &str, data: &Value) {
    let judged = Expression::parse(text).unwrap().judge(data);
    assert!(matches!(judged, Judgement::CannotTell(_)), "{text}: {judged:?}");
}

#[test]
fn data() {
    let data = |bytes: usize| json!({"a": "x".repeat(bytes), "b": 1});
    assert!(Expression::parse("b == 1").unwrap().judge(&data(DATA_MAX - 64)).is_true());
    unknown("b == 1", &data(DATA_MAX));
    unknown("b == 1", &json!({"a": vec![1; DATA_MAX / 8], "b": 1}));
    unknown("a + a == a", &data(DATA_MAX - 64));
    unknown("a.matches('y+$') || a.matches('z+$') || a.matches('w+$')", &data(DATA_MAX - 64));
    let deep = |depth: usize| json!({"b": (1..depth).fold(json!(1), |inner, _| json!([inner]))});
    assert!(Expression::parse("b == b").unwrap().judge(&deep(128)).is_true());
    unknown("b == b", &deep(1000));
}

#[test]
fn lists() {
    let data = |items: usize| json!({"list": vec![1; items]});
    for text in ["list.all(i, i == 1)", "1 in list", "list == list", "min(list) == 1", "list + [] == list"] {
        assert!(Expression::parse(text).unwrap().judge(&data(LIST_MAX)).is_true(), "{text}");
        unknown(text, &data(LIST_MAX + 1));
    }
    // Its length can be told.
    assert!(Expression::parse("size(list) == 600").unwrap().judge(&data(600)).is_true());
    unknown("object.exists(key, key == 'a')", &json!({"object": {"a": 1}}));
}

#[test]
fn the_work_is_bounded() {
    let body = vec!["i==2"; 18].join("||");
    let text = ["a"; 4].map(|list| format!("{list}.exists(i,{body})")).join("||");
    unknown(&text, &json!({"a": vec![1; LIST_MAX]}));
    assert!(Expression::parse(&text).unwrap().judge(&json!({"a": vec![1; 100]})).is_false());
    let texts = json!({"long": "x".repeat(100_000), "a": vec!["y"; LIST_MAX]});
    unknown("a.exists(i, (long + i).contains(\"z\"))", &texts);
}
