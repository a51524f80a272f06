//! Where a hole may land in each language, and how its value is written there.

use provost_expr::{EscapedTemplate, FillError, Scope, Syntax, Type};
use serde_json::{Value, json};

fn fill(syntax: Syntax, text: &str, value: &Value) -> Result<String, FillError> {
    EscapedTemplate::parse(text, syntax).unwrap().fill(&json!({ "v": value })).map(|filled| filled.text)
}

#[track_caller]
fn fills(syntax: Syntax, text: &str, value: impl Into<Value>, expect: &str) {
    assert_eq!(fill(syntax, text, &value.into()).as_deref(), Ok(expect), "{text}");
}

#[track_caller]
fn unfit(syntax: Syntax, text: &str, value: impl Into<Value>, why: &str) {
    let error = fill(syntax, text, &value.into()).unwrap_err();
    assert!(matches!(error, FillError::Unfit { .. }) && error.to_string().contains(why), "{text}: {error}");
}

#[track_caller]
fn refused(syntax: Syntax, text: &str, why: &str) {
    let error = EscapedTemplate::parse(text, syntax).unwrap_err();
    assert!(error.message.contains(why), "{text}: {error}");
}

#[test]
fn promql() {
    let own = |text, value: Value, expect| fills(Syntax::Promql, text, value, expect);
    own("up{a=\"{{ v }}\"}", json!("x\"y\\z"), "up{a=\"x\\\"y\\\\z\"}");
    own("up{a='{{ v }}'}", json!("x\"y'z"), "up{a='x\"y\\'z'}");
    own("up{a!=\"x-{{ v }}-y\"}", json!(7), "up{a!=\"x-7-y\"}");
    own("up{a=~\"{{ v }}\"}", json!("a.*\"|b"), "up{a=~\"a\\\\.\\\\*\\\"\\\\|b\"}");
    own("up{a=~\"({{ v }})+\"}", json!("a.b"), "up{a=~\"(a\\\\.b)+\"}");
    own("up{a=~\"{{ v }}+\"}", json!("a.b"), "up{a=~\"(?:a\\\\.b)+\"}");
    own("up{a !~ \"x\\\\.{{ v }}\"}", json!("b"), "up{a !~ \"x\\\\.b\"}");
    own("rate(up[{{ v }}]) > 1", json!("5m"), "rate(up[5m]) > 1");
    own("up > {{ v }}", json!(0.02), "up > 0.02");
    own("up > {{ v }}", json!(-1), "up > (-1)");
    own("{\"a.b\"=\"{{ v }}\"}", json!("c"), "{\"a.b\"=\"c\"}");
    for broken in ["a\nb", "a\rb", "a\u{0}b", "a\u{2028}b"] {
        unfit(Syntax::Promql, "up{a=\"{{ v }}\"}", broken, "line break");
    }
    unfit(Syntax::Promql, "up{a=\"{{ v }}\"}", "", "empty");
    unfit(Syntax::Promql, "up > {{ v }}", "1 or up", "number or a duration");
    unfit(Syntax::Promql, "up[{{ v }}]", "5", "number or a duration");
    unfit(Syntax::Promql, "up[{{ v }}]", "m5", "number or a duration");
    unfit(Syntax::Promql, "up{a=\"{{ v }}\"}", json!(["x"]), "list or an object");
    unfit(Syntax::Promql, "up{a=\"{{ v }}\"}", "x".repeat(9000), "longer");
    for (text, why) in [
        ("up{a=`{{ v }}`}", "backticks"),
        ("up # {{ v }}", "comment"),
        ("up{a=\"\\{{ v }}\"}", "backslash"),
        ("label_replace(up, \"a\", \"{{ v }}\", \"b\", \".*\")", "value of a label"),
        ("up == \"{{ v }}\"", "value of a label"),
        ("up{a==\"{{ v }}\"}", "value of a label"),
        ("rate_{{ v }}", "touches a word"),
        ("{{ v }}_total", "touches a word"),
        ("up > 1{{ v }}", "touches a word"),
        ("up > {{ v }}{{ v }}", "touches a word"),
        ("up{a=~\"[{{ v }}]\"}", "character class"),
        ("up{a=~\"a{{ {{ v }} }}\"}", "a value is missing"),
        ("up{a=~\"(?{{ v }})\"}", "head of a group"),
        ("up{a=\"{{ v }}\"", "not closed"),
        ("up{a=\"{{ v }}}", "not closed"),
    ] {
        let read = EscapedTemplate::parse(text, Syntax::Promql).unwrap_err();
        assert!(read.message.contains(why) || why == "a value is missing", "{text}: {read}");
    }
}

