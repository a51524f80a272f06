use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expect: Result<(f64, Option<&str>, EnvelopeSource), EnvelopeProblem>) {
    let parsed = parse(text).map(|(envelope, source)| (envelope.confidence.get(), envelope.signal, source));
    assert_eq!(parsed, expect.map(|(c, signal, source)| (c, signal.map(str::to_owned), source)), "{text}");
}

/// A Markdown reply that is read, with all it says.
#[track_caller]
fn check_markdown(text: &str, content: &str, confidence: f64, rationale: &str, signal: Option<&str>) {
    let (content, rationale, signal) = (content.to_owned(), rationale.to_owned(), signal.map(str::to_owned));
    let envelope =
        Envelope { content, confidence: Confidence::new(confidence).unwrap(), rationale, signal, report: None };
    assert_eq!(parse(text), Ok((envelope, EnvelopeSource::Markdown)), "{text}");
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
    let args = |confidence: Value| json!({"content": "c", "confidence": confidence, "rationale": "r"});
    assert_eq!(from_args(&json!({"content": "c", "rationale": "r"})), Err(EnvelopeProblem::MissingConfidence));
    assert_eq!(from_args(&args(Value::Null)), Err(EnvelopeProblem::MissingConfidence));
    assert_eq!(from_args(&args(json!("0.9"))), Err(bad("\"0.9\"")));
    assert_eq!(from_args(&args(json!(1.5))), Err(bad("1.5")));
    assert_eq!(from_args(&args(json!(-1))), Err(bad("-1")));
    let mut more = args(json!(0.9));
    more["status"] = json!("resolved");
    assert_eq!(from_args(&more), Err(EnvelopeProblem::UnknownKey { key: "status".to_owned() }));
    for other in [json!(["c", 0.5, "r", null]), json!("c"), json!({"confidence": 1, "rationale": "r"})] {
        assert!(matches!(from_args(&other), Err(EnvelopeProblem::BadForm { .. })), "{other}");
    }
    check("[1, 2]", Err(EnvelopeProblem::NoEnvelope));
    check(r#"{"content": "c", "confidence": 0.9, "rationale""#, Err(EnvelopeProblem::NoEnvelope));
}

#[test]
fn the_schema_asks_for_what_is_read() {
    let schema = crate::schema::ArgSchema::new(finish_schema(["s"].into_iter(), Some((json!({}), false)))).unwrap();
    let args = json!({"content": "c", "confidence": 0, "rationale": "r", "signal": "s"});
    assert!(schema.problems(&args).is_empty());
    assert!(from_args(&args).is_ok());
    assert!(KEYS.iter().all(|key| schema.declares(key)));
    for (key, value) in [("confidence", json!(2)), ("confidence", json!("1")), ("signal", json!(1)), ("x", json!(1))] {
        let mut broken = args.clone();
        broken[key] = value;
        assert!(!schema.problems(&broken).is_empty() && from_args(&broken).is_err(), "{broken}");
    }
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
        "**Signal: lost",
    ] {
        let text = format!("## Response\nseen\n{line}\n## Confidence\n0.3\n## Signal\nstuck");
        check_markdown(&text, &format!("seen\n{line}"), 0.3, "", Some("stuck"));
    }
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
    for text in ["high", "1.2", "85", "101%", "NaN", "inf", "0,85", "0.4 or 0.9", "0.9/1", "%"] {
        check(&format!("## Response\nok\n## Confidence\n{text}"), Err(bad(text)));
    }
    for text in [":-0.5", ": -0.5", ":−0.5", ": - 0.5"] {
        let value = text.trim_start_matches([':', ' ']);
        check(&format!("## Response\nok\n**Confidence**{text}"), Err(bad(value)));
    }
    check("## Response\nok\n## Confidence -0.5", Err(EnvelopeProblem::MissingConfidence));
}

