//! The configuration: `provost.yaml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::error::{PackError, PackErrors};
use crate::source::Source;

/// The configuration, with paths resolved against its file's folder.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// `sqlite://PATH`.
    pub store: String,
    /// The packs' folders.
    pub packs: Vec<PathBuf>,
    /// The models, by the name agents use.
    pub models: BTreeMap<String, Model>,
    /// What the tools reach.
    #[serde(default)]
    pub tools: Tools,
    /// The engine's bounds.
    #[serde(default)]
    pub engine: EngineConfig,
    /// How `provost serve` is reached.
    #[serde(default)]
    pub server: ServerConfig,
}

/// How `provost serve` is reached.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServerConfig {
    /// Where it listens. Loopback unless written otherwise; put TLS in front of anything else.
    pub listen: SocketAddr,
}

impl Default for ServerConfig {
    fn default() -> Self {
        Self { listen: SocketAddr::from(([127, 0, 0, 1], 7878)) }
    }
}

/// A model.
#[derive(Debug, Clone, Deserialize)]
#[serde(tag = "provider", rename_all = "snake_case", deny_unknown_fields)]
pub enum Model {
    /// Answers by rules.
    Scripted {
        /// The rules' file.
        script: PathBuf,
    },
    /// A server that speaks the OpenAI-compatible protocol.
    OpenaiCompatible {
        /// The address before `/chat/completions`. There is no default: nothing goes to a server nobody named.
        base_url: String,
        /// The model's name on that server.
        model: String,
        /// Where the key is, for servers that want one.
        api_key: Option<ApiKey>,
        /// How long connecting may take.
        #[serde(default = "connect_timeout", with = "humantime_serde")]
        connect_timeout: Duration,
        /// How long one question may take.
        #[serde(default = "request_timeout", with = "humantime_serde")]
        request_timeout: Duration,
    },
}

/// Where an API key is; the key itself is never part of the configuration.
#[derive(Debug, Clone, Deserialize)]
#[serde(try_from = "Value")]
pub enum ApiKey {
    /// A file of this name in the service's credentials directory.
    Credential(String),
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl TryFrom<Value> for ApiKey {
    type Error = &'static str;

    /// By hand, because serde's errors show what was written, and somebody may have written a key.
    fn try_from(written: Value) -> Result<Self, Self::Error> {
        let place = written.as_object().filter(|object| object.len() == 1).and_then(|object| object.iter().next());
        match place.map(|(kind, name)| (kind.as_str(), name.as_str())) {
            Some(("credential", Some(id))) => Ok(Self::Credential(id.to_owned())),
            Some(("env", Some(name))) => Ok(Self::Env(name.to_owned())),
            Some(("file", Some(path))) => Ok(Self::File(path.into())),
            Some(_) | None => Err("`api_key` says where the key is: {credential: ID}, {env: NAME} or {file: PATH}"),
        }
    }
}

/// Long enough for a distant server, short enough that a dead one is noticed.
fn connect_timeout() -> Duration {
    Duration::from_secs(5)
}

/// Long enough for a long answer of a slow model.
fn request_timeout() -> Duration {
    Duration::from_mins(1)
}

/// What the tools reach; a tool whose part is missing does not exist.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tools {
    /// For `metrics:scrape`.
    pub metrics: Option<Endpoint>,
    /// For `service:*`.
    pub service: Option<Admin>,
    /// For `logs:tail`.
    pub logs: Option<Logs>,
    /// For `notify:NAME`.
    pub notify: BTreeMap<String, NotifyTarget>,
    /// For `prometheus:*`.
    pub prometheus: Option<Endpoint>,
    /// For `alertmanager:*`.
    pub alertmanager: Option<Endpoint>,
    /// For `http:probe`.
    pub http: Option<Http>,
}

/// A server that is read.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Endpoint {
    /// Its address.
    pub endpoint: String,
}

/// An admin interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Admin {
    /// Its base address.
    pub admin: String,
}

/// Log files.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Logs {
    /// By the name the model uses.
    pub files: BTreeMap<String, PathBuf>,
}

/// Where a notification goes.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NotifyTarget {
    /// The address.
    pub url: String,
}

/// What may be probed.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Http {
    /// `host:port`s.
    pub allow: Vec<String>,
}

/// The engine's bounds.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EngineConfig {
    /// Live sessions at once.
    pub sessions_max: usize,
    /// How long a stop waits for what runs.
    #[serde(with = "humantime_serde")]
    pub drain: Duration,
}

impl Default for EngineConfig {
    fn default() -> Self {
        Self { sessions_max: 256, drain: Duration::from_secs(30) }
    }
}

