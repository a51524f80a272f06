//! What is logged to standard error, and how; what is can be changed while the process runs.

use std::fmt;
use std::io::{IsTerminal as _, stderr};

use provost_face::VisibleText;
use tracing::field::Field;
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::field::MakeExt as _;
use tracing_subscriber::fmt::format::{Format, Full, Writer, debug_fn};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields, layer};
use tracing_subscriber::layer::{Layer as _, SubscriberExt as _};
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Registry, reload};

/// What commands log that nobody said anything about.
const QUIET: &str = "error";
/// Longest value of a field, in characters.
const FIELD_MAX: usize = 4_000;
/// What the daemon logs that nobody said anything about.
const DAEMON: &str = "info";

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum LogFormat {
    /// For people, with time; colours on a terminal.
    Text,
    /// One JSON object per line.
    Json,
    /// For systemd's journal: its priority first, no time and no colours.
    Journal,
}

/// The process's log.
#[derive(Debug)]
pub(crate) struct Logs {
    filter: reload::Handle<EnvFilter, Registry>,
    /// The command line said what is logged; the configuration does not change that.
    given: bool,
}

/// Checks what `--log-filter` says.
pub(crate) fn directives(text: &str) -> Result<String, String> {
    EnvFilter::try_new(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
}

impl Logs {
    /// Begins to log.
    pub(crate) fn start(given: Option<&str>, format: LogFormat) -> Self {
        let (filter, handle) = reload::Layer::new(EnvFilter::new(given.unwrap_or(QUIET)));
        let lines = match format {
            LogFormat::Text => {
                layer().with_writer(stderr).with_ansi(stderr().is_terminal()).fmt_fields(visible_fields()).boxed()
            }
            LogFormat::Json => layer().with_writer(stderr).json().flatten_event(true).boxed(),
            LogFormat::Journal => {
                let plain = Format::default().without_time().with_ansi(false);
                layer()
                    .with_writer(stderr)
                    .with_ansi(false)
                    .fmt_fields(visible_fields())
                    .event_format(Journal(plain))
                    .boxed()
            }
        };
        tracing_subscriber::registry().with(filter).with(lines).init();
        Self { filter: handle, given: given.is_some() }
    }

    /// What the configuration wants logged; `None` where the command line said what is.
    pub(crate) fn wanted(&self, configured: Option<&str>) -> anyhow::Result<Option<EnvFilter>> {
        if self.given {
            return Ok(None);
        }
        let text = configured.unwrap_or(DAEMON);
        let parsed = EnvFilter::try_new(text);
        Ok(Some(parsed.map_err(|error| anyhow::anyhow!("`log.filter` of the configuration, `{text}`: {error}"))?))
    }

    /// Logs that from now on.
    pub(crate) fn follow(&self, wanted: Option<EnvFilter>) {
        let Some(wanted) = wanted else { return };
        if let Err(error) = self.filter.reload(wanted) {
            tracing::warn!(%error, "changing what is logged");
        }
    }
}

/// Fields for people. What came from outside neither begins a line nor hides anything.
fn visible_fields() -> impl for<'w> FormatFields<'w> + Send + Sync + 'static {
    debug_fn(|writer: &mut Writer<'_>, field: &Field, value: &dyn fmt::Debug| {
        let text = VisibleText::within(format!("{value:?}"), FIELD_MAX).line(FIELD_MAX);
        match field.name() {
            "message" => write!(writer, "{text}"),
            name => write!(writer, "{name}={text}"),
        }
    })
    .delimited(" ")
}

/// Lines as systemd's journal takes them from standard error: `<6>` before the text is its priority.
struct Journal(Format<Full, ()>);

impl<S, N> FormatEvent<S, N> for Journal
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, ctx: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        write!(writer, "<{}>", priority(*event.metadata().level()))?;
        self.0.format_event(ctx, writer, event)
    }
}

/// syslog's number for a level.
fn priority(level: Level) -> u8 {
    match level {
        Level::ERROR => 3,
        Level::WARN => 4,
        Level::INFO => 6,
        Level::DEBUG | Level::TRACE => 7,
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Seek as _};
    use std::sync::Arc;

    use super::*;

    #[test]
    fn a_value_from_outside_stays_within_its_line_and_hides_nothing() {
        let mut file = tempfile::tempfile().unwrap();
        let writer = Arc::new(file.try_clone().unwrap());
        let lines = layer().with_writer(writer).with_ansi(false).without_time().fmt_fields(visible_fields());
        let hostile = "a\u{1b}[2J\u{202e}\r\n<3>provost: all is well";
        tracing::subscriber::with_default(tracing_subscriber::registry().with(lines), || {
            tracing::warn!(by = %hostile, cause = hostile, "said {hostile}");
        });
        file.rewind().unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text.lines().count(), 1, "{text}");
        assert!(text.contains("said a␛[2J⟨U+202E⟩␍ <3>provost: all is well by=a␛[2J"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}', '\r']), "{text}");
    }
}
