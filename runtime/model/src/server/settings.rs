//! How a model server is reached, whatever it speaks.

use std::path::PathBuf;
use std::time::Duration;

use secrecy::SecretString;

/// How a server is reached.
#[derive(Debug, Clone)]
pub struct ModelServer {
    /// The address before the path of the protocol, such as `http://127.0.0.1:8000/v1`. There is no default: nothing is sent to
    /// a server nobody named.
    pub base_url: String,
    /// The model's name on that server.
    pub model: String,
    /// The key, for servers that want one.
    pub api_key: Option<SecretString>,
    /// Authorities to trust beside those this machine does, as a PEM file.
    pub ca_file: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Duration,
    /// How long a whole question may take.
    pub request_timeout: Duration,
    /// More headers, each with its value. A value may be secret.
    pub headers: Vec<(String, SecretString)>,
}
