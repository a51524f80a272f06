//! Which series of a page a name means, and what it comes to now.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::exposition::{MetricType, MetricsPage, PageSample, SampleLabels};

/// Most series whose labels are listed to choose from.
pub(super) const LISTED_MAX: usize = 20;

/// What a name means on a page.
#[derive(Debug, Default)]
pub(super) struct SamplePick {
    /// The number now; none where nothing is measured or where it cannot be told.
    pub(super) value: Option<f64>,
    /// What else is known; empty when the page does not have the name.
    pub(super) shown: Map<String, Value>,
    /// Several series have the name, and they do not add up.
    pub(super) ambiguous: bool,
    /// A line that may be the one that was asked for cannot be read.
    pub(super) unread: bool,
}

/// Finds a name: a plain one, or one with labels such as `requests_total{code="500"}`, which are matched as `matches` are.
pub(super) fn pick(page: &MetricsPage, wanted: &str, matches: &BTreeMap<String, String>, cut: bool) -> SamplePick {
    let (name, _) = selector(wanted);
    let found = fitting(page, wanted, matches);
    let unread = page.unread.contains_key(name.as_str());
    let mut picked = match found.as_slice() {
        [] => nothing(page, &name),
        [one] => single(one),
        many if adds_up(page, &name) => sum(many, cut),
        many => ambiguous(many),
    };
    if unread {
        picked.value = None;
        picked.shown.insert("note".to_owned(), "a line of this name on the page cannot be read".into());
    }
    if let Some(kind) = page.type_of(&name).as_str().filter(|_| !picked.shown.is_empty() || !found.is_empty()) {
        picked.shown.insert("type".to_owned(), kind.into());
    }
    SamplePick { unread, ..picked }
}

/// The series of a page that a name with labels means.
pub(super) fn fitting<'a>(
    page: &'a MetricsPage,
    wanted: &str,
    matches: &BTreeMap<String, String>,
) -> Vec<&'a PageSample> {
    let (name, mut chosen) = selector(wanted);
    chosen.extend(matches.clone());
    let fits = |sample: &&PageSample| chosen.iter().all(|(label, value)| value_of(&sample.labels, label) == value);
    let found: Vec<&PageSample> = page.samples(&name).into_iter().filter(fits).collect();
    // A series with exactly these labels is meant, also where others have more; none at all are meant by `NAME{}`.
    let exactly = !chosen.is_empty() || wanted.ends_with("{}");
    let exact = found.iter().copied().find(|sample| exactly && sample.labels == chosen);
    exact.map_or(found, |exact| vec![exact])
}

/// A label that is not there is an empty one.
fn value_of<'a>(labels: &'a SampleLabels, label: &str) -> &'a str {
    labels.get(label).map_or("", String::as_str)
}

/// A name and the labels written behind it.
pub(super) fn selector(wanted: &str) -> (String, SampleLabels) {
    let page = MetricsPage::read(&format!("{wanted} 0\n"), false, false);
    page.only().unwrap_or_else(|| (wanted.to_owned(), SampleLabels::new()))
}

fn single(sample: &PageSample) -> SamplePick {
    let mut shown = Map::new();
    if !sample.labels.is_empty() {
        shown.insert("labels".to_owned(), json!(sample.labels));
    }
    if let Some(at) = sample.at {
        shown.insert("at".to_owned(), json!(at));
    }
    let value = Some(sample.value).filter(|value| value.is_finite());
    if value.is_none() {
        shown.insert("text".to_owned(), text(sample.value).into());
    }
    // Says that the page has the name.
    shown.insert("now".to_owned(), json!(value));
    SamplePick { value, shown, ..SamplePick::default() }
}

/// How a value other than a number is written on a page.
fn text(value: f64) -> &'static str {
    if value.is_nan() {
        "NaN"
    } else if value > 0.0 {
        "+Inf"
    } else {
        "-Inf"
    }
}

/// Whether the series of a name may be added over their labels: counts may, buckets and quantiles may not.
fn adds_up(page: &MetricsPage, name: &str) -> bool {
    let counts = ["_total", "_count", "_sum"].iter().any(|suffix| name.ends_with(suffix));
    match page.type_of(name) {
        MetricType::Counter => true,
        MetricType::Histogram | MetricType::Summary | MetricType::Other => counts,
        MetricType::Gauge => false,
    }
}

/// A sum of counts. A part other than a number spoils it, and on a page that was cut it lacks what came after.
fn sum(samples: &[&PageSample], cut: bool) -> SamplePick {
    let sum: f64 = samples.iter().map(|sample| sample.value).sum();
    let mut shown = Map::from_iter([("series".to_owned(), json!(samples.len()))]);
    if !sum.is_finite() {
        shown.insert("text".to_owned(), text(sum).into());
    }
    if cut {
        shown.insert("note".to_owned(), "the page was cut, so that this sum cannot be told".into());
    }
    SamplePick { value: Some(sum).filter(|sum| sum.is_finite() && !cut), shown, ..SamplePick::default() }
}

