use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::decode::decoded;
use crate::model::ToolOffer;
use crate::schema::ArgSchema;

fn offer(schema: Value) -> ToolOffer {
    ToolOffer { name: "a__b".to_owned(), description: String::new(), schema: schema.into() }
}

#[track_caller]
fn check(canonical: &Value, expect: &Value) {
    let written = schema(canonical);
    assert_eq!(written, *expect, "{canonical}");
    assert_eq!(refusals(&[offer(written)]), []);
}

#[track_caller]
fn check_property(canonical: &Value, expect: &Value) {
    let whole = json!({"type": "object", "properties": {"a": canonical}, "$defs": {"n": {"type": "integer"}}});
    check(&whole, &json!({"type": "object", "properties": {"a": expect}}));
}

#[test]
fn a_schema_is_written_in_the_one_form() {
    check(
        &json!({"$schema": "x", "title": "T", "type": "object", "additionalProperties": false, "required": ["a", "b"],
            "minProperties": 1, "properties": {"a": {"type": ["string", "null"]}, "b": {"type": "string"}}}),
        &json!({"type": "object", "additionalProperties": false, "required": ["b"], "description": "At least 1 keys.",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}}}),
    );
    let nothing = schema(&json!({"type": "object"}));
    check(&json!({}), &nothing);
    check(&json!({"type": "object", "properties": {}, "additionalProperties": false}), &nothing);
    check(
        &json!({"anyOf": [{"properties": {"a": {"type": "string"}}}, {"properties": {"b": {"type": "integer"}}}]}),
        &json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "integer"}}}),
    );
}

#[test]
fn every_property_has_one_type_that_all_know() {
    let text = |words: &str| json!({"type": "string", "description": words});
    check_property(
        &json!({"type": "number", "minimum": 0, "maximum": 1}),
        &json!({"type": "number", "description": "From 0 to 1."}),
    );
    check_property(
        &json!({"type": "string", "maxLength": 5, "pattern": "^a", "format": "uri", "description": "D.", "x-roster": "r"}),
        &text("D. At most 5 characters. Matches the pattern `^a`. In the format `uri`."),
    );
    check_property(
        &json!({"type": "integer", "default": 60}),
        &json!({"type": "integer", "description": "If left out: 60."}),
    );
    check_property(&json!({"enum": ["low", "high"]}), &json!({"type": "string", "enum": ["low", "high"]}));
    check_property(&json!({"const": "low"}), &json!({"type": "string", "enum": ["low"]}));
    check_property(&json!({"enum": [1, 2]}), &json!({"type": "integer", "description": "One of: 1, 2."}));
    check_property(&json!({"enum": ["a", "", null]}), &json!({"type": "string", "enum": ["a"]}));
    check_property(
        &json!({"oneOf": [{"const": "a", "description": "A."}, {"const": "b"}], "description": "D."}),
        &json!({"type": "string", "enum": ["a", "b"], "description": "D."}),
    );
    check_property(&json!({"$ref": "#/$defs/n"}), &json!({"type": "integer"}));
    check_property(&json!({"anyOf": [{"$ref": "#/$defs/n"}, {"type": "null"}]}), &json!({"type": "integer"}));
    check_property(
        &json!({"anyOf": [{"type": "string"}, {"type": "integer"}], "description": "D."}),
        &json!({"anyOf": [{"type": "string", "description": "D."}, {"type": "integer"}]}),
    );
    check_property(
        &json!({"type": "array"}),
        &json!({"type": "array", "items": text("Any value; an object or a list as JSON text.")}),
    );
    check_property(
        &json!({"type": "array", "items": {"type": "string"}}),
        &json!({"type": "array", "items": {"type": "string"}}),
    );
    check_property(&json!({"type": "object"}), &text("A JSON object, as JSON text."));
    check_property(
        &json!({"type": "object", "additionalProperties": {"type": "string"}}),
        &text("A JSON object, as JSON text. Its values: string."),
    );
    check_property(&json!({}), &text("Any value; an object or a list as JSON text."));
    check_property(&json!(true), &text("Any value; an object or a list as JSON text."));
    check_property(
        &json!({"allOf": [{"type": "object", "properties": {"x": {"type": "string"}}}, {"required": ["x"]}]}),
        &json!({"type": "object", "properties": {"x": {"type": "string"}}, "required": ["x"]}),
    );
}

