//! Results in `JUnit`'s XML, which every CI system reads.

use std::fmt::Write as _;

use crate::suite::SuiteResult;

/// One document for all packs: a suite for each, a case for each scenario.
pub fn junit(results: &[SuiteResult]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for result in results {
        // Writing to a text does not fail.
        let _ok = suite(&mut text, result);
    }
    text.push_str("</testsuites>\n");
    text
}

fn suite(text: &mut String, result: &SuiteResult) -> std::fmt::Result {
    let failed = result.playbacks.iter().filter(|playback| playback.difference.is_some()).count();
    let (name, count) = (escaped(&result.pack), result.playbacks.len());
    writeln!(text, "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failed}\">")?;
    for playback in &result.playbacks {
        let (name, file) = (escaped(&playback.name), escaped(&playback.file.display().to_string()));
        let seconds = playback.lasted.as_secs();
        write!(text, "    <testcase name=\"{name}\" classname=\"{file}\" time=\"{seconds}\"")?;
        let Some(difference) = &playback.difference else {
            writeln!(text, "/>")?;
            continue;
        };
        let story = playback.story.join("\n");
        let (message, whole) = (escaped(&difference.message), escaped(&format!("{difference}\n\n{story}")));
        writeln!(text, ">\n      <failure message=\"{message}\">{whole}</failure>\n    </testcase>")?;
    }
    writeln!(text, "  </testsuite>")
}

/// A text as XML; control characters, which XML cannot hold, are question marks.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for sign in text.chars() {
        match sign {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(sign),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use provost_form::{FormError, Position};

    use super::*;
    use crate::coverage::Coverage;
    use crate::play::Playback;

    #[test]
    fn a_hostile_name_stays_a_text() {
        let playback = |name: &str, difference| Playback {
            name: name.to_owned(),
            file: "tests/a.yaml".into(),
            difference,
            story: vec!["]]> & so".to_owned()],
            coverage: Coverage::default(),
            lasted: Duration::from_secs(90),
        };
        let difference = FormError::at("tests/a.yaml".as_ref(), Position { line: 3, column: 1 }, "1 < 2\u{1b}", "");
        let playbacks = vec![playback("good", None), playback("<&\">", Some(difference))];
        let result = SuiteResult { pack: "p".to_owned(), playbacks, missing: Vec::new() };
        let expect = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite name=\"p\" tests=\"2\" failures=\"1\">\n    \
            <testcase name=\"good\" classname=\"tests/a.yaml\" time=\"90\"/>\n    \
            <testcase name=\"&lt;&amp;&quot;&gt;\" classname=\"tests/a.yaml\" time=\"90\">\n      \
            <failure message=\"1 &lt; 2?\">tests/a.yaml:3:1: 1 &lt; 2?\n\n]]&gt; &amp; so</failure>\n    </testcase>\n  </testsuite>\n</testsuites>\n";
        assert_eq!(junit(&[result]), expect);
    }
}
