//! Every kind of provider, and the reading of a model's section: `provider:` says whose it is.

use std::sync::Arc;
use std::time::Duration;

use provost_form::{At, ErrorLog, FromYaml, ReadSecret, Table, YamlNode, nearest};

use crate::anthropic::AnthropicSection;
use crate::openai::OpenAiSection;
use crate::provider::{ConfiguredModel, ModelError, ProviderKind, ProviderSection};
use crate::scripted::ScriptedSection;

/// The kinds of providers, in the order messages list them.
const KINDS: [ProviderKind; 3] = [
    ProviderKind::of::<ScriptedSection>("scripted", &ScriptedSection::KEYS),
    ProviderKind::of::<OpenAiSection>("openai_compatible", &OpenAiSection::KEYS),
    ProviderKind::of::<AnthropicSection>("anthropic", &AnthropicSection::KEYS),
];

/// A model of the configuration.
#[derive(Debug, Clone)]
pub struct ModelConfig {
    section: Arc<dyn ProviderSection>,
    outage_budget: Option<Duration>,
    fallback: Vec<At<String>>,
}

/// How long a question waits for its server when that fails: a key of every provider's section.
const OUTAGE_BUDGET: &str = "outage_budget";
/// The models that are asked while its server is away: a key of every provider's section.
const FALLBACK: &str = "fallback";

impl ModelConfig {
    /// The names of the models that are asked while its server is away, the best first; as written.
    pub fn fallback(&self) -> &[At<String>] {
        &self.fallback
    }

    /// Makes the model with its key. Asks nothing yet.
    pub fn build(&self, secret: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError> {
        Ok(ConfiguredModel { outage_budget: self.outage_budget, ..self.section.build(secret)? })
    }
}

impl FromYaml for ModelConfig {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let Some(provider) = node.get("provider") else {
            // Without it any provider's key may be meant.
            let keys =
                KINDS.iter().flat_map(|kind| kind.keys).copied().chain([OUTAGE_BUDGET, FALLBACK]).collect::<Vec<_>>();
            drop(Table::open(node, &keys, log)?.required::<String>("provider", log));
            return None;
        };
        let name = String::read(provider, log)?;
        let Some(kind) = KINDS.iter().find(|kind| kind.name == name) else {
            let hint = nearest(&name, KINDS.iter().map(|kind| kind.name));
            log.report(provider.place, "the provider is not known", hint);
            return None;
        };
        let outage_budget = node.get(OUTAGE_BUDGET).and_then(|node| Duration::read(node, log));
        let fallback = node.get(FALLBACK).and_then(|node| Vec::read(node, log)).unwrap_or_default();
        let section = (kind.read)(&node.without(OUTAGE_BUDGET).without(FALLBACK), log)?;
        Some(Self { section, outage_budget, fallback })
    }

    fn blank() -> Self {
        Self { section: Arc::new(ScriptedSection::blank()), outage_budget: None, fallback: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use provost_form::parse;

    use super::*;

    /// A model as it is read, or all errors as one text.
    fn model(text: &str) -> Result<ModelConfig, Vec<String>> {
        let mut log = ErrorLog::new("provost.yaml".into());
        let node = parse(text, &mut log).unwrap();
        let model = ModelConfig::read(&node, &mut log);
        let errors: Vec<String> = log.errors.iter().map(ToString::to_string).collect();
        if errors.is_empty() { Ok(model.unwrap()) } else { Err(errors) }
    }

    /// The rest of a model on a server, after what names the server.
    const SERVER: &str = "provider: openai_compatible, base_url: \"http://127.0.0.1:1/v1\", model: m";

    #[test]
    fn a_key_may_be_in_each_place_or_absent() {
        for key in [", api_key: {credential: model-key}", ", api_key: {env: KEY}", ""] {
            model(&format!("{{{SERVER}{key}}}")).unwrap();
        }
    }

    #[test]
    fn a_model_server_is_named_in_full_or_refused_and_a_key_is_never_shown() {
        for (text, part) in [
            ("provider: openai_compatible, model: m", "the key `base_url` is missing"),
            ("provider: openai_compatible, base_url: x", "the key `model` is missing"),
            (&format!("{SERVER}, temprature: 1"), "unknown key `temprature`"),
            (&format!("{SERVER}, api_key: {{vault: sk-hush}}"), "where the secret is"),
            (&format!("{SERVER}, api_key: {{sk-hush: env}}"), "where the secret is"),
            (&format!("{SERVER}, api_key: {{env: A, file: sk-hush}}"), "where the secret is"),
            (&format!("{SERVER}, api_key: sk-hush"), "where the secret is"),
            (&format!("{SERVER}, api_key: {{env: [sk-hush]}}"), "expected a text, found a list"),
            (&format!("{SERVER}, request_timeout: 60"), "expected a duration, found `60`"),
            (&format!("{SERVER}, connect_timeout: 0s"), "the duration is zero"),
            (
                "provider: oracle",
                "the provider is not known\n  hint: there are: scripted, openai_compatible, anthropic",
            ),
            ("provider: scriptd, script: x", "the provider is not known\n  hint: did you mean `scripted`?"),
        ] {
            let errors = model(&format!("{{{text}}}")).unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].contains(part), "does not say `{part}`: {errors:?}");
            assert!(!errors[0].contains("hush"), "{errors:?}");
        }
    }

    #[test]
    fn without_a_provider_every_providers_key_is_known() {
        let errors = model("{base_url: x, script: y, scrip: z}").unwrap_err();
        assert_eq!(errors.len(), 2, "{errors:?}");
        assert!(errors[0].contains("unknown key `scrip`\n  hint: did you mean `script`?"), "{errors:?}");
        assert!(errors[1].contains("the key `provider` is missing"), "{errors:?}");
    }

    #[test]
    fn every_example_of_the_page_on_models_is_read() {
        let page = include_str!("../../../docs/src/models.md");
        let examples: Vec<&str> = page.split("```yaml\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
        assert!(!examples.is_empty());
        for example in examples {
            let mut log = ErrorLog::new("provost.yaml".into());
            let node = parse(example, &mut log).unwrap();
            for (_, model) in node.get("models").unwrap().entries() {
                drop(ModelConfig::read(model, &mut log));
            }
            assert_eq!(log.errors, [], "{example}");
        }
    }
}
