//! The section of a model on a server that speaks the protocol.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use provost_form::{Count, ErrorLog, FromYaml, Names, Period, ReadSecret, SecretPlace, Table, YamlNode, words};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::client::OpenAiProvider;
use super::settings::{ChatOptions, OpenAiSettings, SystemRole};
use crate::provider::{ConfiguredModel, ModelError, ProviderSection};

/// Long enough for a distant server, short enough that a dead one is noticed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough for a long answer of a slow model.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// The highest temperature that servers take.
const TEMPERATURE_MAX: f64 = 2.0;
/// The key that servers read the longest answer under, unless the configuration names another.
const OUTPUT_KEY: &str = "max_completion_tokens";
/// What the runtime itself writes into a request.
const OWN_KEYS: [&str; 3] = ["model", "messages", "tools"];

/// The section as written. There is no default address: nothing goes to a server nobody named.
#[derive(Debug, Clone)]
pub(crate) struct OpenAiSection {
    base_url: String,
    model: String,
    /// Where the key is, for servers that want one.
    api_key: Option<SecretPlace>,
    ca_file: Option<PathBuf>,
    connect_timeout: Duration,
    request_timeout: Duration,
    /// What is sent besides the exchange, without the headers.
    options: ChatOptions,
    headers: Vec<(String, HeaderPlace)>,
}

impl OpenAiSection {
    pub(crate) const KEYS: [&'static str; 17] = [
        "provider",
        "base_url",
        "model",
        "api_key",
        "ca_file",
        "connect_timeout",
        "request_timeout",
        "temperature",
        "effort",
        "tool_choice",
        "parallel_tools",
        "strict",
        "output",
        "output_key",
        "system",
        "headers",
        "request",
    ];
}

impl FromYaml for OpenAiSection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &Self::KEYS, log)?;
        let mut timeout = |key, standard| table.optional::<Period>(key, log).map_or(standard, |period| period.0);
        let connect_timeout = timeout("connect_timeout", CONNECT_TIMEOUT);
        let request_timeout = timeout("request_timeout", REQUEST_TIMEOUT);
        let headers: Names<HeaderPlace> = table.optional("headers", log).unwrap_or_default();
        Some(Self {
            base_url: table.required("base_url", log),
            model: table.required("model", log),
            api_key: table.optional("api_key", log),
            ca_file: table.optional("ca_file", log),
            connect_timeout,
            request_timeout,
            options: options(&table, log),
            headers: headers.iter().map(|(name, place)| (name.value.clone(), place.clone())).collect(),
        })
    }

    fn blank() -> Self {
        Self {
            base_url: String::new(),
            model: String::new(),
            api_key: None,
            ca_file: None,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            options: ChatOptions::default(),
            headers: Vec::new(),
        }
    }
}

fn options(table: &Table<'_>, log: &mut ErrorLog) -> ChatOptions {
    let output: Option<Count<1>> = table.optional("output", log);
    let key: Option<String> = table.optional("output_key", log);
    if let (None, Some(node)) = (&output, table.get("output_key")) {
        log.report(node.place, "`output_key` names the key of a limit that is not written", "add `output: TOKENS`");
    }
    ChatOptions {
        temperature: table.get("temperature").and_then(|node| temperature(node, log)),
        effort: table.optional("effort", log),
        tool_choice: table.get("tool_choice").map(YamlNode::value),
        parallel_tools: table.optional("parallel_tools", log),
        strict: table.optional("strict", log).unwrap_or_default(),
        output: output.map(|output| (output.0, key.unwrap_or_else(|| OUTPUT_KEY.to_owned()))),
        system: table.optional::<RawSystemRole>("system", log).map_or(SystemRole::System, |role| role.0),
        headers: Vec::new(),
        request: table.get("request").map(|node| request(node, log)).unwrap_or_default(),
    }
}

fn temperature(node: &YamlNode, log: &mut ErrorLog) -> Option<f64> {
    let value = node.value().as_f64().filter(|value| (0.0..=TEMPERATURE_MAX).contains(value));
    if value.is_none() {
        log.expected("a temperature", node, "write a number from 0 to 2, without quotes");
    }
    value
}

/// More keys of the body, but none that the runtime writes itself.
fn request(node: &YamlNode, log: &mut ErrorLog) -> Map<String, Value> {
    for (key, _) in node.entries().filter(|(key, _)| OWN_KEYS.contains(&key.as_str())) {
        log.report(key.place, format!("`{}` is written by the runtime", key.value), "take it out");
    }
    match node.value() {
        Value::Object(keys) => keys,
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
            log.expected("a table", node, "write the keys to add to each request's body");
            Map::new()
        }
    }
}

words! {
    pub(crate) struct RawSystemRole(SystemRole) = SystemRole::System;
}

/// A header's value: a text, or the place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
enum HeaderPlace {
    Text(String),
    Secret(SecretPlace),
}

