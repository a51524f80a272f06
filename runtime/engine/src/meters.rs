//! What the engine counts about itself, in Prometheus's model. Labels come from the configuration and from our own words,
//! never from callers or models, so that their number is bounded.

use std::time::Duration;

use prometheus::core::{Collector, Desc};
use prometheus::proto::MetricFamily;
use prometheus::{
    GaugeVec, Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
};
use provost_domain::event::EventBody;
use provost_domain::failure::ModelFailure;
use provost_domain::ids::ToolName;
use provost_domain::model::ModelReply;
use provost_domain::tool::{Happened, ToolOutcome};

use crate::registry::LockRegistry;
use crate::resources::PresentResources;
use crate::ticker::TickerMeters;

/// Bounds of commit times, in seconds: from a fast disk's sync to a store that is in trouble.
const COMMIT_SECONDS: [f64; 10] = [0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.1, 0.5, 2.0, 10.0];

/// What a session waits for.
const MODEL: &str = "model";
const TOOL: &str = "tool";

/// One engine's figures.
#[derive(Debug)]
pub(crate) struct Meters {
    statuses: IntCounterVec,
    events: IntCounter,
    commits: Histogram,
    model_calls: IntCounterVec,
    model_tokens: IntCounterVec,
    tool_calls: IntCounterVec,
    deferred: IntCounterVec,
    pub(crate) tickers: TickerMeters,
}

/// Counts the live sessions whenever somebody asks.
#[derive(Debug)]
struct LiveSessions {
    registry: LockRegistry,
    gauge: IntGauge,
}

impl Collector for LiveSessions {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.gauge.set(i64::try_from(self.registry.len()).unwrap_or(i64::MAX));
        self.gauge.collect()
    }
}

/// Looks at the breakers of model servers whenever somebody asks.
#[derive(Debug)]
struct ModelServers {
    resources: PresentResources,
    open: IntGaugeVec,
    seconds: GaugeVec,
}

impl ModelServers {
    fn new(resources: PresentResources) -> prometheus::Result<Self> {
        let open = Opts::new("provost_model_server_open", "1 while a model server is away and left alone, else 0.");
        let seconds = Opts::new("provost_model_server_open_seconds", "How long a model server has been away.");
        let (open, seconds) = (IntGaugeVec::new(open, &["server"])?, GaugeVec::new(seconds, &["server"])?);
        Ok(Self { resources, open, seconds })
    }
}

impl Collector for ModelServers {
    fn desc(&self) -> Vec<&Desc> {
        [self.open.desc(), self.seconds.desc()].concat()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let models = &self.resources.get().models;
        // A reload may have taken some away.
        self.open.reset();
        self.seconds.reset();
        for server in models.servers() {
            self.open.with_label_values(&[server]).set(0);
            self.seconds.with_label_values(&[server]).set(0.0);
        }
        for away in models.away() {
            self.open.with_label_values(&[&away.server]).set(1);
            self.seconds.with_label_values(&[&away.server]).set(away.absence.lasts.as_secs_f64());
        }
        [self.open.collect(), self.seconds.collect()].concat()
    }
}