#[test]
fn logql() {
    let own = |text, value: Value, expect| fills(Syntax::Logql, text, value, expect);
    own("{app=\"{{ v }}\"} |= \"a\"", json!("x\"}"), "{app=\"x\\\"}\"} |= \"a\"");
    own("{app=\"a\"} |= \"{{ v }}\" != \"{{ v }}\"", json!("x\"y"), "{app=\"a\"} |= \"x\\\"y\" != \"x\\\"y\"");
    own("{app=\"a\"} |~ \"{{ v }}\" !~ \"{{ v }}\"", json!(".*"), "{app=\"a\"} |~ \"\\\\.\\\\*\" !~ \"\\\\.\\\\*\"");
    own("rate({app=\"a\"}[{{ v }}])", json!("1h30m"), "rate({app=\"a\"}[1h30m])");
    refused(Syntax::Logql, "{app=\"a\"} | json x=\"{{ v }}\"", "line filter");
    refused(Syntax::Logql, "{app=\"a\"} | line_format \"{{ v }}\"", "line filter");
    refused(Syntax::Logql, "{app=\"a\"} |= `{{ v }}`", "backticks");
    refused(Syntax::Promql, "{app=\"a\"} |= \"{{ v }}\"", "value of a label");
}

#[test]
fn url() {
    let own = |text, value: Value, expect| fills(Syntax::Url, text, value, expect);
    own(
        "https://h/a/{{ v }}/b?c={{ v }}&d=1",
        json!("x/é?&=# +%"),
        "https://h/a/x%2F%C3%A9%3F%26%3D%23%20%2B%25/b?c=x%2F%C3%A9%3F%26%3D%23%20%2B%25&d=1",
    );
    own("/services/{{ v }}/restart", json!("a-b_c.d~1"), "/services/a-b_c.d~1/restart");
    own("/n/{{ v }}", json!(7), "/n/7");
    own("/a/x{{ v }}", json!(".."), "/a/x..");
    own("/a?b={{ v }}", json!(".."), "/a?b=..");
    own("/a?b={{ v }}", json!(""), "/a?b=");
    for (text, value) in [
        ("/a/{{ v }}/b", ".."),
        ("/a/{{ v }}", "."),
        ("/a/{{ v }}/b", ""),
        ("/a/.{{ v }}?c", "."),
        ("/a/%2e{{ v }}", "."),
        ("http://h/{{ v }}", ".."),
    ] {
        unfit(Syntax::Url, text, value, "leads elsewhere");
    }
    for (text, why) in [
        ("{{ v }}/a", "server's part"),
        ("https://{{ v }}/a", "server's part"),
        ("https://h:{{ v }}/a", "server's part"),
        ("//{{ v }}/a", "server's part"),
        ("a/{{ v }}", "server's part"),
        ("/a?{{ v }}=1", "name"),
        ("/a?b=1&{{ v }}", "name"),
        ("/a#{{ v }}", "behind `#`"),
        ("/a/%{{ v }}", "escape"),
        ("/a/%4{{ v }}", "escape"),
    ] {
        refused(Syntax::Url, text, why);
    }
}

#[test]
fn sql() {
    let text = "select * from t where a = {{ v }} and b in ({{ w }}, 'it''s') -- end\n";
    let filled =
        EscapedTemplate::parse(text, Syntax::Sql).unwrap().fill(&json!({"v": "x'; drop table t", "w": 7})).unwrap();
    assert_eq!(filled.text, "select * from t where a = $1 and b in ($2, 'it''s') -- end\n");
    assert_eq!(filled.parameters, [json!("x'; drop table t"), json!(7)]);
    for (text, why) in [
        ("select '{{ v }}'", "quotes"),
        ("select \"{{ v }}\"", "quotes"),
        ("select 1 -- {{ v }}", "comment"),
        ("select /* {{ v }} */ 1", "comment"),
        ("select $1, {{ v }}", "`$`"),
        ("select $$ {{ v }} $$", "`$`"),
        ("select t{{ v }}", "touches a word"),
        ("select {{ v }}.a", "touches a word"),
        ("select 'a", "not closed"),
    ] {
        refused(Syntax::Sql, text, why);
    }
}

#[test]
fn regex() {
    let own = |text, value: Value, expect| fills(Syntax::Regex, text, value, expect);
    own("^{{ v }}$", json!("a.b*"), "^a\\.b\\*$");
    own("{{ v }}+", json!("ab"), "(?:ab)+");
    own("(?:{{ v }}|x)", json!("a"), "(?:a|x)");
    own("\\[{{ v }}", json!("a"), "\\[a");
    unfit(Syntax::Regex, "a|{{ v }}", "", "empty");
    for (text, why) in [
        ("[{{ v }}]", "character class"),
        ("[^a\\]{{ v }}]", "character class"),
        ("a{2,{{ v }}}", "repetition"),
        ("(?{{ v }})", "head of a group"),
        ("(?P<{{ v }}>a)", "head of a group"),
        ("\\{{ v }}", "backslash"),
        ("\\Q{{ v }}\\E", "\\Q"),
        ("(?x) {{ v }}", "flag `x`"),
        ("(?ix:{{ v }})", "flag `x`"),
    ] {
        refused(Syntax::Regex, text, why);
    }
    assert!(EscapedTemplate::parse("(?i){{ v }}(?P<x>{{ v }})", Syntax::Regex).is_ok());
}

