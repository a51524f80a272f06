//! The section of a model on a server that speaks the protocol.

use std::sync::Arc;

use provost_form::{Count, ErrorLog, FromYaml, ReadSecret, Table, YamlNode};

use super::client::AnthropicProvider;
use super::settings::{AnthropicSettings, MessagesOptions};
use crate::provider::{ConfiguredModel, ModelError, ProviderSection};
use crate::server::section::{ServerPlace, request, temperature};

/// The highest temperature that the protocol takes.
const TEMPERATURE_MAX: u8 = 1;
/// What the runtime itself writes into a request.
const OWN_KEYS: [&str; 5] = ["model", "messages", "tools", "system", "max_tokens"];

/// The section as written.
#[derive(Debug, Clone)]
pub(crate) struct AnthropicSection {
    place: ServerPlace,
    options: MessagesOptions,
}

impl AnthropicSection {
    pub(crate) const KEYS: [&'static str; 14] = [
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
        "output",
        "headers",
        "request",
    ];
}

impl FromYaml for AnthropicSection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &Self::KEYS, log)?;
        let output: Count<1> = table.required("output", log);
        let options = MessagesOptions {
            output: output.0,
            temperature: table.get("temperature").and_then(|node| temperature(node, TEMPERATURE_MAX, log)),
            effort: table.optional("effort", log),
            tool_choice: table.get("tool_choice").map(YamlNode::value),
            parallel_tools: table.optional("parallel_tools", log),
            request: table.get("request").map(|node| request(node, &OWN_KEYS, log)).unwrap_or_default(),
        };
        Some(Self { place: ServerPlace::read(&table, log), options })
    }

    fn blank() -> Self {
        Self { place: ServerPlace::blank(), options: MessagesOptions::within(1) }
    }
}

impl ProviderSection for AnthropicSection {
    fn build(&self, secret: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError> {
        let settings = AnthropicSettings { server: self.place.load(secret)?, options: self.options.clone() };
        let provider = AnthropicProvider::new(settings).map_err(ModelError::Settings)?;
        Ok(ConfiguredModel { provider: Arc::new(provider), outage_budget: None })
    }
}

#[cfg(test)]
mod tests {
    use provost_form::parse;

    use super::*;

    /// The section with these keys added to those it needs, and all errors as one text.
    fn section(more: &str) -> (AnthropicSection, String) {
        let text = format!("{{provider: anthropic, base_url: \"http://127.0.0.1:1/v1\", model: m, {more}}}");
        let mut log = ErrorLog::new("provost.yaml".into());
        let section = AnthropicSection::read(&parse(&text, &mut log).unwrap(), &mut log).unwrap();
        (section, log.errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_section_is_read_in_full() {
        let (section, errors) = section("output: 4096, temperature: 0.5, effort: low, parallel_tools: false");
        assert_eq!(errors, "");
        let options = &section.options;
        assert_eq!((options.output, options.temperature, options.effort.as_deref()), (4096, Some(0.5), Some("low")));
        assert_eq!((options.parallel_tools, section.place.model.as_str()), (Some(false), "m"));
        assert!(section.build(&|place| place.load(&|_| None)).is_ok());
    }

    #[test]
    fn what_the_protocol_demands_and_refuses_is_said() {
        for (more, part) in [
            ("effort: low", "the key `output` is missing"),
            ("output: 0", "a whole number from 1"),
            ("output: 1, temperature: 1.5", "write a number from 0 to 1"),
            ("output: 1, request: {max_tokens: 5}", "`max_tokens` is written by the runtime"),
            ("output: 1, output_key: x", "unknown key `output_key`"),
        ] {
            let (_, errors) = section(more);
            assert!(errors.contains(part), "{more}: {errors}");
        }
    }
}
