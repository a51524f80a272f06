//! An entry under `tools` of a server of the kind `http`.

use provost_domain::schema::ArgSchema;
use provost_expr::{Expression, Scope, Type};
use provost_form::{At, ErrorLog, FromYaml, YamlNode, table};
use reqwest::header::HeaderName;
use serde_json::{Map, Value, json};

use super::arguments;
use super::request::RestRequest;
use crate::error::ToolsError;
use crate::server::is_for_auth_or_client;
use crate::status::{StatusRules, StatusSet};

table! {
    /// The key `key`: where the call's key stands, under which a repetition is the same call.
    #[derive(Debug)]
    struct KeySection {
        header: At<String>,
    }
}

/// A tool as written.
#[derive(Debug)]
pub(super) struct RestEntry {
    pub(super) name: String,
    /// The schema of its arguments.
    pub(super) args: Value,
    pub(super) request: RestRequest,
    pub(super) key: Option<HeaderName>,
    pub(super) rules: StatusRules,
    /// What the model gets of an answer, by name; the whole answer where it is empty.
    pub(super) result: Vec<(String, Expression)>,
    /// The schema of its results.
    pub(super) output: Value,
    /// Whether it only reads.
    pub(super) reads_only: bool,
}

/// Longest name of a tool.
const NAME_MAX: usize = 64;

impl RestEntry {
    /// Its keys besides those of every tool.
    pub(super) const KEYS: &'static [&'static str] =
        &["args", "request", "key", "result", "refused", "ok", "output_schema"];

    /// Reads all entries. What every tool has is read elsewhere, and unknown keys are reported there.
    pub(super) fn read_all(node: &YamlNode, log: &mut ErrorLog) -> Vec<Self> {
        if node.is_table() && node.entries().next().is_none() {
            log.report(node.place, "no tool is written", "write `NAME: {about: …, request: {…}}`");
        }
        node.entries().filter_map(|(name, node)| Self::read(name, node, log)).collect()
    }

    fn read(name: &At<String>, node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if !node.is_table() {
            log.expected("a tool", node, "write {about: …, args: {…}, request: {…}}");
            return None;
        }
        let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "_-".contains(c));
        if !plain || name.is_empty() || name.len() > NAME_MAX {
            let hint = "write letters, digits, `_` and `-`, at most 64";
            log.report(name.place, format!("`{}` cannot be the name of a tool", name.value), hint);
        }
        if node.get("about").is_none() {
            let message = format!("the key `about` of `{}` is missing", name.value);
            log.report(node.place, message, "say in a sentence what the tool does: models read it");
        }
        let effect = node.get("effect").and_then(YamlNode::text).unwrap_or("unsafe");
        let reads_only = effect == "read";
        let key = node.get("key").and_then(|node| key(node, log));
        if effect == "idempotent" && node.get("key").is_none() {
            let hint =
                "write `key: {header: Idempotency-Key}` if the server knows repetitions by it, else remove `effect`";
            log.report(node.place, "a tool that may be repeated needs the key `key`", hint);
        }
        let nothing = || json!({"type": "object", "additionalProperties": false});
        let args = node.get("args").map_or_else(|| Some(nothing()), |node| arguments::read(node, log));
        let of_args = args.as_ref().map_or(Type::Any, |args| Type::of_schema(args, &|_| None));
        let scope = Scope::default().with("args", of_args.clone());
        let request = request(node, reads_only, &scope, log);
        let answered = scope.with("status", Type::Number).with("body", Type::Any);
        let result = node.get("result").map(|node| mapping(node, &answered, log)).unwrap_or_default();
        let output = output(node, &result, log);
        Some(Self {
            name: name.value.clone(),
            args: args?,
            request: request?,
            key,
            rules: rules(node, log)?,
            result,
            output: output?,
            reads_only,
        })
    }
}

fn request(node: &YamlNode, reads_only: bool, scope: &Scope, log: &mut ErrorLog) -> Option<RestRequest> {
    let Some(request) = node.get("request") else {
        log.report(node.place, "the key `request` is missing", "write `request: {method: POST, path: /…}`");
        return None;
    };
    RestRequest::read(request, reads_only, scope, log)
}

fn key(node: &YamlNode, log: &mut ErrorLog) -> Option<HeaderName> {
    let KeySection { header } = KeySection::read(node, log)?;
    if header.is_blank() {
        return None;
    }
    let parsed = HeaderName::from_bytes(header.as_bytes()).ok().filter(|name| !is_for_auth_or_client(name));
    if parsed.is_none() {
        log.report(header.place, "not the name of a header for a key", "write one such as `Idempotency-Key`");
    }
    parsed
}

/// The key `result`: an expression for each name.
fn mapping(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Vec<(String, Expression)> {
    if !node.is_table() {
        log.expected("a table of expressions", node, "write `NAME: body.PATH`");
    }
    let mut found = Vec::new();
    for (name, node) in node.entries() {
        let Some(text) = String::read(node, log) else { continue };
        let expression = Expression::parse(&text).map_err(|error| vec![error]);
        let checked = expression.and_then(|expression| expression.check(scope).map(|_| expression));
        match checked {
            Ok(expression) => found.push((name.value.clone(), expression)),
            Err(errors) => {
                for error in errors {
                    let message = format!("column {} of the text: {}", error.column, error.message);
                    log.report(
                        node.place,
                        message,
                        if error.hint.is_empty() { "write body.PATH" } else { &error.hint },
                    );
                }
            }
        }
    }
    found
}

/// The schema of the results: as written, else as far as it is known.
fn output(node: &YamlNode, result: &[(String, Expression)], log: &mut ErrorLog) -> Option<Value> {
    if let Some(written) = node.get("output_schema") {
        let schema = written.value();
        let problem = if written.is_table() {
            ArgSchema::new(schema.clone()).err().map(|error| error.to_string())
        } else {
            Some(format!("expected a JSON Schema, found {}", written.describe()))
        };
        return match problem {
            None => Some(schema),
            Some(message) => {
                log.report(written.place, message, "write {type: object, properties: {…}}");
                None
            }
        };
    }
    let mut properties: Map<String, Value> = result.iter().map(|(name, _)| (name.clone(), json!({}))).collect();
    if properties.is_empty() {
        properties.insert("status".to_owned(), json!({"type": "integer"}));
        properties.insert("body".to_owned(), json!({}));
    }
    let required: Vec<String> = properties.keys().cloned().collect();
    Some(json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required}))
}

fn rules(node: &YamlNode, log: &mut ErrorLog) -> Option<StatusRules> {
    let mut set = |key: &str| node.get(key).map(|node| StatusSet::read(node, log));
    let (ok, refused) = (set("ok"), set("refused"));
    let (ok, refused) =
        (ok.map_or(Some(None), |ok| ok.map(Some))?, refused.map_or(Some(None), |refused| refused.map(Some))?);
    match StatusRules::new("http", ok, refused) {
        Ok(rules) => Some(rules),
        Err(ToolsError::Statuses { status, .. }) => {
            let place = node.get("ok").or_else(|| node.get("refused")).map_or(node.place, |node| node.place);
            log.report(
                place,
                format!("{status} is both an answer and a refusal"),
                "take it out of `ok`, or of `refused`",
            );
            None
        }
        Err(other) => {
            log.report(node.place, other.to_string(), "correct `ok` and `refused`");
            None
        }
    }
}