#[test]
fn a_schema_without_end_ends() {
    let tree = json!({"type": "object", "properties": {"next": {"$ref": "#"}, "n": {"type": "integer"}}});
    assert_eq!(refusals(&[offer(schema(&tree))]), []);
    assert_eq!(refusals(&[offer(schema(&json!({"$ref": "#"})))]), []);
}

#[test]
fn what_servers_refuse_is_found() {
    let property = |schema: Value| json!({"type": "object", "properties": {"a": schema}});
    for (schema, server, part) in [
        (json!({"type": "object"}), "OpenAI", "needs `properties`"),
        (property(json!({"type": "array"})), "OpenAI", "needs `items`"),
        (property(json!({"type": ["string", "null"]})), "Gemini", "one word"),
        (property(json!({"type": "string", "x-roster": "r"})), "Gemini", "`x-roster`"),
        (property(json!({"type": "string", "maxLength": 1})), "Gemini", "`maxLength`"),
        (property(json!({"$ref": "#"})), "Gemini", "`$ref`"),
        (property(json!({"type": "object", "properties": {}})), "OpenAI", "needs `properties`"),
        (property(json!({"anyOf": [{"type": "string"}], "description": "d"})), "Gemini", "stand alone"),
        (property(json!({"type": "string", "enum": [""]})), "Gemini", "not empty"),
        (json!({"type": "object", "properties": {"a b": {"type": "string"}}}), "Anthropic", "other letters"),
        (json!({"$schema": "x", "type": "object", "properties": {"a": {"type": "string"}}}), "Gemini", "`$schema`"),
        (json!({"anyOf": []}), "Anthropic", "top level"),
    ] {
        let found = refusals(&[offer(schema.clone())]);
        assert!(found.iter().any(|one| one.server == server && one.to_string().contains(part)), "{schema}: {found:?}");
    }
    let fine = schema(&json!({}));
    for (name, part) in
        [("a:b", "letters, digits"), ("", "letters, digits"), ("1a", "begins with"), (&*"a".repeat(65), "1 to 64")]
    {
        let found = refusals(&[ToolOffer { name: name.to_owned(), ..offer(fine.clone()) }]);
        assert!(found.iter().any(|one| one.rule.contains(part)), "{name}: {found:?}");
    }
    let many: Vec<ToolOffer> = (0..129).map(|n| ToolOffer { name: format!("t{n}"), ..offer(fine.clone()) }).collect();
    assert_eq!((refusals(&many).len(), refusals(&many[..128]).len()), (1, 0));
    assert!(refusals(&[offer(fine.clone()), offer(fine)])[0].rule.contains("two tools"));
}

#[test]
fn odd_names_come_back_and_what_was_left_out() {
    let odd = "größe (m²)";
    let canonical = json!({"type": "object", "additionalProperties": false, "required": [odd, "n"], "properties": {
        odd: {"type": "integer"}, "n": {"type": ["integer", "null"]}, "where": {"type": "object", "properties": {"a/b": {"type": "string"}}}}});
    let written = schema(&canonical);
    assert_eq!(refusals(&[offer(written.clone())]), []);
    assert!(written["properties"].get(wire_key(odd)).is_some());
    let args = json!({wire_key(odd): 3, "where": {wire_key("a/b"): "x"}});
    let read = Value::Object(decoded(&canonical, args.as_object().unwrap()));
    assert_eq!(read, json!({odd: 3, "n": null, "where": {"a/b": "x"}}));
    assert!(ArgSchema::new(canonical).unwrap().problems(&read).is_empty());

    let closed = json!({"type": "object", "additionalProperties": false});
    let args = json!({NO_ARGUMENTS: true});
    assert_eq!(decoded(&closed, args.as_object().unwrap()), serde_json::Map::new());
}

