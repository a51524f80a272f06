//! Questions to a Prometheus server.
//!
//! The tools of the kind `prometheus` answer in the types of `served` and `rules`. Those of the preset, `prometheus:query` and
//! `prometheus:query_range`, answer in one shape of their own, whose numbers a watch condition can name by path:
//!
//! ```json
//! {"value": 0.25, "results": [{"labels": {"job": "shop"}, "value": 0.25, "at": 1700000000.0}]}
//! ```
//!
//! - `value` is the number of a query with exactly one series, so `{path: value, op: "<", value: 0.02}` reads it; with more
//!   series it is `null` and `results.0.value` reads the first one's.
//! - A value is `null`, never 0, when there is no number: `NaN`, an infinity, a text, or a series that has no sample at the
//!   end of the range. `text` then holds what the server sent. Every comparison with `null` is false.
//! - A native histogram has no single number: its `value` is `null`, and `histogram` holds its `count` and `sum`.
//! - An answer with warnings, or one that says that it is partial, does not tell all: its status is `partial`.
//! - A range adds `step_s` and, to each result, `min`, `max` and `samples` as `[at, value]`, oldest first.
//! - `more` counts the series that were left out; the result is then truncated.

mod config;
mod query;
mod range;
mod rules;
mod samples;
mod served;
mod server;

pub(crate) use config::{PrometheusKind, PrometheusSection};
