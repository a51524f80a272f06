//! The key `request`: an address, a body and headers, with holes for arguments.

use provost_expr::{EscapedTemplate, Scope, Syntax, Template, TemplateTree, Type};
use provost_form::{At, ErrorLog, FromYaml, NodeKind, Position, Table, YamlNode, nearest};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::holes::{absent, mistake};
use crate::server::{RemoteServer, is_for_auth_or_client};

/// The methods, in the order messages list them.
const METHODS: [&str; 5] = ["GET", "POST", "PUT", "PATCH", "DELETE"];
const KEYS: [&str; 5] = ["method", "path", "query", "headers", "json"];

/// A request with holes.
#[derive(Debug, Clone)]
pub(super) struct RestRequest {
    method: Method,
    path: EscapedTemplate,
    query: Vec<(String, Template)>,
    headers: Vec<(HeaderName, Template)>,
    json: Option<TemplateTree>,
}

/// Why a request cannot be written: nothing was sent.
pub(super) type RequestFault = String;

impl RestRequest {
    /// Reads a request whose holes read the names of the scope.
    pub(super) fn read(node: &YamlNode, reads_only: bool, scope: &Scope, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &KEYS, log)?;
        let method = method(node, &table, reads_only, log);
        let path: At<String> = table.required("path", log);
        let path = (!path.is_blank()).then(|| address(&path, scope, log)).flatten();
        let query = texts(table.get("query"), scope, log);
        let query = query.into_iter().map(|(name, template)| (name.value, template)).collect();
        let headers = texts(table.get("headers"), scope, log);
        let headers =
            headers.into_iter().filter_map(|(name, template)| Some((header(&name, log)?, template))).collect();
        let json = table.get("json").and_then(|node| body(node, scope, log));
        Some(Self { method: method?, path: path?, query, headers, json })
    }

    /// The request with the values of the data, to this server.
    pub(super) fn write(&self, server: &RemoteServer, data: &Value) -> Result<RequestBuilder, RequestFault> {
        let path = self.path.fill(data).map_err(|error| error.to_string())?.text;
        let mut url = server.under(&path).ok_or("the address cannot be written")?;
        for (name, template) in &self.query {
            if let Some(value) = text(template, data)? {
                url.query_pairs_mut().append_pair(name, &value);
            }
        }
        let mut headers = HeaderMap::new();
        for (name, template) in &self.headers {
            let Some(value) = text(template, data)? else { continue };
            let value = HeaderValue::from_str(&value);
            let value = value.map_err(|_odd| format!("the value of the header `{name}` cannot stand in one"))?;
            headers.insert(name.clone(), value);
        }
        let request = server.request(self.method.clone(), url).headers(headers);
        Ok(match &self.json {
            None => request,
            Some(json) => request.json(&json.fill_known(data).map_err(|error| error.to_string())?),
        })
    }

    /// Where it goes, without what is filled in.
    pub(super) fn shown(&self) -> String {
        format!("{} {}", self.method, self.path.template().text())
    }
}

fn method(node: &YamlNode, table: &Table<'_>, reads_only: bool, log: &mut ErrorLog) -> Option<Method> {
    let Some(written) = table.get("method") else {
        if reads_only {
            return Some(Method::GET);
        }
        let hint = "write `method: POST`, or `effect: read` beside the request if it only reads";
        log.report(node.place, "the key `method` is missing in a request that may change something", hint);
        return None;
    };
    let word = String::read(written, log)?;
    if !METHODS.contains(&word.as_str()) {
        log.report(written.place, "the method is not known", nearest(&word.to_uppercase(), METHODS));
        return None;
    }
    word.parse().ok()
}

/// A path, in which each hole is a segment or a part of one.
fn address(path: &At<String>, scope: &Scope, log: &mut ErrorLog) -> Option<EscapedTemplate> {
    if !path.starts_with('/') || path.starts_with("//") {
        log.report(
            path.place,
            "the path does not begin with one `/`",
            "write one such as `/services/{{ args.service }}`",
        );
        return None;
    }
    let template = match EscapedTemplate::parse(path, Syntax::Url) {
        Ok(template) => template,
        Err(error) => {
            mistake(path.place, &error, log);
            return None;
        }
    };
    if let Err(errors) = template.check(scope) {
        for error in &errors {
            mistake(path.place, error, log);
        }
        return None;
    }
    required(template.template(), scope, path.place, log).then_some(template)
}

