//! Variables of the environment in the values of a configuration.

use serde_json::Value;

use crate::error::ErrorLog;
use crate::node::{NodeKind, Position, YamlNode};

/// Answers what the environment holds under a name; nothing where the variable is not set.
pub type Variable<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Replaces `${VAR}` and `${VAR:-default}` in all values of a tree; keys are left as they are. A text that was filled becomes
/// [`NodeKind::Supplied`]: no message shows it.
pub fn fill(node: &mut YamlNode, variable: Variable<'_>, log: &mut ErrorLog) {
    match &mut node.kind {
        NodeKind::Scalar(Value::String(text)) if text.contains("${") => {
            let filled = filled(text, node.place, variable, log);
            node.kind = NodeKind::Supplied(filled);
        }
        NodeKind::Scalar(_) | NodeKind::Supplied(_) => {}
        NodeKind::List(items) => items.iter_mut().for_each(|item| fill(item, variable, log)),
        NodeKind::Table(entries) => entries.iter_mut().for_each(|(_, node)| fill(node, variable, log)),
    }
}

/// A text with its variables filled in. One that is not set or not closed leaves its own text, so that no second error
/// follows.
fn filled(text: &str, place: Position, variable: Variable<'_>, log: &mut ErrorLog) -> String {
    let mut filled = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        filled.push_str(before);
        let Some((inner, later)) = after.split_once('}') else {
            log.report(place, "`${` is not closed", "write `${NAME}` or `${NAME:-default}`");
            filled.push_str("${");
            filled.push_str(after);
            return filled;
        };
        let (name, default) = inner.split_once(":-").map_or((inner, None), |(name, default)| (name, Some(default)));
        if let Some(value) = variable(name).or_else(|| default.map(str::to_owned)) {
            filled.push_str(&value);
        } else {
            let hint = format!("set it, or write `${{{name}:-default}}`");
            log.report(place, format!("the variable `{name}` is not set"), hint);
            filled.push_str(name);
        }
        rest = later;
    }
    filled.push_str(rest);
    filled
}
