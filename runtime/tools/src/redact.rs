//! Secrets are taken out before a model, a log or a page sees them.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// What stands in a secret's place.
const MASK: &str = "[redacted]";

/// Patterns of secrets, each with what is kept before and after.
const PATTERNS: [&str; 6] = [
    r"(?s)()-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)()",
    r"(?i)(\b(?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}()",
    r#"(?i)(\b(?:password|passwd|secret|token|api[_-]?key|access[_-]?key|authorization)["']?\s*[:=]\s*["']?)[^\s"',;&]{3,}()"#,
    r"(?i)(\b[a-z][a-z0-9+.-]*://[^\s/:@]*:)[^\s/@]+(@)",
    r"()\b(?:AKIA|ASIA)[A-Z0-9]{16}\b()",
    r"()\b(?:ghp|gho|ghs|xox[abp]|sk)[_-][A-Za-z0-9_-]{16,}\b()",
];

static SECRETS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

/// The text without what looks like a secret.
pub fn redact(text: &str) -> String {
    SECRETS
        .iter()
        .fold(text.to_owned(), |text, secret| secret.replace_all(&text, format!("${{1}}{MASK}${{2}}")).into_owned())
}

/// Every text of a value redacted, and values under keys that name secrets.
pub(crate) fn redact_value(value: &Value) -> Value {
    match value {
        Value::String(text) => Value::String(redact(text)),
        Value::Array(list) => list.iter().map(redact_value).collect(),
        Value::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let value = if names_secret(key) { Value::String(MASK.to_owned()) } else { redact_value(value) };
                (key.clone(), value)
            })
            .collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    }
}

fn names_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    ["password", "passwd", "secret", "api_key", "apikey", "access_key", "authorization"].iter().any(|n| key.contains(n))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(redact(text), expect);
    }

    #[test]
    fn secrets_go_and_the_rest_stays() {
        assert_eq!(SECRETS.len(), PATTERNS.len());
        check("Authorization: Bearer abcdefghijk", "Authorization: [redacted] [redacted]");
        check("db at postgres://shop:hunter2@db:5432/x", "db at postgres://shop:[redacted]@db:5432/x");
        check("password=hunter2 user=bob", "password=[redacted] user=bob");
        check("key AKIAABCDEFGHIJKLMNOP end", "key [redacted] end");
        check("-----BEGIN RSA PRIVATE KEY-----\nabc\n-----END RSA PRIVATE KEY-----!", "[redacted]!");
        check("the token bucket is full", "the token bucket is full");
        assert_eq!(redact_value(&json!({"db_password": 1, "n": ["ok"]})), json!({"db_password": MASK, "n": ["ok"]}));
    }

    proptest! {
        #[test]
        fn any_text_is_survived(text in "\\PC*") {
            drop(redact(&text));
        }
    }
}
