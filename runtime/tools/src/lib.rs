//! The built-in tools. Each declares its arguments as a Rust type, its effect class, risk, time and output bound; results
//! are typed, bounded and redacted before anything else sees them.

mod alerts;
mod bound;
mod http;
mod logs;
mod metrics;
mod notify;
mod probe;
mod prometheus;
mod redact;
mod service;
mod spec;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Clock, Outbox, ToolBackend};
use provost_domain::schema::BadSchema;
use provost_http::HttpError;

use notify::Sender;
pub use notify::{NotifySettings, Queue};
pub use redact::redact;

/// Which tools exist: only what is configured does.
#[derive(Debug, Clone, Default)]
pub struct ToolsSettings {
    /// The Prometheus text endpoint of `metrics:scrape`.
    pub metrics_endpoint: Option<String>,
    /// The base address of the Prometheus of `prometheus:query` and `prometheus:query_range`.
    pub prometheus: Option<String>,
    /// The base address of the Alertmanager of `alertmanager:alerts`.
    pub alertmanager: Option<String>,
    /// The base address of the service's admin interface, for `service:*`.
    pub service_admin: Option<String>,
    /// The log files of `logs:tail`, by the name the model uses.
    pub log_files: BTreeMap<String, PathBuf>,
    /// The targets of `notify:NAME`.
    pub notify: BTreeMap<String, NotifySettings>,
    /// The names of those targets whose notifications are sent within the call even where there is an outbox.
    pub direct: BTreeSet<String>,
    /// Where notifications are stored, to be sent later. Without one they are sent within the call.
    pub outbox: Option<Arc<dyn Outbox>>,
    /// The `host:port`s `http:probe` may look at; no list, no tool.
    pub http_allow: Vec<String>,
}

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
        /// What is wrong.
        detail: String,
    },
    /// A target of notifications cannot be used.
    #[error("`{tool}` in the configuration has no usable target: {detail}")]
    Notify {
        /// The tool.
        tool: String,
        /// What is wrong.
        detail: String,
    },
    /// A tool's own schema is wrong: a mistake in this program.
    #[error("tool `{tool}`: {source}")]
    Schema {
        /// The tool.
        tool: String,
        /// What is wrong.
        source: BadSchema,
    },
}

/// Builds every configured tool.
pub fn build(settings: &ToolsSettings, clock: &Arc<dyn Clock>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
    let client = http::client()?;
    let mut tools: Vec<Arc<dyn ToolBackend>> = Vec::new();
    if let Some(endpoint) = &settings.metrics_endpoint {
        tools.push(Arc::new(metrics::Scrape::new(client.clone(), endpoint)?));
    }
    if let Some(endpoint) = &settings.prometheus {
        tools.push(Arc::new(prometheus::Query::new(client.clone(), endpoint)?));
        tools.push(Arc::new(prometheus::QueryRange::new(client.clone(), endpoint)?));
    }
    if let Some(endpoint) = &settings.alertmanager {
        tools.push(Arc::new(alerts::Alerts::new(client.clone(), endpoint)?));
    }
    if let Some(admin) = &settings.service_admin {
        for tool in service::all(&client, admin)? {
            tools.push(tool);
        }
    }
    if !settings.log_files.is_empty() {
        tools.push(Arc::new(logs::Tail::new(settings.log_files.clone())?));
    }
    for (name, target) in &settings.notify {
        let sender = Sender::new(client.clone(), Arc::clone(clock), name, target)?;
        match settings.outbox.as_ref().filter(|_| !settings.direct.contains(name)) {
            Some(outbox) => {
                let spec = notify::declared(sender.tool())?;
                tools.push(Arc::new(Queue::new(spec, Arc::clone(outbox), Arc::clone(clock))));
            }
            None => tools.push(Arc::new(notify::Notify::new(sender)?)),
        }
    }
    if !settings.http_allow.is_empty() {
        tools.push(Arc::new(probe::Probe::new(client, settings.http_allow.clone())?));
    }
    Ok(tools)
}

/// What carries stored notifications to each configured target, by the tool's name: also those sent within the call, which
/// an earlier configuration may have stored.
pub fn carriers(
    settings: &ToolsSettings,
    clock: &Arc<dyn Clock>,
) -> Result<BTreeMap<ToolName, Arc<dyn Carrier>>, ToolsError> {
    let client = http::client()?;
    let carrier = |(name, target): (&String, &NotifySettings)| {
        let sender = Sender::new(client.clone(), Arc::clone(clock), name, target)?;
        Ok((sender.tool().clone(), Arc::new(sender) as Arc<dyn Carrier>))
    };
    settings.notify.iter().map(carrier).collect()
}