#[test]
fn a_problem_tells_how_to_mend_it() {
    let long = format!("## Response\nok\n## Confidence\n{}", "é".repeat(1_000));
    for (text, hint) in [
        ("ok", "`## Response`"),
        ("## Response\nok", "from 0 to 1"),
        (&*long, "from 0 to 1"),
        (r#"{"content": "c", "confidence": 1, "rationale": "r", "x": 1}"#, "only content, confidence"),
        ("## Response\n## Response\n", "code block"),
    ] {
        let problem = parse(text).unwrap_err().to_string();
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
        let envelope = from_args(&args).unwrap();
        assert_eq!((envelope.content.len(), long.starts_with(&envelope.content)), (bytes, true));
        assert!(envelope.rationale.len() <= RATIONALE_MAX && envelope.rationale.len() + 3 > RATIONALE_MAX);
        assert_eq!(envelope.signal.map(|signal| signal.len()), Some(SIGNAL_MAX));
    }
}

#[test]
fn signals_are_words() {
    for (text, expect) in [
        ("Needs Input", Some("needs_input")),
        ("**fix -- applied**", Some("fix_applied")),
        ("a__b", Some("a__b")),
        ("_x_", Some("x")),
        ("é", None),
        ("—", None),
        ("", None),
    ] {
        assert_eq!(signal_word(text).as_deref(), expect, "{text}");
    }
    let edge = "a".repeat(SIGNAL_MAX - 1);
    assert_eq!(signal_word(&format!("{edge} b")), Some(edge), "no word ends in a gap");
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
    let text = || "[abdhkl0-9äЖ .,:#*—\n>-]{0,80}".prop_map(|text| text.trim().to_owned());
    let signal = proptest::option::of("[a-z0-9]([a-z0-9_]{0,62}[a-z0-9])?");
    (text(), 0.0..=1.0_f64, text(), signal).prop_map(|(content, confidence, rationale, signal)| Envelope {
        content,
        confidence: Confidence::new(confidence).unwrap(),
        rationale,
        signal,
        report: None,
    })
}

proptest! {
    #[test]
    fn any_text_gives_an_answer_within_bounds(text in texts()) {
        if let Ok((envelope, source)) = parse(&text) {
            prop_assert!((0.0..=1.0).contains(&envelope.confidence.get()));
            prop_assert!(envelope.content.len() <= CONTENT_MAX && envelope.rationale.len() <= RATIONALE_MAX);
            let word = |s: &String| s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_');
            prop_assert!(envelope.signal.as_ref().is_none_or(|s| word(s) && (1..=SIGNAL_MAX).contains(&s.len())));
            let names = ["response", "confidence"].map(|name| text.to_lowercase().contains(name));
            prop_assert!(source == EnvelopeSource::Json || names == [true, true]);
        }
    }

    #[test]
    fn reading_again_changes_nothing(content in "\\PC{0,40}", confidence in 0.0..=1.0_f64, signal in "\\PC{0,80}") {
        let args = json!({"content": content, "confidence": confidence, "rationale": "r", "signal": signal});
        let once = from_args(&args).unwrap();
        prop_assert_eq!(from_args(&serde_json::to_value(&once).unwrap()), Ok(once));
    }

    #[test]
    fn json_round_trips(envelope in envelopes(), pretty: bool) {
        let text = if pretty { serde_json::to_string_pretty(&envelope) } else { serde_json::to_string(&envelope) }.unwrap();
        prop_assert_eq!(parse(&text), Ok((envelope.clone(), EnvelopeSource::Json)));
        prop_assert_eq!(parse(&format!("```json\n{text}\n```")), Ok((envelope, EnvelopeSource::Json)));
    }

    #[test]
    fn markdown_round_trips(envelope in envelopes(), bold: bool) {
        let Envelope { content, confidence, rationale, signal, report: _ } = &envelope;
        let signal = signal.as_deref().unwrap_or_default();
        let text = if bold {
            format!("**Response:** {content}\n**Confidence** — {confidence}\n**Signal**\n{signal}\n**Rationale:** {rationale}")
        } else {
            format!("## Response\n{content}\n\n## Confidence\n{confidence}\n\n## Rationale\n{rationale}\n\n## Signal\n{signal}\n")
        };
        prop_assert_eq!(parse(&text), Ok((envelope, EnvelopeSource::Markdown)));
    }
}
