//! An entry under `tools` of a server of the kind `http`.

use provost_expr::{Scope, Type};
use provost_form::{At, ErrorLog, FromYaml, YamlNode, table};
use reqwest::header::HeaderName;
use serde_json::{Map, Value, json};

use super::probe::RestProbe;
use super::request::RestRequest;
use crate::arguments;
use crate::error::ToolsError;
use crate::mapping::ResultMap;
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
    /// What the model gets of an answer.
    pub(super) result: ResultMap,
    /// How the server is asked whether a call happened.
    pub(super) probe: Option<RestProbe>,
    /// Whether it only reads.
    pub(super) reads_only: bool,
}

impl RestEntry {
    /// Its keys besides those of every tool.
    pub(super) const KEYS: &'static [&'static str] =
        &["args", "request", "key", "result", "refused", "ok", "output_schema", "probe"];

    /// Reads an entry whose name was checked.
    pub(super) fn read(name: &str, node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
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
        let probe = node.get("probe").map(|node| RestProbe::read(node, &of_args, log));
        let scope = Scope::default().with("args", of_args.clone());
        let request = request(node, reads_only, &scope, log);
        let answered = scope.with("status", Type::Number).with("body", Type::Any);
        let as_it_comes =
            Map::from_iter([("status".to_owned(), json!({"type": "integer"})), ("body".to_owned(), json!({}))]);
        let result = ResultMap::read(node, &answered, as_it_comes, log);
        Some(Self {
            name: name.to_owned(),
            args: args?,
            request: request?,
            key,
            rules: rules(node, log)?,
            result: result?,
            probe: probe.map_or(Some(None), |probe| probe.map(Some))?,
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
