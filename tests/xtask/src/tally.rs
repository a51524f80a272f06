//! The counts of a test run, read from nextest's report (a `JUnit` file).

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};

/// How many tests passed, and which failed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Tally {
    /// The number of tests that passed.
    pub(crate) passed: u32,
    /// How often each test failed, by `binary test`.
    pub(crate) failed: BTreeMap<String, u32>,
}

impl Tally {
    /// Reads a report. A test that timed out or could not be started counts as failed.
    pub(crate) fn read(report: &str) -> Result<Self> {
        let report = roxmltree::Document::parse(report).context("the report of nextest cannot be read")?;
        let mut tally = Self::default();
        for case in report.descendants().filter(|node| node.has_tag_name("testcase")) {
            let failed = case.children().any(|node| node.has_tag_name("failure") || node.has_tag_name("error"));
            if failed {
                let attribute = |name: &str| case.attribute(name).unwrap_or("?");
                *tally.failed.entry(format!("{} {}", attribute("classname"), attribute("name"))).or_default() += 1;
            } else {
                tally.passed += 1;
            }
        }
        Ok(tally)
    }

    /// The number of failures, repeated ones of a test included.
    pub(crate) fn failures(&self) -> u32 {
        self.failed.values().sum()
    }

    /// Adds the counts of another run.
    pub(crate) fn add(&mut self, other: Self) {
        self.passed += other.passed;
        for (name, count) in other.failed {
            *self.failed.entry(name).or_default() += count;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="nextest-run" tests="3" failures="1" errors="1">
    <testsuite name="provost-tests::it" tests="3">
        <testcase name="busy::a" classname="provost-tests::it" time="0.1"/>
        <testcase name="busy::b" classname="provost-tests::it"><failure type="test failure">no</failure></testcase>
        <testcase name="busy::c" classname="provost-tests::it"><error type="execution failure"/></testcase>
    </testsuite>
</testsuites>"#;

    #[test]
    fn failures_and_errors_are_named_and_the_rest_passed() {
        let mut tally = Tally::read(REPORT).unwrap();
        tally.add(Tally::read(REPORT).unwrap());
        let failed = ["provost-tests::it busy::b", "provost-tests::it busy::c"].map(|name| (name.to_owned(), 2));
        assert_eq!(tally, Tally { passed: 2, failed: failed.into() });
        assert_eq!(tally.failures(), 4);
    }

    #[test]
    fn text_that_is_not_a_report_is_an_error() {
        assert!(Tally::read("<testsuites>").is_err());
    }
}
