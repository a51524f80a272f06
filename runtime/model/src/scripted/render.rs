//! Templates over the facts. A text that is exactly one `{{ expression }}` keeps the value's type.

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::Value;

/// Steps one template may take: far more than any script needs, far less than a loop without end.
const FUEL: u64 = 20_000;

#[derive(Debug)]
pub(super) struct Renderer {
    environment: Environment<'static>,
}

impl Renderer {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_fuel(Some(FUEL));
        Self { environment }
    }

    pub(super) fn text(&self, template: &str, facts: &Value) -> Result<String, String> {
        if !template.contains("{{") && !template.contains("{%") {
            return Ok(template.to_owned());
        }
        self.environment.render_str(template, Serde(facts)).map_err(|error| format!("`{template}`: {error}"))
    }

    pub(super) fn value(&self, template: &Value, facts: &Value) -> Result<Value, String> {
        match template {
            Value::String(text) => match expression(text) {
                Some(expression) => self.evaluate(expression, facts),
                None => self.text(text, facts).map(Value::String),
            },
            Value::Array(list) => list.iter().map(|item| self.value(item, facts)).collect(),
            Value::Object(object) => {
                object.iter().map(|(key, item)| Ok((key.clone(), self.value(item, facts)?))).collect()
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => Ok(template.clone()),
        }
    }

    fn evaluate(&self, expression: &str, facts: &Value) -> Result<Value, String> {
        let failed = |error: minijinja::Error| format!("`{expression}`: {error}");
        let value =
            self.environment.compile_expression(expression).and_then(|e| e.eval(Serde(facts))).map_err(failed)?;
        if value.is_undefined() {
            return Err(format!("`{expression}` is undefined"));
        }
        serde_json::to_value(&value).map_err(|error| format!("`{expression}`: {error}"))
    }
}

/// The expression of a text that is nothing else.
fn expression(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!inner.contains("{{") && !inner.contains("}}")).then(|| inner.trim())
}
