//! The models of the configuration.

use std::path::PathBuf;
use std::time::Duration;

use crate::error::nearest;
use crate::form::{Log, Read, Table};
use crate::node::Node;
use crate::scalar::Period;
use crate::secret::SecretPlace;

/// A model.
#[derive(Debug, Clone)]
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
        api_key: Option<SecretPlace>,
        /// Authorities to trust beside those the machine does, as a PEM file.
        ca_file: Option<PathBuf>,
        /// How long connecting may take.
        connect_timeout: Duration,
        /// How long one question may take.
        request_timeout: Duration,
    },
}

/// Long enough for a distant server, short enough that a dead one is noticed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Long enough for a long answer of a slow model.
const REQUEST_TIMEOUT: Duration = Duration::from_mins(1);

const SCRIPTED: &str = "scripted";
const OPENAI_COMPATIBLE: &str = "openai_compatible";
const SCRIPTED_KEYS: [&str; 2] = ["provider", "script"];
const OPENAI_COMPATIBLE_KEYS: [&str; 7] =
    ["provider", "base_url", "model", "api_key", "ca_file", "connect_timeout", "request_timeout"];

impl Read for Model {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let Some(provider) = node.get("provider") else {
            // Without it any provider's key may be meant.
            let keys = [&SCRIPTED_KEYS[..], &OPENAI_COMPATIBLE_KEYS[..]].concat();
            drop(Table::open(node, &keys, log)?.required::<String>("provider", log));
            return None;
        };
        let name = String::read(provider, log)?;
        match name.as_str() {
            SCRIPTED => {
                let table = Table::open(node, &SCRIPTED_KEYS, log)?;
                Some(Self::Scripted { script: table.required("script", log) })
            }
            OPENAI_COMPATIBLE => {
                let table = Table::open(node, &OPENAI_COMPATIBLE_KEYS, log)?;
                let mut timeout =
                    |key, standard| table.optional::<Period>(key, log).map_or(standard, |period| period.0);
                let connect_timeout = timeout("connect_timeout", CONNECT_TIMEOUT);
                let request_timeout = timeout("request_timeout", REQUEST_TIMEOUT);
                Some(Self::OpenaiCompatible {
                    base_url: table.required("base_url", log),
                    model: table.required("model", log),
                    api_key: table.optional("api_key", log),
                    ca_file: table.optional("ca_file", log),
                    connect_timeout,
                    request_timeout,
                })
            }
            other => {
                let hint = nearest(other, [SCRIPTED, OPENAI_COMPATIBLE]);
                log.report(provider.place, "the provider is not known", hint);
                None
            }
        }
    }

    fn blank() -> Self {
        Self::Scripted { script: PathBuf::new() }
    }
}
