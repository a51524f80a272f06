//! The section of a model on a server that speaks the protocol.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use provost_form::{ErrorLog, FromYaml, Period, ReadSecret, SecretPlace, Table, YamlNode};

use super::client::OpenAiProvider;
use super::settings::OpenAiSettings;
use crate::provider::{ConfiguredModel, ModelError, ProviderSection};

/// Long enough for a distant server, short enough that a dead one is noticed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough for a long answer of a slow model.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

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
}

impl OpenAiSection {
    pub(crate) const KEYS: [&'static str; 7] =
        ["provider", "base_url", "model", "api_key", "ca_file", "connect_timeout", "request_timeout"];
}

impl FromYaml for OpenAiSection {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let table = Table::open(node, &Self::KEYS, log)?;
        let mut timeout = |key, standard| table.optional::<Period>(key, log).map_or(standard, |period| period.0);
        let connect_timeout = timeout("connect_timeout", CONNECT_TIMEOUT);
        let request_timeout = timeout("request_timeout", REQUEST_TIMEOUT);
        Some(Self {
            base_url: table.required("base_url", log),
            model: table.required("model", log),
            api_key: table.optional("api_key", log),
            ca_file: table.optional("ca_file", log),
            connect_timeout,
            request_timeout,
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
        }
    }
}

impl ProviderSection for OpenAiSection {
    fn build(&self, secret: ReadSecret<'_>) -> Result<ConfiguredModel, ModelError> {
        let settings = OpenAiSettings {
            base_url: self.base_url.clone(),
            model: self.model.clone(),
            api_key: self.api_key.as_ref().map(secret).transpose()?,
            ca_file: self.ca_file.clone(),
            connect_timeout: self.connect_timeout,
            request_timeout: self.request_timeout,
        };
        let provider = OpenAiProvider::new(settings).map_err(ModelError::Settings)?;
        Ok(ConfiguredModel { provider: Arc::new(provider), timeout: Some(self.request_timeout) })
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
}
