//! Ten thousand hostile values through every kind of hole: no query, address, argument or statement changes. The texts are
//! read back by the readers of `readers.rs`.

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseError, TestRunner};
use provost_expr::{EscapedTemplate, Syntax};
use regex::Regex;
use serde_json::{Value, json};

use crate::readers::{self, Argument, QueryPart};

/// A kind of hole: a text with `{{ v }}` in it, and whether what a program reads of the filled text is the value and, around
/// it, what the author wrote.
struct Kind {
    syntax: Syntax,
    text: &'static str,
    is_intact: fn(filled: &str, value: &str) -> bool,
}

/// Whether a query is the one that the author wrote, with these contents in its quotes.
fn is_query(filled: &str, written: &str, fits: impl Fn(&str) -> bool) -> bool {
    let (Some(found), Some(wanted)) = (readers::query(filled), readers::query(written)) else { return false };
    found.len() == wanted.len()
        && found.iter().zip(&wanted).all(|pair| match pair {
            (QueryPart::Quoted(found), QueryPart::Quoted(wanted)) if wanted.contains("{{ v }}") => fits(found),
            (found, wanted) => found == wanted,
        })
}

const METRICS: &str = "sum(rate(http_requests_total{service=\"{{ v }}\",code=~\"5..\"}[2m])) or vector(0)";
const SINGLE: &str = "up{service!='{{ v }}', a=\"b\"} > 1";
const PATTERN: &str = "up{service=~\"{{ v }}\", a=\"b\"}";
const REPEATED: &str = "up{service=~\"{{ v }}+\"}";
const LOGS: &str = "{app=\"a\"} |= \"{{ v }}\" | json";
const LOG_PATTERN: &str = "{app=\"a\"} |~ \"{{ v }}\"";
const SQL: &str = "select a from t where b = {{ v }} and c = 'it''s'";

const KINDS: [Kind; 14] = [
    Kind {
        syntax: Syntax::Promql,
        text: METRICS,
        is_intact: |own, value| is_query(own, METRICS, |found| found == value),
    },
    Kind {
        syntax: Syntax::Promql,
        text: SINGLE,
        is_intact: |own, value| is_query(own, SINGLE, |found| found == value),
    },
    Kind {
        syntax: Syntax::Promql,
        text: PATTERN,
        is_intact: |own, value| is_query(own, PATTERN, |found| readers::literal(found).as_deref() == Some(value)),
    },
    Kind {
        syntax: Syntax::Promql,
        text: REPEATED,
        is_intact: |own, value| {
            is_query(own, REPEATED, |found| {
                let pattern = found.strip_suffix('+').filter(|pattern| pattern.starts_with("(?:"));
                pattern.and_then(readers::literal).as_deref() == Some(value)
            })
        },
    },
    Kind { syntax: Syntax::Logql, text: LOGS, is_intact: |own, value| is_query(own, LOGS, |found| found == value) },
    Kind {
        syntax: Syntax::Logql,
        text: LOG_PATTERN,
        is_intact: |own, value| {
            is_query(own, LOG_PATTERN, |found| found == value || readers::literal(found).as_deref() == Some(value))
        },
    },
    Kind {
        syntax: Syntax::Url,
        text: "https://deploy.internal/services/{{ v }}/rollback?dry=1",
        is_intact: |own, value| {
            readers::address(own).is_some_and(|own| {
                own.server == "https://deploy.internal"
                    && own.path == ["services", value, "rollback"]
                    && own.query == [("dry".to_owned(), "1".to_owned())]
                    && own.fragment.is_none()
            })
        },
    },
    Kind {
        syntax: Syntax::Url,
        text: "https://deploy.internal/find?service={{ v }}&dry=1",
        is_intact: |own, value| {
            readers::address(own).is_some_and(|own| {
                let wanted = [("service".to_owned(), value.to_owned()), ("dry".to_owned(), "1".to_owned())];
                own.path == ["find"] && own.query == wanted && own.fragment.is_none()
            })
        },
    },
    Kind { syntax: Syntax::Sql, text: SQL, is_intact: |own, _| own == "select a from t where b = $1 and c = 'it''s'" },
    Kind {
        syntax: Syntax::Regex,
        text: "{{ v }}",
        is_intact: |own, value| readers::literal(own).as_deref() == Some(value),
    },
    Kind {
        syntax: Syntax::Json,
        text: "{\"a\": {{ v }}, \"b\": \"x\"}",
        is_intact: |own, value| readers::json(own) == Some(json!({"a": value, "b": "x"})),
    },
    Kind {
        syntax: Syntax::Json,
        text: "{\"a\": \"<{{ v }}>\", \"b\": \"x\"}",
        is_intact: |own, value| readers::json(own) == Some(json!({"a": format!("<{value}>"), "b": "x"})),
    },
    Kind {
        syntax: Syntax::Argv,
        text: "{{ v }}",
        is_intact: |own, value| readers::argument(own) == Some(Argument::Plain(value.to_owned())),
    },
    Kind {
        syntax: Syntax::Markdown,
        text: "a {{ v }} b",
        is_intact: |own, value| {
            let line =
                |sign: char| if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') { ' ' } else { sign };
            readers::markdown(own) == Some(format!("a {} b", value.chars().map(line).collect::<String>()))
        },
    },
];