fn ambiguous(samples: &[&PageSample]) -> SamplePick {
    let listed: Vec<&SampleLabels> = samples.iter().take(LISTED_MAX).map(|sample| &sample.labels).collect();
    let mut shown = Map::from_iter([("choose".to_owned(), json!(listed))]);
    if samples.len() > LISTED_MAX {
        shown.insert("more".to_owned(), json!(samples.len() - LISTED_MAX));
    }
    shown.insert("note".to_owned(), "several series have this name; choose one by `match`".into());
    SamplePick { shown, ambiguous: true, ..SamplePick::default() }
}

/// The page does not have the name, but perhaps parts of it.
fn nothing(page: &MetricsPage, name: &str) -> SamplePick {
    let parts = page.parts(name);
    let mut shown = Map::new();
    if !parts.is_empty() {
        shown.insert("note".to_owned(), format!("it is read by its parts: {}", parts.join(", ")).into());
    }
    SamplePick { shown, ..SamplePick::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# TYPE requests counter\nrequests{code=\"200\",uri=\"/o/{id}\"} 100\nrequests{code=\"500\"} 900\n\
        hits_total{a=\"1\"} 1\nhits_total{a=\"2\"} 2\n\
        # TYPE heat gauge\nheat{room=\"a\"} 20\nheat{room=\"b\"} 30 2000\nheat{room=\"b\",side=\"n\"} 31\n\
        plain 1\nplain{room=\"a\"} 2\ntemp{room=\"a\"} 20\ntemp{room=\"b\"} 21\n\
        # TYPE lat histogram\nlat_bucket{le=\"1\"} 2\nlat_bucket{le=\"+Inf\"} 3\nlat_sum{x=\"1\"} 1\nlat_sum{x=\"2\"} 4\n\
        bad NaN\nhigh +Inf\nspoilt_total{a=\"1\"} 3\nspoilt_total{a=\"2\"} NaN\nodd{a=b} 1\n";

    #[track_caller]
    fn check(wanted: &str, matches: &[(&str, &str)], value: Option<f64>, shown: &Value) {
        let page = MetricsPage::read(PAGE, false, false);
        let matches = matches.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let picked = pick(&page, wanted, &matches, false);
        assert_eq!(picked.value.map(f64::to_bits), value.map(f64::to_bits), "{wanted}: {picked:?}");
        for (key, expect) in shown.as_object().unwrap() {
            assert_eq!(picked.shown.get(key), Some(expect), "{wanted} {key}");
        }
    }

    #[test]
    fn counts_are_added_over_their_labels() {
        check("requests", &[], Some(1000.0), &json!({"series": 2, "type": "counter"}));
        check("hits_total", &[], Some(3.0), &json!({"series": 2}));
        check("lat_sum", &[], Some(5.0), &json!({"type": "histogram"}));
        check("spoilt_total", &[], None, &json!({"text": "NaN"}));
    }

    #[test]
    fn anything_else_is_chosen_from_by_its_labels() {
        let rooms = json!([{"room": "a"}, {"room": "b"}]);
        check("temp", &[], None, &json!({"choose": rooms}));
        check("temp", &[("room", "b")], Some(21.0), &json!({"labels": {"room": "b"}}));
        check("temp{room=\"b\"}", &[], Some(21.0), &json!({"labels": {"room": "b"}}));
        check("heat", &[("room", "b")], Some(30.0), &json!({"at": 2.0, "type": "gauge"}));
        check("heat{room=\"b\"}", &[("side", "n")], Some(31.0), &json!({}));
        check("plain{}", &[], Some(1.0), &json!({}));
        check("heat", &[("room", "b"), ("side", "")], Some(30.0), &json!({}));
        check("lat_bucket", &[], None, &json!({"choose": [{"le": "+Inf"}, {"le": "1"}]}));
        check("lat", &[], None, &json!({"note": "it is read by its parts: lat_bucket, lat_sum"}));
    }

    #[test]
    fn what_is_no_number_is_named() {
        check("bad", &[], None, &json!({"text": "NaN"}));
        check("high", &[], None, &json!({"text": "+Inf"}));
        check("odd", &[], None, &json!({"note": "a line of this name on the page cannot be read"}));
        assert!(pick(&MetricsPage::read(PAGE, false, false), "gone", &BTreeMap::new(), false).shown.is_empty());
    }

    #[test]
    fn a_sum_over_a_page_that_was_cut_cannot_be_told() {
        let picked = |name| pick(&MetricsPage::read(PAGE, true, false), name, &BTreeMap::new(), true).value;
        assert_eq!(picked("requests"), None);
        assert_eq!(picked("heat{room=\"a\"}").map(f64::to_bits), Some(20.0_f64.to_bits()));
    }
}
