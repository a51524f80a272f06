//! The key `fallback` of models: which model is asked while the server of another is away.

use std::collections::BTreeMap;
use std::path::Path;

use provost_form::{FormError, FormErrors, nearest};
use provost_model::ModelConfig;

/// The configured models, by the name agents use.
type ModelConfigs = BTreeMap<String, ModelConfig>;

/// The fallbacks of a model, each with its own behind it, the best first.
pub(super) fn of(models: &ModelConfigs, name: &str) -> Vec<String> {
    let mut found = Vec::new();
    follow(models, name, &mut found);
    found
}

/// Adds the fallbacks of a model, each once: a circle ends there.
fn follow(models: &ModelConfigs, name: &str, found: &mut Vec<String>) {
    for fallback in models.get(name).into_iter().flat_map(ModelConfig::fallback) {
        if !found.contains(&fallback.value) {
            found.push(fallback.value.clone());
            follow(models, fallback, found);
        }
    }
}

/// Refuses a fallback that is not configured, and one that leads back to the model it stands in for.
pub(super) fn check(models: &ModelConfigs, file: &Path) -> Result<(), FormErrors> {
    let mut errors = Vec::new();
    for (name, model) in models {
        for fallback in model.fallback() {
            let behind = of(models, fallback);
            let fallback_name = &fallback.value;
            let (message, hint) = if !models.contains_key(fallback_name) {
                let hint = nearest(fallback, models.keys().map(String::as_str));
                (format!("the fallback `{fallback_name}` is not a configured model"), hint)
            } else if fallback_name == name {
                (format!("the model `{name}` names itself as its fallback"), "name another model".to_owned())
            } else if behind.contains(name) {
                let message = format!("`{fallback_name}` falls back to `{name}` again: a circle");
                (message, format!("take `{name}` out of what stands behind `{fallback_name}`"))
            } else {
                continue;
            };
            errors.push(FormError::at(file, fallback.place, message, hint));
        }
    }
    if errors.is_empty() { Ok(()) } else { Err(FormErrors::sorted(errors)) }
}
