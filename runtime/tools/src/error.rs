//! What keeps a tool from being built.

use std::path::PathBuf;

use provost_domain::schema::BadSchema;
use provost_form::SecretError;
use provost_http::HttpError;

/// A tool could not be built.
#[derive(Debug, thiserror::Error)]
pub enum ToolsError {
    /// The HTTP client did not start.
    #[error(transparent)]
    Client(#[from] HttpError),
    /// A configured address is none.
    #[error(
        "`{tool}` in the configuration has no usable endpoint: {detail}; write one such as `http://127.0.0.1:9090`"
    )]
    Address {
        /// The part of the configuration.
        tool: &'static str,
        /// What is wrong with it.
        detail: String,
    },
    /// A tool server cannot be built from its section.
    #[error("`tools.{server}`: {detail}")]
    Server {
        /// The server, by the key of its section.
        server: String,
        /// What is wrong with it.
        detail: String,
    },
    /// The certificates of a tool server cannot be used.
    #[error("`tools.{server}.tls`")]
    ServerTls {
        /// The server, by the key of its section.
        server: String,
        /// What is wrong with it.
        source: HttpError,
    },
    /// A status is named both as an answer and as a refusal.
    #[error("`{tool}` in the configuration has {status} under both `ok` and `refused`; take it out of one")]
    Statuses {
        /// The part of the configuration.
        tool: &'static str,
        /// The first status of both.
        status: u16,
    },
    /// A target of notifications cannot be used.
    #[error("`{tool}` in the configuration has no usable target: {detail}")]
    Notify {
        /// The name of the tool, such as `notify:NAME`.
        tool: String,
        /// What is wrong with it.
        detail: String,
    },
    /// A secret is not where the configuration says.
    #[error("`{section}`")]
    Secret {
        /// The part of the configuration, such as `tools.notify.NAME`.
        section: String,
        /// What is wrong with it.
        source: SecretError,
    },
    /// A log file cannot be read as one.
    #[error("`tools.{section}.files.{name}`: {path} is {what}; name a regular file", path = .path.display())]
    LogFile {
        /// The key of the section.
        section: String,
        /// The log's configured name.
        name: String,
        /// Where it is.
        path: PathBuf,
        /// What is there instead.
        what: &'static str,
    },
    /// A tool's own schema is wrong: a mistake in this program.
    #[error("tool `{tool}`: {source}")]
    Schema {
        /// The name of the tool.
        tool: String,
        /// What is wrong with it.
        source: BadSchema,
    },
}