/// Reads the configuration. `${VAR}` and `${VAR:-default}` in it are replaced by `variable`'s answers.
///
/// # Errors
/// The file cannot be read, has a mistake of form, or names a variable that is not set.
pub fn load_config(path: &Path, variable: &dyn Fn(&str) -> Option<String>) -> Result<Config, PackErrors> {
    let source = Source::read(path).map_err(|error| PackErrors(vec![error]))?;
    let source = substitute(source, variable).map_err(PackErrors)?;
    let mut config: Config = source.yaml().map_err(|error| PackErrors(vec![error]))?;
    let folder = path.parent().unwrap_or(Path::new("."));
    for pack in &mut config.packs {
        *pack = folder.join(&*pack);
    }
    for model in config.models.values_mut() {
        match model {
            Model::Scripted { script: file } | Model::OpenaiCompatible { api_key: Some(ApiKey::File(file)), .. } => {
                *file = folder.join(&*file);
            }
            Model::OpenaiCompatible { .. } => {}
        }
    }
    for file in config.tools.logs.iter_mut().flat_map(|logs| logs.files.values_mut()) {
        *file = folder.join(&*file);
    }
    if !config.store.starts_with("sqlite://") {
        let message = format!("the store `{}` is not known", config.store);
        let error = source.error(&["store"], message, "write `sqlite://PATH`");
        return Err(PackErrors(vec![error]));
    }
    Ok(config)
}

impl Config {
    /// The SQLite file's path.
    pub fn store_path(&self) -> PathBuf {
        PathBuf::from(self.store.strip_prefix("sqlite://").unwrap_or(&self.store))
    }
}

/// Replaces variables line by line; comments are left alone. A value can bring in no new line, so no new key.
fn substitute(mut source: Source, variable: &dyn Fn(&str) -> Option<String>) -> Result<Source, Vec<PackError>> {
    let mut errors = Vec::new();
    let mut text = String::with_capacity(source.text.len());
    for (line, number) in source.text.lines().zip(1..) {
        let (mut rest, mut column) = (line, 1);
        while !line.trim_start().starts_with('#')
            && let Some((before, after)) = rest.split_once("${")
        {
            column += before.chars().count() as u64;
            let Some((name, later)) = after.split_once('}') else { break };
            let (name, default) = name.split_once(":-").map_or((name, None), |(n, d)| (n, Some(d.to_owned())));
            text.push_str(before);
            match variable(name).filter(|value| !value.contains(['\n', '\r'])).or(default) {
                Some(value) => text.push_str(&value),
                None => errors.push(PackError {
                    file: source.path.clone(),
                    line: number,
                    column,
                    message: format!("the variable `{name}` is not set"),
                    hint: format!("set it, or write `${{{name}:-default}}`"),
                }),
            }
            rest = later;
        }
        text.push_str(rest);
        text.push('\n');
    }
    if errors.is_empty() {
        source.text = text;
        Ok(source)
    } else {
        Err(errors)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(model: &str, expect: Result<(), &str>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provost.yaml");
        std::fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels:\n  default: {{{model}}}\n")).unwrap();
        match (load_config(&path, &|_| None), expect) {
            (Ok(_), Ok(())) => {}
            (Err(errors), Err(part)) => {
                assert!(errors.to_string().contains(part), "{errors}");
                assert!(!errors.to_string().contains("hush"), "{errors}");
            }
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn a_model_server_is_named_in_full_or_refused() {
        let whole = "provider: openai_compatible, base_url: \"http://127.0.0.1:1/v1\", model: m";
        check(whole, Ok(()));
        check(
            &format!("{whole}, api_key: {{credential: model-key}}, request_timeout: 60s, connect_timeout: 5s"),
            Ok(()),
        );
        check(&format!("{whole}, api_key: {{env: KEY}}"), Ok(()));
        check("provider: openai_compatible, model: m", Err("base_url"));
        check("provider: openai_compatible, base_url: \"http://127.0.0.1:1/v1\"", Err("model"));
        check(&format!("{whole}, temperature: 1"), Err("temperature"));
        check(&format!("{whole}, api_key: {{vault: sk-hush}}"), Err("says where the key is"));
        check(&format!("{whole}, api_key: sk-hush"), Err("says where the key is"));
        check(&format!("{whole}, request_timeout: 60"), Err("60"));
    }

    #[test]
    fn a_keys_file_stands_beside_the_configuration() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("provost.yaml");
        let model = "{provider: openai_compatible, base_url: x, model: m, api_key: {file: key}}";
        std::fs::write(&path, format!("store: sqlite://x\npacks: []\nmodels: {{default: {model}}}\n")).unwrap();
        let config = load_config(&path, &|_| None).unwrap();
        let Model::OpenaiCompatible { api_key: Some(ApiKey::File(file)), .. } = &config.models["default"] else {
            panic!("{config:?}");
        };
        assert_eq!(file, &folder.path().join("key"));
    }
}