/// Any schema a tool may bring.
fn schemas() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(json!({})),
        Just(json!(true)),
        Just(json!({"type": "string", "minLength": 1, "format": "date"})),
        Just(json!({"type": ["integer", "null"], "minimum": 0})),
        Just(json!({"type": ["string", "number"]})),
        Just(json!({"enum": ["a", "b"]})),
        Just(json!({"enum": [1, "b", null]})),
        Just(json!({"const": 5})),
        Just(json!({"type": "array"})),
        Just(json!({"type": "object"})),
        Just(json!({"$ref": "#"})),
        Just(json!({"$ref": "#/$defs/none"})),
        Just(json!({"type": "null"})),
        Just(json!({"not": {"type": "string"}})),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            inner.clone().prop_map(|items| json!({"type": "array", "items": items, "maxItems": 3})),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|all| json!({"anyOf": all, "description": "d"})),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(|all| json!({"oneOf": all})),
            proptest::collection::vec(inner.clone(), 1..3).prop_map(|all| json!({"allOf": all})),
            inner.clone().prop_map(|more| json!({"type": "object", "additionalProperties": more})),
            proptest::collection::btree_map("[a-zé ]{0,4}", inner, 0..4).prop_map(|properties| {
                let required: Vec<&String> = properties.keys().take(1).collect();
                json!({"type": "object", "required": required, "additionalProperties": false, "properties": properties})
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_server_refuses_the_form_of_any_schema(canonical in schemas()) {
        let written = schema(&canonical);
        prop_assert_eq!(refusals(&[offer(written.clone())]), vec![], "{}", canonical);
        prop_assert_eq!(schema(&canonical), written);
    }

    #[test]
    fn the_strict_form_is_closed_everywhere(canonical in schemas()) {
        let mut nodes = vec![strict(&schema(&canonical))];
        while let Some(node) = nodes.pop() {
            if let Some(properties) = node.get("properties").and_then(Value::as_object) {
                prop_assert_eq!(&node["additionalProperties"], false);
                let names: Vec<&String> = properties.keys().collect();
                prop_assert_eq!(&node["required"], &json!(names));
                nodes.extend(properties.values().cloned());
            }
            nodes.extend(node.get("items").cloned());
            nodes.extend(node.get("anyOf").and_then(Value::as_array).into_iter().flatten().cloned());
        }
    }

    #[test]
    fn keys_stay_apart(one in "\\PC{0,70}", two in "\\PC{0,70}") {
        prop_assume!(one != two);
        prop_assert_ne!(wire_key(&one), wire_key(&two));
    }
}

#[test]
fn names_of_tools_have_letters_that_all_take() {
    let wire = |name: &str| crate::ids::ToolName::new(name).wire();
    assert_eq!(wire("metrics:scrape"), "metrics__scrape");
    assert_eq!(wire("files.v2:read.all"), "files_v2__read_all");
    assert_eq!(wire("3d:view"), "_3d__view");
    let long = format!("server:{}", "a".repeat(80));
    assert_eq!(wire(&long).len(), 64);
    assert_ne!(wire(&long), wire(&format!("{long}b")));
}

#[test]
fn what_may_be_absent_is_null_in_the_strict_form_and_absent_again_when_it_is_read() {
    let canonical = json!({"type": "object", "required": ["a"], "additionalProperties": false, "properties": {
        "a": {"type": "string"},
        "b": {"type": "integer"},
        "c": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    }});
    let written = strict(&schema(&canonical));
    assert_eq!(written["required"], json!(["a", "b", "c"]));
    assert_eq!(written["properties"]["b"], json!({"anyOf": [{"type": "integer"}, {"type": "null"}]}));
    assert_eq!(written["properties"]["c"]["anyOf"].as_array().unwrap().last(), Some(&json!({"type": "null"})));
    let answered = json!({"a": "x", "b": null, "c": null});
    let read = decoded(&canonical, answered.as_object().unwrap());
    assert_eq!(Value::Object(read), json!({"a": "x"}));
}
