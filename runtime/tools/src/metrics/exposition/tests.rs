use proptest::prelude::*;

use super::*;

fn labels(pairs: &[(&str, &str)]) -> SampleLabels {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn read(text: &str) -> MetricsPage {
    MetricsPage::read(text, false, false)
}

/// One line is one sample of this name with these labels, value and time.
#[track_caller]
fn check(line: &str, name: &str, pairs: &[(&str, &str)], value: f64, at: Option<f64>) {
    let page = read(&format!("{line}\n"));
    assert_eq!(page.unread, BTreeMap::new(), "{line}");
    let expect = PageSample { labels: labels(pairs), value, at };
    assert_eq!(page.samples(name), [&expect], "{line}");
}

#[test]
fn every_form_of_a_sample_is_read() {
    check("up 1", "up", &[], 1.0, None);
    check("  up\t 1 ", "up", &[], 1.0, None);
    check("up 1\r", "up", &[], 1.0, None);
    check("ns:up:rate5m 2.5e-3 1700000000500", "ns:up:rate5m", &[], 0.0025, Some(1_700_000_000.5));
    check("a{} 1", "a", &[], 1.0, None);
    check("a { b = \"c\" , d=\"e\", } 1", "a", &[("b", "c"), ("d", "e")], 1.0, None);
    check("a{uri=\"/o/{id}\"} 900", "a", &[("uri", "/o/{id}")], 900.0, None);
    check(r#"a{q="say \"hi\", \\ or\nnot"} 1"#, "a", &[("q", "say \"hi\", \\ or\nnot")], 1.0, None);
    check(r#"a{q="x} 5 # {"} 2 7"#, "a", &[("q", "x} 5 # {")], 2.0, Some(0.007));
    check(r#"a{b="",c="d"} 1"#, "a", &[("c", "d")], 1.0, None);
    check(r#"{"http.errors","le.vel"="höh"} 3"#, "http.errors", &[("le.vel", "höh")], 3.0, None);
    check(r#"{"http.errors"} 3"#, "http.errors", &[], 3.0, None);
    check(r#"a{b="\d"} 1"#, "a", &[("b", "\\d")], 1.0, None);
    check("a 0x1.8p3", "a", &[], 12.0, None);
    check("a -0X10P-4", "a", &[], -1.0, None);
    check("a +Inf", "a", &[], f64::INFINITY, None);
    check("a -inf", "a", &[], f64::NEG_INFINITY, None);
    let page = read("a NaN\n");
    assert!(page.samples("a")[0].value.is_nan());
}

#[test]
fn open_metrics_counts_seconds_and_has_exemplars() {
    let text = "# TYPE foo counter\n# UNIT foo seconds\n# HELP foo says } # {\n\
                foo_total{a=\"b\"} 17 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879606.1\nfoo_created 1\n# EOF\n";
    let page = read(text);
    assert_eq!(page.unread, BTreeMap::new());
    let expect = PageSample { labels: labels(&[("a", "b")]), value: 17.0, at: Some(1_520_879_607.789) };
    assert_eq!(page.samples("foo_total"), [&expect]);
    assert_eq!((page.type_of("foo_total"), page.type_of("foo_created")), (MetricType::Counter, MetricType::Other));
}

#[test]
fn a_type_is_that_of_the_metric_a_sample_is_part_of() {
    let text = "# TYPE lat histogram\nlat_bucket{le=\"+Inf\"} 3\nlat_sum 1\nlat_count 3\n#TYPE up gauge\nup 1\n\
                # TYPE \"odd.name\" summary\n{\"odd.name\",quantile=\"0.5\"} 1\n";
    let page = read(text);
    for name in ["lat_bucket", "lat_sum", "lat_count"] {
        assert_eq!(page.type_of(name), MetricType::Histogram, "{name}");
    }
    assert_eq!((page.type_of("up"), page.type_of("odd.name")), (MetricType::Gauge, MetricType::Summary));
    assert_eq!(page.parts("lat"), ["lat_bucket", "lat_count", "lat_sum"]);
}

#[test]
fn a_line_without_a_reading_is_kept_by_its_name_and_loses_nothing_else() {
    let odd = ["a{b=\"c} 1", "a{b=c} 1", "a{b=\"c\" d=\"e\"} 1", "a", "a one", "a 1 2 3", "a 1 soon", "a{\"b\"} 1"];
    for line in odd {
        let page = read(&format!("up 1\n{line}\nlast 2\n"));
        assert_eq!(page.unread, BTreeMap::from([("a".to_owned(), 1)]), "{line}");
        assert_eq!((page.samples("up").len(), page.samples("last").len()), (1, 1), "{line}");
    }
}

#[test]
fn the_half_line_of_a_cut_page_is_no_sample() {
    let page = MetricsPage::read("a 1\nb 12", true, false);
    assert_eq!((page.samples("a").len(), page.samples("b").len()), (1, 0));
    assert_eq!(read("a 1\nb 12").samples("b").len(), 1);
}

#[test]
fn of_one_series_the_first_counts_and_then_the_newest() {
    let page = read("a 1\na 2\nb 5 2000\nb 6 3000\nb 7 1000\n");
    assert_eq!(page.samples("a")[0].value.to_bits(), 1.0_f64.to_bits());
    assert_eq!((page.samples("b")[0].value.to_bits(), page.samples("b").len()), (6.0_f64.to_bits(), 1));
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

proptest! {
    #[test]
    fn what_is_written_is_read(
        name in "[a-z_:][a-z0-9_:]{0,8}",
        pairs in proptest::collection::btree_map("[a-z_][a-z0-9_]{0,5}", "[\\PC\n]{1,12}", 0..4),
        value in -1.0e12..1.0e12_f64,
        at in proptest::option::of(0_i64..4_000_000_000_000),
        blank in "[ \t]{0,2}",
        exemplar: bool,
    ) {
        let inside: Vec<String> = pairs.iter().map(|(name, value)| format!("{blank}{name}{blank}={}", quoted(value))).collect();
        let braces = if inside.is_empty() { String::new() } else { format!("{{{}{blank}}}", inside.join(",")) };
        let time = at.map(|at| format!(" {at}")).unwrap_or_default();
        let tail = if exemplar { " # {id=\"}\"} 1 2" } else { "" };
        let page = read(&format!("{blank}{name}{braces} {value}{time}{tail}\n"));
        prop_assert_eq!(&page.unread, &BTreeMap::new());
        let samples = page.samples(&name);
        prop_assert_eq!(samples.len(), 1);
        prop_assert_eq!(&samples[0].labels, &pairs);
        prop_assert_eq!(samples[0].value.to_bits(), value.to_bits());
        prop_assert_eq!(samples[0].at.is_some(), at.is_some());
    }

    #[test]
    fn any_page_is_survived(text in "([a-z{}\"=,#\\\\ 0-9.\n]|\\PC){0,200}", cut: bool) {
        drop(MetricsPage::read(&text, cut, false));
    }
}