impl FromYaml for HeaderPlace {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        if node.is_table() {
            SecretPlace::read(node, log).map(Self::Secret)
        } else {
            String::read(node, log).map(Self::Text)
        }
    }

    fn blank() -> Self {
        Self::Text(String::new())
    }
}

impl HeaderPlace {
    fn load(&self, secret: ReadSecret<'_>) -> Result<SecretString, ModelError> {
        match self {
            Self::Text(text) => Ok(SecretString::from(text.as_str())),
            Self::Secret(place) => Ok(secret(place)?),
        }
    }
}

impl ProviderSection for OpenAiSection {
    fn build(&self, secret: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError> {
        let headers = self.headers.iter().map(|(name, place)| Ok((name.clone(), place.load(secret)?)));
        let settings = OpenAiSettings {
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            api_key: self.api_key.as_ref().map(secret).transpose()?,
            ca_file: self.ca_file.clone(),
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
            options: ChatOptions { headers: headers.collect::<Result<_, ModelError>>()?, ..self.options.clone() },
        };
        let provider = OpenAiProvider::new(settings).map_err(ModelError::Settings)?;
        Ok(ConfiguredModel { provider: Arc::new(provider), outage_budget: None })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use provost_form::parse;

    use super::*;

    #[test]
    fn a_model_server_is_read_in_full() {
        let text = "{provider: openai_compatible, base_url: \"http://127.0.0.1:1/v1\", model: m, \
                    api_key: {file: key}, ca_file: ca.pem, request_timeout: 90s}";
        let mut log = ErrorLog::new("/etc/provost/provost.yaml".into());
        let section = OpenAiSection::read(&parse(text, &mut log).unwrap(), &mut log).unwrap();
        assert_eq!(log.errors, []);
        assert_eq!((section.base_url.as_str(), section.model.as_str()), ("http://127.0.0.1:1/v1", "m"));
        assert_eq!((section.connect_timeout, section.request_timeout), (CONNECT_TIMEOUT, Duration::from_secs(90)));
        assert_eq!(section.api_key, Some(SecretPlace::File("/etc/provost/key".into())));
        assert_eq!(section.ca_file.as_deref(), Some(Path::new("/etc/provost/ca.pem")));
    }

    #[test]
    fn what_is_sent_besides_is_read_and_nothing_stands_in_for_it() {
        let text = "{base_url: \"http://127.0.0.1:1/v1\", model: m, temperature: 0.2, effort: low, parallel_tools: false, \
                    output: 512, output_key: max_tokens, tool_choice: auto, system: first_user, \
                    headers: {x-team: shop, x-key: {env: TEAM_KEY}}, request: {enable_thinking: false}}";
        let mut log = ErrorLog::new("provost.yaml".into());
        let section = OpenAiSection::read(&parse(text, &mut log).unwrap(), &mut log).unwrap();
        assert_eq!(log.errors, []);
        let options = &section.options;
        assert_eq!((options.temperature, options.effort.as_deref()), (Some(0.2), Some("low")));
        assert_eq!((options.parallel_tools, options.system), (Some(false), SystemRole::FirstUser));
        assert_eq!(options.output, Some((512, "max_tokens".to_owned())));
        assert_eq!(options.tool_choice, Some("auto".into()));
        assert_eq!(Value::Object(options.request.clone()), serde_json::json!({"enable_thinking": false}));
        assert_eq!(section.headers.len(), 2);
        assert_eq!(section.headers[1].1, HeaderPlace::Secret(SecretPlace::Env("TEAM_KEY".to_owned())));
        assert!(section.build(&|place| place.load(&|name| (name == "TEAM_KEY").then(|| "hush".to_owned()))).is_ok());
        assert!(section.build(&|place| place.load(&|_| None)).is_err(), "a secret that is not there");

        let plain = "{base_url: \"http://127.0.0.1:1/v1\", model: m}";
        let section = OpenAiSection::read(&parse(plain, &mut log).unwrap(), &mut log).unwrap();
        assert_eq!(section.options.written().count(), 0);
    }

    #[test]
    fn options_that_make_no_sense_are_refused() {
        for (option, part) in [
            ("temperature: hot", "a temperature"),
            ("temperature: 3", "a temperature"),
            ("output: 0", "a whole number from 1"),
            ("output_key: max_tokens", "not written"),
            ("system: last_user", "`last_user`"),
            ("request: {messages: []}", "`messages` is written by the runtime"),
            ("request: [1]", "a table"),
            ("headers: {x: {path: y}}", "where the secret is"),
        ] {
            let text = format!("{{base_url: \"http://127.0.0.1:1/v1\", model: m, {option}}}");
            let mut log = ErrorLog::new("provost.yaml".into());
            let _blank = OpenAiSection::read(&parse(&text, &mut log).unwrap(), &mut log);
            assert!(log.errors.iter().any(|error| error.to_string().contains(part)), "{option}: {:?}", log.errors);
        }
    }
}
