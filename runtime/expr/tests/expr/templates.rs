//! Texts with holes for people, values, and trees.

use provost_expr::{FillError, Scope, Syntax, Template, TemplateTree, Type, refuse_holes};
use serde_json::{Value, json};

fn data() -> Value {
    json!({"fields": {"service": "checkout", "count": 7, "share": 0.25, "on": true, "none": null, "tags": ["a", 1.0], "o": {"k": "v"}}})
}

#[track_caller]
fn check(text: &str, expect: &str) {
    assert_eq!(Template::parse(text).unwrap().render(&data()), expect, "{text}");
}

#[test]
fn holes_read_values() {
    check("{{ fields.service }}: {{fields.count}} of {{ fields.share }}", "checkout: 7 of 0.25");
    check("{{ fields.count / 2 }} {{ fields.count * 2 }} {{ fields.on }}", "3.5 14 true");
    check("no hole, } and { and }}", "no hole, } and { and }}");
    check("{{ fields.tags }} {{ fields.o }}", "[\"a\",1.0] {\"k\":\"v\"}");
    check("{{ fields.gone }}-{{ fields.none }}-{{ 0 / 0 }}", "unknown-unknown-unknown");
    check("{{ \"{{ x }}\" }}", "{{ x }}");
    check("{{ {\"a\": {\"b\": 1}}.a.b }}", "1");
    check("{{ {\"a\": {\"b\": 1}} }}", "{\"a\":{\"b\":1}}");
    check("", "");
}

#[test]
fn a_value_that_looks_like_a_hole_is_a_value() {
    let template = Template::parse("{{ a }}").unwrap();
    assert_eq!(template.render(&json!({"a": "{{ b }}", "b": "secret"})), "{{ b }}");
}

#[test]
fn alone_a_hole_keeps_its_type() {
    let value = |text: &str| Template::parse(text).unwrap().value(&data());
    assert_eq!(value("{{ fields.count }}"), Ok(json!(7)));
    assert_eq!(value(" {{ fields.tags }} "), Ok(json!(["a", 1.0])));
    assert_eq!(value("{{ fields.on }}"), Ok(json!(true)));
    assert_eq!(value("{{ fields.count }}{{ fields.count }}"), Ok(json!("77")));
    assert_eq!(value("n: {{ fields.count }}"), Ok(json!("n: 7")));
    assert_eq!(value("{{ fields.gone }} there"), Ok(json!("unknown there")));
    assert!(value("{{ fields.gone }}").is_err());
    assert_eq!(value("text"), Ok(json!("text")));
}

#[test]
fn a_hole_where_none_is_read_is_refused() {
    assert_eq!(refuse_holes("a } b {"), Ok(()));
    let error = refuse_holes("ab {{ c }}").unwrap_err();
    assert_eq!((error.column, error.message.as_str()), (4, "no `{{ … }}` is read here"));
}

#[test]
fn what_a_template_reads_is_listed() {
    let template = Template::parse("{{ fields.place }}/{{ args.name + case.id }}").unwrap();
    let reads: Vec<String> = template.reads().iter().map(ToString::to_string).collect();
    assert_eq!(reads, ["fields.place", "args.name", "case.id"]);
    assert!(template.has_holes() && !Template::parse("x").unwrap().has_holes());
    let wire = serde_json::to_value(&template).unwrap();
    assert_eq!(serde_json::from_value::<Template>(wire).unwrap(), template);
}

#[test]
fn types_are_checked_with_places_in_the_whole_text() {
    let scope = Scope::default().with("fields", Type::object([("a", Type::Number)]));
    assert_eq!(
        Template::parse("x {{ fields.a }} {{ fields.a > 1 }}").unwrap().check(&scope),
        Ok(vec![Type::Number, Type::Bool])
    );
    let errors = Template::parse("x {{ fields.b }}\n {{ filds.a }}").unwrap().check(&scope).unwrap_err();
    let places: Vec<_> = errors.iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(1, 13), (2, 5)]);
}

#[test]
fn a_tree_is_filled_text_by_text() {
    let syntax = |pointer: &str| (pointer == "/query").then_some(Syntax::Promql);
    let tree = json!({
        "query": "up{service=\"{{ fields.service }}\"}", "limit": "{{ fields.count }}", "plain": "{{ x", "n": 3,
        "list": ["{{ fields.on }}", {"deep": "a {{ fields.service }}"}],
    });
    let errors = TemplateTree::parse(&tree, &syntax).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["/plain"]);
    let mut tree = tree;
    tree["plain"] = json!("x }}");
    let tree = TemplateTree::parse(&tree, &syntax).unwrap();
    assert_eq!(
        tree.fill(&data()),
        Ok(
            json!({"query": "up{service=\"checkout\"}", "limit": 7, "plain": "x }}", "n": 3, "list": [true, {"deep": "a checkout"}]})
        )
    );
    let hostile = json!({"fields": {"service": "a\"} or up{x=\"", "count": 1, "on": false}});
    assert_eq!(tree.fill(&hostile).unwrap()["query"], json!("up{service=\"a\\\"} or up{x=\\\"\"}"));
    assert_eq!(
        tree.templates().iter().map(|(pointer, _)| pointer.as_str()).collect::<Vec<_>>(),
        ["/limit", "/list/0", "/list/1/deep", "/query"]
    );
    let scope = Scope::default().with("fields", Type::object([("service", Type::Text), ("on", Type::Bool)]));
    let errors = tree.check(&scope).unwrap_err();
    assert_eq!(errors.iter().map(|error| error.pointer.as_str()).collect::<Vec<_>>(), ["/limit"]);
    let scope =
        scope.with("fields", Type::object([("service", Type::Text), ("on", Type::Bool), ("count", Type::Number)]));
    assert_eq!(tree.check(&scope), Ok(()));
    assert_eq!(tree.type_at("/limit", &scope), Some(Type::Number));
    assert_eq!(tree.type_at("/query", &scope), None);
}

#[test]
fn what_was_not_given_leaves_its_key_out_only_where_that_is_asked_for() {
    let tree = json!({"to": "{{ args.to }}", "list": ["{{ args.to }}"], "a": 1});
    let tree = TemplateTree::parse(&tree, &|_| None).unwrap();
    assert!(matches!(tree.fill(&json!({"args": {}})), Err(FillError::CannotTell { .. })));
    assert!(tree.fill_known(&json!({"args": {}})).is_err(), "the place of an item counts");
    let tree = TemplateTree::parse(&json!({"to": "{{ args.to }}", "a": {"b": "{{ args.to }}"}}), &|_| None).unwrap();
    assert_eq!(tree.fill_known(&json!({"args": {}})), Ok(json!({"a": {}})));
    assert_eq!(tree.fill_known(&json!({"args": {"to": 1}})), Ok(json!({"to": 1, "a": {"b": 1}})));
}