/// Whether no hole of a text may be without a value; reports those that may.
fn required(template: &Template, scope: &Scope, place: Position, log: &mut ErrorLog) -> bool {
    if let Some(expression) = absent(template, scope) {
        let hint =
            "read one that is always there, or let the hole stand alone in a value of `query`, `headers` or `json`";
        log.report(place, format!("`{expression}` may be absent, and the text around it needs it"), hint);
        return false;
    }
    true
}

/// Texts with holes by name. A hole that stands alone may be absent; then the whole entry is.
fn texts(node: Option<&YamlNode>, scope: &Scope, log: &mut ErrorLog) -> Vec<(At<String>, Template)> {
    let Some(node) = node else { return Vec::new() };
    if !node.is_table() {
        log.expected("a table of texts", node, "write `NAME: TEXT`");
    }
    let mut found = Vec::new();
    for (name, node) in node.entries() {
        let text = match &node.kind {
            NodeKind::Scalar(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            NodeKind::Scalar(_) | NodeKind::Supplied(_) | NodeKind::List(_) | NodeKind::Table(_) => {
                String::read(node, log)
            }
        };
        let Some(text) = text else { continue };
        let template = match Template::parse(&text) {
            Ok(template) => template,
            Err(error) => {
                mistake(node.place, &error, log);
                continue;
            }
        };
        match template.check(scope) {
            Err(errors) => errors.iter().for_each(|error| mistake(node.place, error, log)),
            Ok(types) => {
                let large = |own: &Type| matches!(own.present(), Type::List(_) | Type::Object(_) | Type::Map(_));
                if types.iter().any(large) {
                    log.report(node.place, "a list or an object does not fit here", "take one text or number of it");
                } else if template.alone().is_some() || required(&template, scope, node.place, log) {
                    found.push((name.clone(), template));
                }
            }
        }
    }
    found
}

fn header(name: &At<String>, log: &mut ErrorLog) -> Option<HeaderName> {
    let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
        log.report(name.place, "not the name of a header", "write one such as `X-Request-Source`");
        return None;
    };
    if is_for_auth_or_client(&parsed) {
        let hint = "write secrets under `auth` of the server, by their place";
        log.report(name.place, format!("the header `{}` is not written here", name.value), hint);
        return None;
    }
    Some(parsed)
}

fn body(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Option<TemplateTree> {
    let tree = TemplateTree::parse(&node.value(), &|_| None);
    let tree = match tree.and_then(|tree| tree.check(scope).map(|()| tree)) {
        Ok(tree) => tree,
        Err(errors) => {
            for wrong in &errors {
                mistake(node.pointer(&wrong.pointer), &wrong.error, log);
            }
            return None;
        }
    };
    let mixed = tree.templates().into_iter().filter(|(_, template)| template.alone().is_none());
    let sound =
        mixed.fold(true, |sound, (pointer, template)| required(&template, scope, node.pointer(&pointer), log) && sound);
    sound.then_some(tree)
}

/// The text of a template; nothing where its only hole has no value.
fn text(template: &Template, data: &Value) -> Result<Option<String>, RequestFault> {
    if let Some(alone) = template.alone() {
        return Ok(match alone.value(data) {
            Err(_absent) => None,
            Ok(Value::String(text)) => Some(text),
            Ok(value @ (Value::Number(_) | Value::Bool(_))) => Some(value.to_string()),
            Ok(Value::Null | Value::Array(_) | Value::Object(_)) => {
                return Err(format!("`{alone}` is a list or an object, and one text or number is needed"));
            }
        });
    }
    for expression in template.expressions() {
        expression.value(data).map_err(|why| format!("`{expression}`: {why}"))?;
    }
    Ok(Some(template.render(data)))
}
