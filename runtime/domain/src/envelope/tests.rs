use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(text: &str, expect: Result<(f64, Option<&str>, EnvelopeSource), EnvelopeProblem>) {
    let parsed = parse(text).map(|(envelope, source)| (envelope.confidence, envelope.signal, source));
    assert_eq!(parsed, expect.map(|(c, signal, source)| (c, signal.map(str::to_owned), source)), "{text}");
}

#[test]
fn json_bare_and_fenced() {
    let json = r#"{"content": "c", "confidence": 0.5, "rationale": "r", "signal": "Fix-Applied"}"#;
    check(json, Ok((0.5, Some("fix_applied"), EnvelopeSource::Json)));
    check(&format!("```json\n{json}\n```"), Ok((0.5, Some("fix_applied"), EnvelopeSource::Json)));
}

#[test]
fn markdown_headings_with_any_dash() {
    for dash in ["-", "–", "—", "−", ":"] {
        let text = format!("## Response\nIt is fine.\n\n**Confidence** {dash} 85 %\n### Signal {dash} success");
        check(&text, Ok((0.85, Some("success"), EnvelopeSource::Markdown)));
    }
    check("Response: ok\nConfidence: 0.4", Ok((0.4, None, EnvelopeSource::Markdown)));
}

#[test]
fn no_confidence_is_ever_made_up() {
    check("## Response\nok", Err(EnvelopeProblem::MissingConfidence));
    check("## Response\nok\n## Confidence\nhigh", Err(EnvelopeProblem::BadConfidence { text: "high".to_owned() }));
    check("## Response\nok\n## Confidence\n1.2", Err(EnvelopeProblem::BadConfidence { text: "1.2".to_owned() }));
    check("all good, trust me", Err(EnvelopeProblem::NoEnvelope));
    assert!(parse(r#"{"content": "c", "rationale": "r"}"#).is_err());
    assert!(parse(r#"{"content": "c", "confidence": 1, "rationale": "r", "status": "resolved"}"#).is_err());
}

#[test]
fn terminal_arguments_speak_only_with_a_confidence() {
    assert_eq!(from_terminal(&json!({"summary": "s"})), None);
    let own = from_terminal(&json!({"summary": "s", "confidence": 0.9, "rationale": "r"}));
    assert_eq!(own.map(|e| (e.content, e.confidence)), Some(("s".to_owned(), 0.9)));
}

proptest! {
    #[test]
    fn any_text_gives_an_answer_within_bounds(text in "\\PC*") {
        if let Ok((envelope, _)) = parse(&text) {
            prop_assert!((0.0..=1.0).contains(&envelope.confidence));
        }
    }

    #[test]
    fn json_round_trips(content in "[a-z ]{0,40}", confidence in 0.0..=1.0_f64) {
        let envelope = Envelope { content, confidence, rationale: "r".to_owned(), signal: Some("done".to_owned()) };
        let text = serde_json::to_string(&envelope).unwrap();
        prop_assert_eq!(parse(&text), Ok((envelope, EnvelopeSource::Json)));
    }
}
