//! The keys `result` and `output_schema` of an entry: what a model gets of an answer.

use provost_domain::schema::ArgSchema;
use provost_domain::tool::ToolOutcome;
use provost_expr::{Expression, Scope};
use provost_form::{ErrorLog, FromYaml as _, YamlNode};
use serde_json::{Map, Value, json};

use crate::bound;
use crate::http::start;
use crate::redact::redact;

/// What a model gets of an answer, by name; the whole answer where nothing is written.
#[derive(Debug, Clone)]
pub(crate) struct ResultMap {
    named: Vec<(String, Expression)>,
    output: ArgSchema,
}

/// An answer, and how it is told.
#[derive(Debug)]
pub(crate) struct AnswerForm<'a> {
    /// What the model gets where nothing is written.
    pub(crate) as_it_came: &'a Value,
    /// The names that the expressions read.
    pub(crate) data: &'a Value,
    /// Most bytes of a result.
    pub(crate) limit: usize,
    /// What an answer without anything in it says, where one may be empty.
    pub(crate) nothing: Option<&'a str>,
}

impl ResultMap {
    pub(crate) const RESULT: &'static str = "result";
    pub(crate) const SCHEMA: &'static str = "output_schema";

    /// Reads the keys of an entry, whose answers have these names, and these properties as they come.
    pub(crate) fn read(node: &YamlNode, scope: &Scope, own: Map<String, Value>, log: &mut ErrorLog) -> Option<Self> {
        let named = node.get(Self::RESULT).map(|node| mapping(node, scope, log)).unwrap_or_default();
        let schema = schema(node, &named, own, log)?;
        match ArgSchema::new(schema) {
            Ok(output) => Some(Self { named, output }),
            Err(error) => {
                log.report(node.place, error.to_string(), "write {type: object, properties: {…}}");
                None
            }
        }
    }

    /// Whether a model gets the whole answer.
    pub(crate) fn is_whole(&self) -> bool {
        self.named.is_empty()
    }

    /// The schema of the results: as written, else as far as it is known.
    pub(crate) fn schema(&self) -> &Value {
        self.output.raw()
    }

    /// What the model gets.
    pub(crate) fn outcome(&self, answer: &AnswerForm<'_>) -> ToolOutcome {
        let AnswerForm { as_it_came, data, limit, nothing } = answer;
        let note = nothing.unwrap_or_default();
        let partial = |why: String| match bound::outcome(as_it_came, *limit, note) {
            ToolOutcome::Ok { content } | ToolOutcome::Truncated { content, .. } => {
                ToolOutcome::Partial { content, why: start(&redact(&why)) }
            }
            other => other,
        };
        let content = match self.mapped(data) {
            Ok(None) => (*as_it_came).clone(),
            Ok(Some(mapped)) => mapped,
            Err(why) => return partial(why),
        };
        if let Some(problem) = self.output.problems(&content).first() {
            return partial(format!("the answer is not as declared: {problem}"));
        }
        if nothing.is_some() && content.as_object().is_some_and(|found| found.values().all(is_nothing)) {
            return ToolOutcome::Empty { note: note.to_owned() };
        }
        bound::outcome(&content, *limit, note)
    }

    /// What `result` makes of an answer; nothing where there is no such key.
    fn mapped(&self, data: &Value) -> Result<Option<Value>, String> {
        if self.named.is_empty() {
            return Ok(None);
        }
        let mut mapped = Map::new();
        for (name, expression) in &self.named {
            let value = expression.value(data).map_err(|why| format!("`{name}`: {why}"))?;
            mapped.insert(name.clone(), value);
        }
        Ok(Some(Value::Object(mapped)))
    }
}

/// Whether a value says nothing.
pub(crate) fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.trim().is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(object) => object.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
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
                    let hint = if error.hint.is_empty() { "write body.PATH" } else { &error.hint };
                    log.report(node.place, message, hint);
                }
            }
        }
    }
    found
}

fn schema(
    node: &YamlNode,
    named: &[(String, Expression)],
    own: Map<String, Value>,
    log: &mut ErrorLog,
) -> Option<Value> {
    if let Some(written) = node.get(ResultMap::SCHEMA) {
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
    let mapped: Map<String, Value> = named.iter().map(|(name, _)| (name.clone(), json!({}))).collect();
    let properties = if mapped.is_empty() { own } else { mapped };
    let required: Vec<String> = properties.keys().cloned().collect();
    Some(json!({"type": "object", "additionalProperties": false, "properties": properties, "required": required}))
}
