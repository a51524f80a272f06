//! The key `stdin`: what a command reads. A value stands there whole, or inside of JSON: never as a part of a text.

use provost_expr::{Expression, Scope, Template, TemplateTree};
use provost_form::{ErrorLog, FromYaml as _, YamlNode};
use serde_json::Value;

use crate::holes::{mistake, mistakes};

/// Most bytes of input.
const INPUT_MAX: usize = 256 * 1024;

/// What a command reads.
#[derive(Debug, Clone)]
pub(super) enum CommandInput {
    /// Nothing: its input is at its end at once.
    Nothing,
    /// The same text for every call.
    Text(String),
    /// A value as it is: a text as its characters, anything else as JSON.
    Value(Expression),
    /// A JSON document with values.
    Json(TemplateTree),
}

impl CommandInput {
    pub(super) fn read(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Option<Self> {
        if node.is_table() || node.is_list() {
            return document(node, scope, log);
        }
        let text = String::read(node, log)?;
        let template = match Template::parse(&text) {
            Ok(template) => template,
            Err(error) => {
                mistake(node.place, &error, log);
                return None;
            }
        };
        if !template.has_holes() {
            return Some(Self::Text(text));
        }
        if let Err(errors) = template.check(scope) {
            mistakes(node.place, &errors, log);
            return None;
        }
        let Some(alone) = template.alone() else {
            let hint = "let the hole stand alone, or write a table or list, which is sent as JSON";
            log.report(node.place, "a value inside of a text could become a part of what the program reads", hint);
            return None;
        };
        Some(Self::Value(alone.clone()))
    }

    /// The bytes, with the values of the data. An error says why nothing can be started.
    pub(super) fn bytes(&self, data: &Value) -> Result<Vec<u8>, String> {
        let bytes = match self {
            Self::Nothing => Vec::new(),
            Self::Text(text) => text.clone().into_bytes(),
            Self::Value(expression) => match expression.value(data) {
                Ok(Value::String(text)) => text.into_bytes(),
                Ok(value) => value.to_string().into_bytes(),
                // An optional argument that was not given.
                Err(_absent) => Vec::new(),
            },
            Self::Json(tree) => tree.fill_known(data).map_err(|error| error.to_string())?.to_string().into_bytes(),
        };
        if bytes.len() > INPUT_MAX {
            return Err(format!("the input has {} bytes, and {INPUT_MAX} are allowed", bytes.len()));
        }
        Ok(bytes)
    }
}

fn document(node: &YamlNode, scope: &Scope, log: &mut ErrorLog) -> Option<CommandInput> {
    let tree = TemplateTree::parse(&node.value(), &|_| None);
    match tree.and_then(|tree| tree.check(scope).map(|()| tree)) {
        Ok(tree) => Some(CommandInput::Json(tree)),
        Err(errors) => {
            for wrong in &errors {
                mistake(node.pointer(&wrong.pointer), &wrong.error, log);
            }
            None
        }
    }
}
