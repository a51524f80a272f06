//! The configuration of `provost serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use provost_domain::access::AccessRole;

use crate::form::{Log, Read, table};
use crate::node::Node;
use crate::scalar::words;

table! {
    /// How `provost serve` is reached.
    #[derive(Debug, Clone)]
    pub struct ServerConfig {
        /// Where it listens. Loopback unless written otherwise; put TLS in front of anything else.
        pub listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 7878)),
        /// Tokens that are in force as long as they stand here.
        pub tokens: Vec<TokenConfig> = Vec::new(),
    }
}

/// A token whose secret was made before (`provost tokens generate`) and is kept outside of the configuration. Of the places
/// named, the first that has it counts: credential, environment, file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenConfig {
    /// Whose it is.
    pub name: String,
    /// What it may do.
    pub role: AccessRole,
    /// A credential of the service manager: a file of this name in `$CREDENTIALS_DIRECTORY`.
    pub credential: Option<String>,
    /// An environment variable.
    pub env: Option<String>,
    /// A file.
    pub file: Option<PathBuf>,
}

words! { AccessRole = AccessRole::Viewer }

table! {
    struct RawToken {
        name: String,
        role: AccessRole,
        credential: Option<String> = None,
        env: Option<String> = None,
        file: Option<PathBuf> = None,
    }
}

impl From<RawToken> for TokenConfig {
    fn from(raw: RawToken) -> Self {
        let RawToken { name, role, credential, env, file } = raw;
        Self { name, role, credential, env, file }
    }
}

impl Read for TokenConfig {
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let raw = RawToken::read(node, log)?;
        if raw.credential.is_none() && raw.env.is_none() && raw.file.is_none() {
            let hint = "add `credential: ID`, `env: NAME` or `file: PATH`; `provost tokens generate` makes a secret";
            log.report(node.place, "the token has no secret", hint);
        }
        Some(raw.into())
    }

    fn blank() -> Self {
        RawToken::blank().into()
    }
}

table! {
    /// What `provost serve` logs, unless the command line says otherwise.
    #[derive(Debug, Clone, Default, PartialEq, Eq)]
    pub struct LogConfig {
        /// For example `info` or `provost_engine=debug`.
        pub filter: Option<String> = None,
    }
}