impl Meters {
    /// Registers the figures.
    ///
    /// # Errors
    /// Figures of the same name are registered already.
    pub(crate) fn new(
        registry: &Registry,
        (sessions, resources): (LockRegistry, PresentResources),
    ) -> prometheus::Result<Self> {
        let commits = HistogramOpts::new("provost_commit_seconds", "How long appends took to become durable.");
        let meters = Self {
            statuses: IntCounterVec::new(
                Opts::new("provost_session_statuses_total", "Sessions that came to a status."),
                &["status"],
            )?,
            events: IntCounter::new("provost_events_total", "Events that became durable.")?,
            commits: Histogram::with_opts(commits.buckets(COMMIT_SECONDS.to_vec()))?,
            model_calls: IntCounterVec::new(
                Opts::new("provost_model_calls_total", "Questions to models, retries not counted."),
                &["model", "result"],
            )?,
            model_tokens: IntCounterVec::new(
                Opts::new("provost_model_tokens_total", "Tokens that models reported."),
                &["model", "kind"],
            )?,
            tool_calls: IntCounterVec::new(
                Opts::new("provost_tool_calls_total", "Tool calls that were made, retries not counted."),
                &["tool", "result"],
            )?,
            deferred: IntCounterVec::new(
                Opts::new("provost_deferred_total", "Failures of models and tools after which a session waits."),
                &["what"],
            )?,
            tickers: TickerMeters::new(registry)?,
        };
        for what in [MODEL, TOOL] {
            meters.deferred.with_label_values(&[what]).reset();
        }
        let gauge = IntGauge::new("provost_sessions_live", "Sessions in memory.")?;
        registry.register(Box::new(LiveSessions { registry: sessions, gauge }))?;
        registry.register(Box::new(ModelServers::new(resources)?))?;
        registry.register(Box::new(meters.statuses.clone()))?;
        registry.register(Box::new(meters.events.clone()))?;
        registry.register(Box::new(meters.commits.clone()))?;
        registry.register(Box::new(meters.model_calls.clone()))?;
        registry.register(Box::new(meters.model_tokens.clone()))?;
        registry.register(Box::new(meters.tool_calls.clone()))?;
        registry.register(Box::new(meters.deferred.clone()))?;
        Ok(meters)
    }

    /// The store answered an append.
    pub(crate) fn committed(&self, took: Duration) {
        self.commits.observe(took.as_secs_f64());
    }

    /// These events are durable.
    pub(crate) fn recorded(&self, events: &[EventBody]) {
        self.events.inc_by(events.len() as u64);
        for event in events {
            if let EventBody::StatusChanged(change) = event {
                self.statuses.with_label_values(&[change.to_status().as_str()]).inc();
            } else if let EventBody::ModelDeferred(_) = event {
                self.deferred.with_label_values(&[MODEL]).inc();
            } else if let EventBody::ToolDeferred(_) = event {
                self.deferred.with_label_values(&[TOOL]).inc();
            }
        }
    }

    /// A model answered, or did not for good.
    pub(crate) fn asked(&self, model: &str, result: &Result<ModelReply, ModelFailure>) {
        self.model_calls.with_label_values(&[model, word(result.as_ref().err())]).inc();
        let Ok(reply) = result else { return };
        let usage = &reply.usage;
        for (kind, tokens) in [("input", usage.input), ("cached", usage.cached), ("output", usage.output)] {
            self.model_tokens.with_label_values(&[model, kind]).inc_by(tokens);
        }
    }

    /// A tool call came to this.
    pub(crate) fn called(&self, tool: &ToolName, outcome: &ToolOutcome) {
        let result = match outcome {
            ToolOutcome::Ok { .. } => "ok",
            ToolOutcome::Empty { .. } => "empty",
            ToolOutcome::Truncated { .. } => "truncated",
            ToolOutcome::Partial { .. } => "partial",
            ToolOutcome::Failed { failure } if failure.happened == Happened::Maybe => "unknown",
            ToolOutcome::Failed { .. } => "failed",
        };
        self.tool_calls.with_label_values(&[tool.as_str(), result]).inc();
    }
}

fn word(failure: Option<&ModelFailure>) -> &'static str {
    match failure {
        None => "ok",
        Some(ModelFailure::LlmTimeout { .. }) => "timeout",
        Some(ModelFailure::LlmConfig { .. }) => "config",
        Some(ModelFailure::RateLimited { .. }) => "rate_limited",
        Some(ModelFailure::Unavailable { .. }) => "unavailable",
        Some(ModelFailure::Malformed { .. }) => "malformed",
        Some(ModelFailure::Refused { .. }) => "refused",
    }
}