/// Parts of values that were written to break out.
#[rustfmt::skip]
const PIECES: [&str; 77] = [
    "\"", "'", "\\", "\\\"", "`", "\"}", "\"} or up{a=\"", "{", "}", "[5m]", "#", "\n", "\r", "\t", "\0",
    "\u{2028}", ".*", "|", "(", ")", "[^a]", "+", "?", "^", "$", "/", "..", "../", "%2e%2e", "%2F", "%", "&",
    "&dry=0", "=", ";", "; drop table t --", "--", "-", "-rf", "--help", "/*", "*/", "$1", "$$", "{{ v }}", "}}",
    "\",\"b\":1", "<b>", "[a](http://b)", "*", "_", "!", "https://evil.example", "www.evil.example", "~~~",
    "$(rm)", " ", "é", "😀", "\u{202e}", "\u{feff}", "service", "a", "0", "-1", "1e9", "\\Q", "\\E", "(?i)",
    "@evil", "://", "\\u0022", "1. ", "- ", "&amp;", "\\x22", "|||",
];

/// Values made of these parts in any combination, and any others.
fn values() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(&PIECES[..]), 1..8).prop_map(|pieces| pieces.concat());
    prop_oneof![4 => pieces, 1 => any::<String>(), 1 => "[ -~]{0,24}"]
}

#[test]
fn no_value_changes_what_stands_around_its_hole() {
    let templates = KINDS.map(|kind| (EscapedTemplate::parse(kind.text, kind.syntax).unwrap(), kind));
    let mut runner = TestRunner::new(Config { cases: 10_000, ..Config::default() });
    let mut filled_in = [0_usize; KINDS.len()];
    let counts = std::cell::RefCell::new(&mut filled_in);
    let outcome = runner.run(&values(), |value| {
        let data = json!({ "v": value });
        for (index, (template, kind)) in templates.iter().enumerate() {
            let Ok(filled) = template.fill(&data) else { continue };
            counts.borrow_mut()[index] += 1;
            if !(kind.is_intact)(&filled.text, &value) {
                let message = format!("{} {}: {:?} became {:?}", kind.syntax, kind.text, value, filled.text);
                return Err(TestCaseError::fail(message));
            }
            let bound = if kind.syntax == Syntax::Sql { vec![json!(value)] } else { Vec::<Value>::new() };
            prop_assert_eq!(filled.parameters, bound);
        }
        Ok(())
    });
    outcome.unwrap();
    // A value may be refused, but not all are.
    for (count, kind) in filled_in.iter().zip(&KINDS) {
        assert!(*count > 5_000, "{}: only {count} values were filled in", kind.text);
    }
}

/// The control: where values are put in as they are, each of the readers sees a change.
#[test]
fn without_escaping_every_reader_sees_a_change() {
    let mut runner = TestRunner::deterministic();
    let values: Vec<String> = (0..300).map(|_| values().new_tree(&mut runner).unwrap().current()).collect();
    for kind in &KINDS {
        let broken = values.iter().filter(|value| !(kind.is_intact)(&kind.text.replace("{{ v }}", value), value));
        assert!(broken.count() > 10, "{} {} is never broken", kind.syntax, kind.text);
    }
}

/// The engine itself reads the pattern as the reader does.
#[test]
fn a_pattern_fits_its_value_and_nothing_else() {
    let template = EscapedTemplate::parse("^{{ v }}$", Syntax::Regex).unwrap();
    let mut runner = TestRunner::deterministic();
    for _ in 0..200 {
        let value = values().new_tree(&mut runner).unwrap().current();
        let Ok(filled) = template.fill(&json!({ "v": value })) else { continue };
        let regex = Regex::new(&filled.text).unwrap();
        assert!(regex.is_match(&value), "{value:?} {}", filled.text);
        assert!(!regex.is_match(&format!("{value}x")) && !regex.is_match(&format!("x{value}")), "{value:?}");
        assert_eq!(regex.captures_len(), 1, "{value:?}");
    }
}

#[test]
fn outside_of_quotes_only_numbers_and_durations_are_written() {
    let template = EscapedTemplate::parse("rate(up[{{ v }}]) > {{ v }}", Syntax::Promql).unwrap();
    let mut runner = TestRunner::deterministic();
    for _ in 0..2_000 {
        let value = values().new_tree(&mut runner).unwrap().current();
        if let Ok(filled) = template.fill(&json!({ "v": value })) {
            let rest = value.trim_start_matches(|sign: char| sign.is_ascii_digit() || "mshdwy".contains(sign));
            assert_eq!(rest, "", "{}", filled.text);
        }
    }
    assert!(template.fill(&json!({"v": "5m"})).is_ok());
}
