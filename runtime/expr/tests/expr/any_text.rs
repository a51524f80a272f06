//! Any text at all: no panic, and an end.

use proptest::prelude::*;
use provost_expr::{EscapedTemplate, Expression, Scope, Syntax, Template, Type};
use serde_json::{Value, json};

/// Pieces of expressions in any order, which come further than random characters do.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a",
        "fields",
        ".",
        "?",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        "{{",
        "}}",
        "\"",
        "'",
        "\\",
        "&&",
        "||",
        "!",
        "-",
        "+",
        "==",
        "<",
        ":",
        ",",
        "in",
        " ",
        "\n",
        "1",
        "0.5",
        "1e9",
        "exists(i,",
        "map(",
        "has(",
        "size(",
        "matches(\"(a+)+$\")",
        ".orValue(",
        "true",
        "null",
        "é",
        "😀",
        "\u{0}",
        "=~",
        "`",
        "#",
        "--",
        "/*",
        "$",
        "%",
        "=",
        "/",
        "://",
        "&",
    ]);
    prop::collection::vec(piece, 0..1400).prop_map(|pieces| pieces.concat().chars().take(4096).collect())
}

fn scope() -> Scope {
    let fields = Type::object([("a", Type::Text), ("b", Type::Number.optional()), ("c", Type::words(["x", "y"]))]);
    Scope::default().with("fields", fields).with("a", Type::Any.list())
}

fn data() -> Value {
    json!({"fields": {"a": "text", "b": 1, "c": "x"}, "a": [1, "b", {"c": null}, [2]]})
}

/// Everything that can be done with a text; gives how much of it worked, so that nothing is left out.
fn use_all(text: &str) -> usize {
    let mut worked = 0;
    if let Ok(expression) = Expression::parse(text) {
        worked += 1 + usize::from(expression.check(&scope()).is_ok()) + expression.reads().len();
        worked += usize::from(expression.value(&data()).is_ok() || expression.judge(&data()).is_true());
    }
    let Ok(template) = Template::parse(text) else { return worked };
    worked += template.render(&data()).len();
    for syntax in Syntax::names().filter_map(Syntax::named) {
        let escaped = EscapedTemplate::new(template.clone(), syntax);
        worked +=
            escaped.map_or(0, |own| usize::from(own.check(&scope()).is_ok()) + usize::from(own.fill(&data()).is_ok()));
    }
    worked
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn characters(text in any::<String>()) {
        use_all(&text);
    }

    #[test]
    fn pieces_of_expressions(text in pieces()) {
        use_all(&text);
    }

    #[test]
    fn short_pieces_of_expressions(text in prop::collection::vec(pieces(), 1).prop_map(|all| all.concat().chars().take(40).collect::<String>())) {
        use_all(&text);
    }

    #[test]
    fn what_parses_is_evaluated_alike_each_time(text in pieces()) {
        if let Ok(expression) = Expression::parse(&text) {
            prop_assert_eq!(expression.judge(&data()), expression.judge(&data()));
        }
    }
}

#[test]
fn hostile_texts_of_four_kilobytes() {
    for piece in [
        "(",
        "[",
        "{",
        "!",
        "-",
        "!!(!!(",
        "a.",
        "a?",
        "a?b:",
        "{{",
        "{{\"",
        "\\",
        "\"\\",
        "a.exists(a,",
        "f(",
        "1+",
        "a in ",
        "&&",
        "((((a",
    ] {
        use_all(&piece.repeat(4096 / piece.len()));
    }
}