#[test]
fn json_documents() {
    let own = |text, value: Value, expect| fills(Syntax::Json, text, value, expect);
    own("{\"a\": {{ v }}}", json!({"b": [1]}), "{\"a\": {\"b\":[1]}}");
    own("{\"a\": \"x {{ v }}\"}", json!("\"}\n\\"), "{\"a\": \"x \\\"}\\n\\\\\"}");
    own("{\"a\": {{ v }}}", json!("\","), "{\"a\": \"\\\",\"}");
    for (text, why) in [
        ("{\"{{ v }}\": 1}", "key"),
        ("{{{ v }}: 1}", "not JSON"),
        ("[1{{ v }}]", "not JSON"),
        ("[{{ v }}{{ v }}]", "not JSON"),
        ("[\"\\{{ v }}\"]", "not JSON"),
        ("[{{ v }}", "not JSON"),
    ] {
        let error = EscapedTemplate::parse(text, Syntax::Json).unwrap_err();
        assert!(error.message.contains(why) || text.starts_with("{{{"), "{text}: {error}");
    }
}

#[test]
fn arguments_of_commands() {
    let own = |text, value: Value, expect| fills(Syntax::Argv, text, value, expect);
    own("{{ v }}", json!("a b; $(rm)"), "a b; $(rm)");
    own("--name={{ v }}", json!("-x"), "--name=-x");
    own("{{ v }}", json!(""), "");
    unfit(Syntax::Argv, "{{ v }}", "-rf", "option");
    unfit(Syntax::Argv, "{{ v }}", "--help", "option");
    unfit(Syntax::Argv, "{{ v }}", -1, "option");
    unfit(Syntax::Argv, "{{ v }}-rf", "", "option");
    unfit(Syntax::Argv, "{{ v }}", "a\u{0}b", "NUL");
}

#[test]
fn texts_for_people() {
    fills(Syntax::Plain, "a {{ v }}", "*x*", "a *x*");
    fills(Syntax::Plain, "a {{ gone }}", 1, "a unknown");
    fills(Syntax::Markdown, "**{{ v }}**", "[a](b)\n# c", "**\\[a\\]\\(b\\) \\# c**");
    fills(Syntax::Markdown, "{{ gone }}", 1, "unknown");
}

#[test]
fn what_cannot_be_told_is_never_written() {
    for (syntax, text) in [
        (Syntax::Promql, "up{a=\"{{ gone }}\"}"),
        (Syntax::Logql, "{a=\"{{ gone }}\"}"),
        (Syntax::Url, "/a/{{ gone }}"),
        (Syntax::Sql, "select {{ gone }}"),
        (Syntax::Regex, "{{ gone }}"),
        (Syntax::Json, "[{{ gone }}]"),
        (Syntax::Argv, "{{ gone }}"),
    ] {
        let error = fill(syntax, text, &Value::Null).unwrap_err();
        assert!(matches!(error, FillError::CannotTell { .. }), "{text}: {error}");
    }
}

#[test]
fn types_that_never_fit_are_found_at_load() {
    let scope = Scope::default().with("list", Type::Text.list()).with("on", Type::Bool).with("n", Type::Number);
    let check = |syntax, text: &str| {
        EscapedTemplate::parse(text, syntax).unwrap().check(&scope).map_err(|errors| errors[0].column)
    };
    assert_eq!(check(Syntax::Promql, "up{a=\"{{ list }}\"}"), Err(7));
    assert_eq!(check(Syntax::Promql, "up > {{ on }}"), Err(6));
    assert_eq!(check(Syntax::Promql, "up > {{ n }}"), Ok(()));
    assert_eq!(check(Syntax::Sql, "select {{ list }}"), Ok(()));
    assert_eq!(check(Syntax::Argv, "{{ list }}"), Err(1));
    assert_eq!(check(Syntax::Json, "[\"{{ list }}\"]"), Err(3));
    assert_eq!(check(Syntax::Json, "[{{ gone }}]"), Err(5));
}

#[test]
fn languages_have_names() {
    for name in Syntax::names() {
        let syntax = Syntax::named(name).unwrap();
        assert_eq!((syntax.to_string().as_str(), serde_json::to_value(syntax).unwrap()), (name, json!(name)));
    }
    assert_eq!(Syntax::named("xml"), None);
}
