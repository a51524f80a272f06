//! The section of a model on a server that speaks the protocol.

use std::sync::Arc;

use provost_form::{Count, ErrorLog, FromYaml, ReadSecret, Table, YamlNode, words};

use super::client::OpenAiProvider;
use super::settings::{ChatOptions, OpenAiSettings, SystemRole};
use crate::provider::{ConfiguredModel, ModelError, ProviderSection};
use crate::server::section::{ServerPlace, request, temperature};

/// The highest temperature that servers take.
const TEMPERATURE_MAX: u8 = 2;
/// The key that servers read the longest answer under, unless the configuration names another.
const OUTPUT_KEY: &str = "max_completion_tokens";
/// What the runtime itself writes into a request.
const OWN_KEYS: [&str; 3] = ["model", "messages", "tools"];

/// The section as written.
#[derive(Debug, Clone)]
pub(crate) struct OpenAiSection {
    place: ServerPlace,
    /// What is sent besides the exchange.
    options: ChatOptions,
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
        Some(Self { place: ServerPlace::read(&table, log), options: options(&table, log) })
    }

    fn blank() -> Self {
        Self { place: ServerPlace::blank(), options: ChatOptions::default() }
    }
}

fn options(table: &Table<'_>, log: &mut ErrorLog) -> ChatOptions {
    let output: Option<Count<1>> = table.optional("output", log);
    let key: Option<String> = table.optional("output_key", log);
    if let (None, Some(node)) = (&output, table.get("output_key")) {
        log.report(node.place, "`output_key` names the key of a limit that is not written", "add `output: TOKENS`");
    }
    ChatOptions {
        temperature: table.get("temperature").and_then(|node| temperature(node, TEMPERATURE_MAX, log)),
        effort: table.optional("effort", log),
        tool_choice: table.get("tool_choice").map(YamlNode::value),
        parallel_tools: table.optional("parallel_tools", log),
        strict: table.optional("strict", log).unwrap_or_default(),
        output: output.map(|output| (output.0, key.unwrap_or_else(|| OUTPUT_KEY.to_owned()))),
        system: table.optional::<RawSystemRole>("system", log).map_or(SystemRole::System, |role| role.0),
        request: table.get("request").map(|node| request(node, &OWN_KEYS, log)).unwrap_or_default(),
    }
}

words! {
    pub(crate) struct RawSystemRole(SystemRole) = SystemRole::System;
}

impl ProviderSection for OpenAiSection {
    fn build(&self, secret: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError> {
        let settings = OpenAiSettings { server: self.place.load(secret)?, options: self.options.clone() };
        let provider = OpenAiProvider::new(settings).map_err(ModelError::Settings)?;
        Ok(ConfiguredModel { provider: Arc::new(provider), outage_budget: None })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::time::Duration;

    use provost_form::{SecretPlace, parse};
    use serde_json::Value;

    use super::*;
    use crate::server::section::{CONNECT_TIMEOUT, HeaderPlace};

    #[test]
    fn a_model_server_is_read_in_full() {
        let text = "{provider: openai_compatible, base_url: \"http://127.0.0.1:1/v1\", model: m, \
                    api_key: {file: key}, ca_file: ca.pem, request_timeout: 90s}";
        let mut log = ErrorLog::new("/etc/provost/provost.yaml".into());
        let section = OpenAiSection::read(&parse(text, &mut log).unwrap(), &mut log).unwrap();
        assert_eq!(log.errors, []);
        assert_eq!((section.place.base_url.as_str(), section.place.model.as_str()), ("http://127.0.0.1:1/v1", "m"));
        assert_eq!(
            (section.place.connect_timeout, section.place.request_timeout),
            (CONNECT_TIMEOUT, Duration::from_secs(90))
        );
        assert_eq!(section.place.api_key, Some(SecretPlace::File("/etc/provost/key".into())));
        assert_eq!(section.place.ca_file.as_deref(), Some(Path::new("/etc/provost/ca.pem")));
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
        assert_eq!(section.place.headers.len(), 2);
        assert_eq!(section.place.headers[1].1, HeaderPlace::Secret(SecretPlace::Env("TEAM_KEY".to_owned())));
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
