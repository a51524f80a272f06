//! The part of a model's section that every wire has: how its server is reached, and keys that go into each request.

use std::path::PathBuf;
use std::time::Duration;

use provost_form::{ErrorLog, FromYaml, Names, Period, ReadSecret, SecretPlace, Table, YamlNode};
use secrecy::SecretString;
use serde_json::{Map, Value};

use super::settings::ModelServer;
use crate::provider::ModelError;

/// Long enough for a distant server, short enough that a dead one is noticed.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough for a long answer of a slow model.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

/// How a server is reached, as written. There is no default address: nothing goes to a server nobody named.
#[derive(Debug, Clone)]
pub(crate) struct ServerPlace {
    pub(crate) base_url: String,
    pub(crate) model: String,
    /// Where the key is, for servers that want one.
    pub(crate) api_key: Option<SecretPlace>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) connect_timeout: Duration,
    pub(crate) request_timeout: Duration,
    pub(crate) headers: Vec<(String, HeaderPlace)>,
}

impl ServerPlace {
    /// Its part of a section.
    pub(crate) fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let mut timeout = |key, standard| table.optional::<Period>(key, log).map_or(standard, |period| period.0);
        let connect_timeout = timeout("connect_timeout", CONNECT_TIMEOUT);
        let request_timeout = timeout("request_timeout", REQUEST_TIMEOUT);
        let headers: Names<HeaderPlace> = table.optional("headers", log).unwrap_or_default();
        Self {
            base_url: table.required("base_url", log),
            model: table.required("model", log),
            api_key: table.optional("api_key", log),
            ca_file: table.optional("ca_file", log),
            connect_timeout,
            request_timeout,
            headers: headers.iter().map(|(name, place)| (name.value.clone(), place.clone())).collect(),
        }
    }

    /// The stand-in after an error.
    pub(crate) fn blank() -> Self {
        Self {
            base_url: String::new(),
            model: String::new(),
            api_key: None,
            ca_file: None,
            connect_timeout: CONNECT_TIMEOUT,
            request_timeout: REQUEST_TIMEOUT,
            headers: Vec::new(),
        }
    }

    /// With its secrets.
    pub(crate) fn load(&self, secret: ReadSecret<'_>) -> Result<ModelServer, ModelError> {
        let headers = self.headers.iter().map(|(name, place)| Ok((name.clone(), place.load(secret)?)));
        Ok(ModelServer {
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            api_key: self.api_key.as_ref().map(secret).transpose()?,
            ca_file: self.ca_file.clone(),
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
            headers: headers.collect::<Result<_, ModelError>>()?,
        })
    }
}

/// A temperature from 0 to `most`, the highest that the protocol takes.
pub(crate) fn temperature(node: &YamlNode, most: u8, log: &mut ErrorLog) -> Option<f64> {
    let value = node.value().as_f64().filter(|value| (0.0..=f64::from(most)).contains(value));
    if value.is_none() {
        log.expected("a temperature", node, &format!("write a number from 0 to {most}, without quotes"));
    }
    value
}

/// More keys of the body, but none of `own`, which the runtime writes itself.
pub(crate) fn request(node: &YamlNode, own: &[&str], log: &mut ErrorLog) -> Map<String, Value> {
    for (key, _) in node.entries().filter(|(key, _)| own.contains(&key.as_str())) {
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

/// A header's value: a text, or the place of a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum HeaderPlace {
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
