//! The configuration: `provost.yaml`.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

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
    /// For `http:probe`.
    pub http: Option<Http>,
}

/// A metrics endpoint.
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
        let Model::Scripted { script } = model;
        *script = folder.join(&*script);
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
