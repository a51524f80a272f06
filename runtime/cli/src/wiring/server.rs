//! The sections `server` and `log`.

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use provost_domain::access::AccessRole;
use provost_form::{Count, ErrorLog, FromYaml, SecretPlace, YamlNode, table, words};
use provost_server::RequestRate;

table! {
    /// How `provost serve` is reached.
    #[derive(Debug, Clone)]
    pub(crate) struct ServerConfig {
        /// Where it listens. Loopback unless written otherwise; put TLS in front of anything else.
        pub(crate) listen: SocketAddr = SocketAddr::from(([127, 0, 0, 1], 7878)),
        /// How many requests one token may send.
        pub(crate) requests: RequestsConfig = RequestsConfig::default(),
        /// Tokens that are in force as long as they stand here.
        pub(crate) tokens: Vec<TokenConfig> = Vec::new(),
    }
}

table! {
    /// How many requests one token may send; what is over is answered `rate_limited` (429).
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    pub(crate) struct RequestsConfig {
        /// Per second, over time.
        per_second: Count<1> = Count(RequestRate::default().per_second.get()),
        /// How many may come at once, before the rate counts.
        burst: Count<1> = Count(RequestRate::default().burst.get()),
    }
}

impl Default for RequestsConfig {
    fn default() -> Self {
        let RequestRate { per_second, burst } = RequestRate::default();
        Self { per_second: Count(per_second.get()), burst: Count(burst.get()) }
    }
}

impl From<RequestsConfig> for RequestRate {
    fn from(config: RequestsConfig) -> Self {
        let at_least_one = |Count(number): Count<1>| NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN);
        Self { per_second: at_least_one(config.per_second), burst: at_least_one(config.burst) }
    }
}

/// A token whose secret was made before (`provost tokens generate`) and is kept outside of the configuration. Of the places
/// named, the first that has it counts: credential, environment, file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TokenConfig {
    /// Whose it is.
    pub(crate) name: String,
    /// What it may do.
    pub(crate) role: AccessRole,
    /// A credential of the service manager: a file of this name in `$CREDENTIALS_DIRECTORY`.
    pub(crate) credential: Option<String>,
    /// An environment variable.
    pub(crate) env: Option<String>,
    /// A file that holds nothing else.
    pub(crate) file: Option<PathBuf>,
}

impl TokenConfig {
    /// Where its secret may be, in the order they count.
    pub(crate) fn places(&self) -> impl Iterator<Item = SecretPlace> {
        let credential = self.credential.clone().map(SecretPlace::Credential);
        let env = self.env.clone().map(SecretPlace::Env);
        credential.into_iter().chain(env).chain(self.file.clone().map(SecretPlace::File))
    }
}

words! { struct TokenRole(AccessRole) = AccessRole::Viewer; }

table! {
    struct RawToken {
        name: String,
        role: TokenRole,
        credential: Option<String> = None,
        env: Option<String> = None,
        file: Option<PathBuf> = None,
    }
}

impl From<RawToken> for TokenConfig {
    fn from(raw: RawToken) -> Self {
        let RawToken { name, role: TokenRole(role), credential, env, file } = raw;
        Self { name, role, credential, env, file }
    }
}

impl FromYaml for TokenConfig {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
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
    pub(crate) struct LogConfig {
        /// For example `info` or `provost_engine=debug`.
        pub(crate) filter: Option<String> = None,
    }
}
