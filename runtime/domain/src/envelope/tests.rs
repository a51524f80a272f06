use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expect: Result<(f64, Option<&str>, EnvelopeSource), EnvelopeProblem>) {
    let parsed = parse(text, &[]).map(|(envelope, source)| (envelope.confidence.get(), envelope.signal, source));
    assert_eq!(parsed, expect.map(|(c, signal, source)| (c, signal.map(str::to_owned), source)), "{text}");
}

/// A Markdown reply that is read, with all it says.
#[track_caller]
fn check_markdown(text: &str, content: &str, confidence: f64, rationale: &str, signal: Option<&str>) {
    let (content, rationale, signal) = (content.to_owned(), rationale.to_owned(), signal.map(str::to_owned));
    let envelope = Envelope {
        content,
        confidence: Confidence::new(confidence).unwrap(),
        rationale,
        signal,
        unmatched: None,
        report: None,
    };
    assert_eq!(parse(text, &[]), Ok((envelope, EnvelopeSource::Markdown)), "{text}");
}

fn bad(text: &str) -> EnvelopeProblem {
    EnvelopeProblem::BadConfidence { text: text.to_owned() }
}

#[test]
fn json_bare_and_fenced() {
    let json = r#"{"content": "c", "confidence": 0.5, "rationale": "r", "signal": "Fix-Applied"}"#;
    for text in [json.to_owned(), format!("\n```json\n{json}\n```\n"), format!("```\n{json}```")] {
        check(&text, Ok((0.5, Some("fix_applied"), EnvelopeSource::Json)));
    }
    check(r#"{"content": "```sh\nls\n```", "confidence": 1, "rationale": ""}"#, Ok((1.0, None, EnvelopeSource::Json)));
}

#[test]
fn json_problems_are_typed() {
    let from_args = |args: &Value| from_args(args, &[]);
    let args = |confidence: Value| json!({"content": "c", "confidence": confidence, "rationale": "r"});
    assert_eq!(from_args(&json!({"content": "c", "rationale": "r"})), Err(EnvelopeProblem::MissingConfidence));
    assert_eq!(from_args(&args(Value::Null)), Err(EnvelopeProblem::MissingConfidence));
    assert_eq!(from_args(&args(json!("high"))), Err(bad("high")));
    assert_eq!(from_args(&args(json!(1.5))), Err(bad("1.5")));
    assert_eq!(from_args(&args(json!(85))), Err(bad("85")));
    assert_eq!(from_args(&args(json!(-1))), Err(bad("-1")));
    assert_eq!(from_args(&args(json!([0.9]))), Err(bad("[0.9]")));
    assert_eq!(from_args(&json!({"content": " ", "confidence": 1})), Err(EnvelopeProblem::Empty));
    for other in [json!(["c", 0.5, "r", null]), json!("c"), json!({"confidence": 1, "rationale": "r"})] {
        assert!(matches!(from_args(&other), Err(EnvelopeProblem::BadForm { .. })), "{other}");
    }
    check("[1, 2]", Err(EnvelopeProblem::NoEnvelope));
    check(r#"{"content": "c", "confidence": 0.9, "rationale""#, Err(EnvelopeProblem::NoEnvelope));
}

#[test]
fn json_in_the_forms_models_write() {
    for text in [
        r#"{"content": "c", "confidence": "0.5", "rationale": "r", "signal": "done"}"#,
        r#"{"content": "c", "confidence": "50%", "rationale": "r", "signal": "Done."}"#,
        r#"{"content": "c", "confidence": "0.5 - r", "signal": "done"}"#,
        r#"{"content": "c", "confidence": {"score": 0.5, "reason": "r"}, "signal": "done"}"#,
        r#"{"content": "c", "confidence": 0.5, "confidence_rationale": "r", "signal": "done", "next_steps": ["x"]}"#,
        r#"{"Response": "c", "Confidence": 0.5, "Confidence Rationale": "r", "Signal": "done"}"#,
        r#"{"finish_turn": {"content": "c", "confidence": 0.5, "rationale": "r", "signal": "done"}}"#,
        r#"{"content": "c", "confidence": 0.5, "rationale": "r", "signal": "done",}"#,
        "Here it is:\n\n```json\n{\"content\": \"c\", \"confidence\": 0.5, \"rationale\": \"r\", \"signal\": \"done\"}\n```\nBye.",
        "So {this} is it: {\"content\": \"c\", \"confidence\": 0.5, \"rationale\": \"r\", \"signal\": \"done\"}",
        "<think>hm {\"content\": 1}</think>{\"content\": \"c\", \"confidence\": 0.5, \"rationale\": \"r\", \"signal\": \"done\"}",
        "<answer>{\"content\": \"c\", \"confidence\": 0.5, \"rationale\": \"r\", \"signal\": \"done\"}</answer><|im_end|>",
        "<tool_call>{\"name\": \"finish_turn\", \"arguments\": {\"content\": \"c\", \"confidence\": 0.5, \"rationale\": \"r\", \"signal\": \"done\"}}</tool_call>",
    ] {
        let (envelope, source) =
            parse(text, &["done", "default"]).unwrap_or_else(|problem| panic!("{text}: {problem}"));
        assert_eq!((envelope.content.as_str(), envelope.rationale.as_str()), ("c", "r"), "{text}");
        assert_eq!((envelope.confidence.get(), envelope.signal.as_deref()), (0.5, Some("done")), "{text}");
        assert_eq!(source, EnvelopeSource::Json, "{text}");
    }
    let listed = from_args(&json!({"content": ["a", "b"], "confidence": 1}), &[]).unwrap();
    assert_eq!(listed.content, "a\nb");
    let object = from_args(&json!({"content": {"a": 1}, "confidence": 1, "report": "{\"b\": 2}"}), &[]).unwrap();
    assert_eq!((object.content.as_str(), object.report.as_deref()), (r#"{"a":1}"#, Some(&json!({"b": 2}))));
    let two = r#"{"content": "c", "confidence": 0.5} or {"content": "d", "confidence": 0.6}"#;
    assert!(matches!(parse(two, &[]), Err(EnvelopeProblem::BadForm { .. })));
    let other = r#"The log says {"confidence": 0.99, "level": "info"}."#;
    assert_eq!(parse(other, &[]).map(|(envelope, _)| envelope), Err(EnvelopeProblem::NoEnvelope));
    let call = "<tool_call>{\"name\": \"read\", \"arguments\": {broken</tool_call>";
    assert_eq!(parse(call, &[]).map(|(envelope, _)| envelope), Err(EnvelopeProblem::WrittenCall));
}

#[test]
fn the_schema_asks_for_what_is_read() {
    let schema = crate::schema::ArgSchema::new(finish_schema(["s"].into_iter(), Some((json!({}), false)))).unwrap();
    let args = json!({"content": "c", "confidence": 0, "rationale": "r", "signal": "s"});
    assert!(schema.problems(&args).is_empty());
    assert!(from_args(&args, &["s"]).is_ok());
    assert!(["content", "confidence", "rationale", "signal", "report"].iter().all(|key| schema.declares(key)));
}

#[test]
fn markdown_headings_with_any_dash() {
    for dash in ["-", "--", "–", "—", "−", "‐", "⸺", "〜", "﹘", "\u{FF0D}", ":", "："] {
        let text = format!("## Response\nIt is fine.\n\n**Confidence** {dash} 85 %\n### Signal {dash} success");
        check_markdown(&text, "It is fine.", 0.85, "", Some("success"));
    }
}

#[test]
fn markdown_headings_at_any_level_in_any_case() {
    for form in
        ["# {}", "###### {}", "##{}", "## {} ##", "## {}:", "## **{}**", "**{}**", "**{}:**", "  __{}__", "**{}** —"]
    {
        for name in ["Confidence", "CONFIDENCE", "confidence"] {
            let text = format!("{}\n0.4", form.replace("{}", name));
            check(&format!("## Response\nok\n{text}"), Ok((0.4, None, EnvelopeSource::Markdown)));
        }
    }
    for form in [
        "## Confidence—0.4",
        "**Confidence:** 0.4",
        "**Confidence: 0.4**",
        "**Confidence** - 0.4",
        "## Confidence: **0.4**",
    ] {
        check(&format!("## Response\nok\n{form}"), Ok((0.4, None, EnvelopeSource::Markdown)));
    }
    check("```markdown\n# Response\nok\n# Confidence\n40%\n```", Ok((0.4, None, EnvelopeSource::Markdown)));
}

#[test]
fn a_section_holds_all_its_lines() {
    let text = "Sure!\r\n## Response: one\r\n### Details\r\n- two\r\n\r\n## Confidence\r\n\r\n0.8\r\n---\r\n\
                ## Rationale — three\r\nfour\r\n## Signal\r\n`Needs Input`\r\n\r\nThanks.";
    check_markdown(text, "one\n### Details\n- two", 0.8, "three\nfour", Some("needs_input"));
}

#[test]
fn prose_is_no_heading() {
    for line in [
        "* Response times doubled",
        "* Confidence in the release is low",
        "**Response times** doubled",
        "**Confidence** in the release is low",
        "## Response-time analysis",
        "## Confidence interval",
        "## Signals: none",
        "Confidence: 0.99",
        "> **Confidence:** 0.99",
        "* **Confidence:** 0.99",
        "**Signal: lost",
    ] {
        let text = format!("## Response\nseen\n{line}\n## Confidence\n0.3\n## Signal\nstuck");
        check_markdown(&text, &format!("seen\n{line}"), 0.3, "", Some("stuck"));
    }
}

#[test]
fn headings_as_models_write_them() {
    for (response, confidence, signal) in [
        ("## 1. Response\n", "## 2. Confidence\n", "## 3. Signal\n"),
        ("## ✅ Response\n", "## 🎯 Confidence\n", "## 🚦 Signal\n"),
        ("## Final Response\n", "## Confidence Score\n", "## Signal\n"),
        ("## Response\n", "## Confidence (0-1)\n", "## Signal\n"),
        ("## RESPONSE\n", "## CONFIDENCE LEVEL\n", "## SIGNAL\n"),
        ("Response\n---\n", "Confidence\n===\n", "Signal\n--\n"),
        ("Response: ", "Confidence: ", "Signal: "),
        ("- Response: ", "- Confidence: ", "- Signal: "),
        ("1. **Response:** ", "2. **Confidence:** ", "3. **Signal:** "),
        ("**1. Response**\n", "**2. Confidence**\n", "**3. Signal**\n"),
        ("**Response:** ", "**Confidence Score:** ", "**Signal:** "),
        ("✅ **Response:** ", "🎯 **Confidence:** ", "🚦 **Signal:** "),
        ("response: ", "confidence: ", "signal: "),
        ("Response — ", "Confidence — ", "Signal — "),
        ("## Response\n", "Confidence: ", "Signal: "),
    ] {
        let text = format!("{response}all well\n\n{confidence}0.4 — seen\n\n{signal}done");
        check_markdown(&text, "all well", 0.4, "seen", Some("done"));
        check_markdown(&format!("```markdown\n{text}\n```"), "all well", 0.4, "seen", Some("done"));
        check_markdown(&format!("<think>{confidence}0.9</think>\n{text}</s>"), "all well", 0.4, "seen", Some("done"));
    }
    let text = "Response: all well\nConfidence: 0.4 — seen\nSignal: done";
    check_markdown(text, "all well", 0.4, "seen", Some("done"));
    let text = "## Signal\ndone\n\n## Confidence\n- 0.4\n- seen\n\n## Response\nall well\n\n## Summary\nmore";
    check_markdown(text, "all well\n\n## Summary\nmore", 0.4, "seen", Some("done"));
    let text = "<Response>all well</Response>\n<confidence>0.4 — seen</confidence>\n<signal>done</signal>";
    check_markdown(text, "all well", 0.4, "seen", Some("done"));
    let text = "I looked.\n```md\n## Response\nall well\n## Confidence\n0.4 — seen\n## Signal\ndone\n```\nBye.";
    check_markdown(text, "all well", 0.4, "seen", Some("done"));
}

#[test]
fn what_is_quoted_does_not_speak_for_the_model() {
    let headings = "## Confidence\n0.99\n## Signal\nresolved";
    for (open, close) in [("```", "```"), ("```log", "```"), ("~~~", "~~~~"), ("````\n```\n~~~\n````sh", "````")] {
        let quoted = format!("{open}\n{headings}\n{close}");
        let text = format!("## Response\n{quoted}\n## Confidence\n0.3\n## Signal\nstuck");
        check_markdown(&text, &quoted, 0.3, "", Some("stuck"));
        check(&format!("## Response\n{open}\n{headings}"), Err(EnvelopeProblem::MissingConfidence));
    }
    check("## Response\n```ls```\n## Confidence\n0.3", Ok((0.3, None, EnvelopeSource::Markdown)));
    let text = "## Response\nThe log says\n## Confidence\n0.99\n## Confidence\n0.3";
    check(text, Err(EnvelopeProblem::Repeated { heading: "Confidence" }));
    let text = "## Response\nThe log says\n**Signal:** resolved\n## Confidence\n0.3\n## Signal\nstuck";
    check(text, Err(EnvelopeProblem::Repeated { heading: "Signal" }));
}

#[test]
fn no_confidence_is_ever_made_up() {
    check("## Response\nok", Err(EnvelopeProblem::MissingConfidence));
    check("## Response\nok\n## Confidence\n\n## Signal\ndone", Err(EnvelopeProblem::MissingConfidence));
    check("## Confidence\n0.9", Err(EnvelopeProblem::NoEnvelope));
    check("all good, trust me", Err(EnvelopeProblem::NoEnvelope));
    check("", Err(EnvelopeProblem::NoEnvelope));
    for text in ["high", "1.2", "85", "101%", "NaN", "inf", "0.4 or 0.9", "0.9/2", "%", "> 0.9"] {
        check(&format!("## Response\nok\n## Confidence\n{text}"), Err(bad(text)));
    }
    for text in [":-0.5", ": -0.5", ":−0.5", ": - 0.5"] {
        let value = text.trim_start_matches([':', ' ']);
        check(&format!("## Response\nok\n**Confidence**{text}"), Err(bad(value)));
    }
    check("## Response\nok\n## Confidence -0.5", Err(EnvelopeProblem::MissingConfidence));
    check("## Response\nThe log says\nConfidence: 0.99\nand goes on.", Err(EnvelopeProblem::MissingConfidence));
    check("## Response\nThe log says\n\nConfidence: 0.99\n\nand goes on.", Err(EnvelopeProblem::MissingConfidence));
    check("## Response\n> Confidence: 0.99", Err(EnvelopeProblem::MissingConfidence));
    check("I'm sorry, I can't help with that. I am about 85% confident.", Err(EnvelopeProblem::NoEnvelope));
}

#[test]
fn a_problem_tells_how_to_mend_it() {
    let long = format!("## Response\nok\n## Confidence\n{}", "é".repeat(1_000));
    for (text, hint) in [
        ("ok", "`## Response`"),
        ("## Response\nok", "from 0 to 1"),
        (&*long, "from 0 to 1"),
        (r#"{"content": "", "confidence": 1, "rationale": "r"}"#, "as `content`"),
        ("<tool_call>{x}</tool_call>", "one JSON object"),
        ("## Response\n## Response\n", "code block"),
    ] {
        let problem = parse(text, &[]).unwrap_err().to_string();
        assert!(problem.contains(hint) && problem.len() < 250, "{problem}");
    }
}

#[test]
fn terminal_arguments_speak_only_with_a_confidence() {
    let own = |args: Value| from_terminal(&args).map(|e| (e.content, e.confidence.get(), e.rationale, e.signal));
    let expect = |content: &str, rationale: &str| Some((content.to_owned(), 0.9, rationale.to_owned(), None));
    assert_eq!(own(json!({"summary": "s", "rationale": "r"})), None);
    assert_eq!(own(json!({"summary": "s", "rationale": "r", "confidence": 1.1})), None);
    assert_eq!(own(json!({"summary": "s", "rationale": "r", "confidence": "0.9"})), None);
    assert_eq!(own(json!({"summary": "s", "confidence": 0.9, "rationale": "r"})), expect("s", "r"));
    assert_eq!(own(json!({"reason": "w", "confidence": 0.9, "rationale": "r"})), expect("w", "r"));
    assert_eq!(own(json!({"confidence": 0.9, "rationale": "r"})), expect("r", "r"));
}

#[test]
fn texts_are_cut_at_their_limits() {
    for (letter, bytes) in [("x", CONTENT_MAX), ("é", CONTENT_MAX), ("€", CONTENT_MAX - 1)] {
        let long = letter.repeat(20_000);
        let args = json!({"content": long, "confidence": 0, "rationale": long, "signal": "x".repeat(100)});
        let envelope = from_args(&args, &[]).unwrap();
        assert_eq!((envelope.content.len(), long.starts_with(&envelope.content)), (bytes, true));
        assert!(envelope.rationale.len() <= RATIONALE_MAX && envelope.rationale.len() + 3 > RATIONALE_MAX);
        assert_eq!(envelope.signal.map(|signal| signal.len()), Some(signal::SIGNAL_MAX));
    }
}

fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "\\PC{0,12}",
        Just("Response".to_owned()),
        Just("confidence".to_owned()),
        Just("Signal".to_owned()),
        "[0-9.%*_#:—–` {}\"\n~-]{1,6}",
        Just("\n## ".to_owned()),
        Just("\n**".to_owned()),
        Just("\n```\n".to_owned()),
    ];
    proptest::collection::vec(part, 0..24).prop_map(|parts| parts.concat())
}

fn envelopes() -> impl Strategy<Value = Envelope> {
    // No letters of a heading's word and no fence: what looks like one is not part of the content by rule.
    // A line of marks alone is one of Markdown's own: it is no part of a text either.
    let says_something = |line: &&str| line.is_empty() || line.chars().any(char::is_alphanumeric);
    let lines =
        move |text: String| text.lines().filter(says_something).collect::<Vec<_>>().join("\n").trim().to_owned();
    let text = || "x[abdhkl0-9äЖ .,:#*—\n>-]{0,80}".prop_map(lines);
    let signal = proptest::option::of("x[a-z0-9]([a-z0-9_]{0,61}[a-z0-9])?");
    (text(), 0.0..=1.0_f64, text(), signal).prop_map(|(content, confidence, rationale, signal)| Envelope {
        content,
        confidence: Confidence::new(confidence).unwrap(),
        rationale,
        signal,
        unmatched: None,
        report: None,
    })
}

proptest! {
    #[test]
    fn any_text_gives_an_answer_within_bounds(text in texts()) {
        if let Ok((envelope, source)) = parse(&text, &[]) {
            prop_assert!((0.0..=1.0).contains(&envelope.confidence.get()));
            prop_assert!(envelope.content.len() <= CONTENT_MAX && envelope.rationale.len() <= RATIONALE_MAX);
            let word = |s: &String| s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            prop_assert!(envelope.signal.as_ref().is_none_or(|s| word(s) && (1..=signal::SIGNAL_MAX).contains(&s.len())));
            let names = ["response", "confidence"].map(|name| text.to_lowercase().contains(name));
            prop_assert!(source == EnvelopeSource::Json || names == [true, true]);
        }
    }

    #[test]
    fn reading_again_changes_nothing(content in "\\PC{0,40}", confidence in 0.0..=1.0_f64, signal in "\\PC{0,80}") {
        let args = json!({"content": content, "confidence": confidence, "rationale": "r", "signal": signal});
        let Ok(once) = from_args(&args, &[]) else { return Ok(()) };
        let again = from_args(&serde_json::to_value(&once).unwrap(), &[]).unwrap();
        prop_assert_eq!(again, Envelope { unmatched: None, ..once });
    }

    #[test]
    fn json_round_trips(envelope in envelopes(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&envelope) } else { serde_json::to_string(&envelope) }.unwrap();
        prop_assert_eq!(parse(&text, &[]), Ok((envelope.clone(), EnvelopeSource::Json)));
        prop_assert_eq!(parse(&format!("```json\n{text}\n```"), &[]), Ok((envelope.clone(), EnvelopeSource::Json)));
        prop_assert_eq!(parse(&format!("I say:\n```json\n{text}\n```\nBye."), &[]), Ok((envelope, EnvelopeSource::Json)));
    }

    #[test]
    fn markdown_round_trips(envelope in envelopes(), bold: bool) {
        let Envelope { content, confidence, rationale, signal, unmatched: _, report: _ } = &envelope;
        let signal = signal.as_deref().unwrap_or_default();
        let text = if bold {
            format!("**Response:** {content}\n**Confidence** — {confidence}\n**Signal**\n{signal}\n**Rationale:** {rationale}")
        } else {
            format!("## Response\n{content}\n\n## Confidence\n{confidence}\n\n## Rationale\n{rationale}\n\n## Signal\n{signal}\n")
        };
        prop_assert_eq!(parse(&text, &[]), Ok((envelope, EnvelopeSource::Markdown)));
    }
}
