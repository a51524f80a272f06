use provost_domain::ids::CallId;
use provost_domain::model::Message;

use super::*;

fn request(agent: &str, round: u32, results: &[(&str, Value)]) -> ModelRequest {
    let results = results.iter().map(|(tool, result)| Message::Tool {
        call: CallId::new("1.1.0"),
        tool: (*tool).to_owned(),
        result: Arc::new(result.clone()),
    });
    ModelRequest {
        session: SessionId::new(uuid::Uuid::from_u128(1)),
        agent: agent.into(),
        assignment: AssignmentId(1),
        round,
        model: "m".to_owned(),
        system: "s".into(),
        messages: results.collect(),
        tools: Arc::from([]),
        case: Arc::new(json!({"session": {"fields": {"service": "shop"}}, "reports": {"triage": {"signal": "bad"}}})),
    }
}

const SCRIPT: &str = r#"
rules:
  - match: {agent: a, round: 1}
    reply: {calls: [{tool: "m:s", args: {service: "{{ session.fields.service }}", n: "{{ round }}"}}]}
  - match: {agent: a, where: [{path: results.m_s.ratio, op: "<", value: 0.1}]}
    reply: {envelope: {content: "{{ session.fields.service }} is fine", confidence: 0.9, rationale: "r", signal: ok}}
  - match: {agent: a, last_refusal: rejected}
    reply: {text: "refused"}
  - match: {agent: b, round: 1}
    reply: {fault: {kind: rate_limited, retry_after: 1s, times: 1}}
  - match: {agent: b, where: [{path: reports.triage.signal, value: bad}]}
    reply: {envelope: {content: c, confidence: 0.5, rationale: r}, via: markdown}
  - match: {agent: c}
    reply: {text: "{{ nothing.here }}"}
"#;

#[test]
fn rules_are_tried_in_order_and_templates_keep_types() {
    let provider = ScriptedProvider::from_yaml(SCRIPT).unwrap();
    let first = provider.answer(&request("a", 1, &[])).unwrap();
    let call = first.calls.first().unwrap();
    assert_eq!(call.tool, "m__s");
    assert_eq!(*call.args, Arguments::Json(json!({"service": "shop", "n": 1})));
    let healthy = [("m__s", json!({"status": "ok", "content": {"ratio": 0.01}}))];
    let second = provider.answer(&request("a", 2, &healthy)).unwrap();
    let Arguments::Json(args) = &*second.calls.first().unwrap().args else { panic!("broken") };
    assert_eq!((args["content"].as_str(), args["signal"].as_str()), (Some("shop is fine"), Some("ok")));
    let rejected = [("m__s", json!({"status": "rejected", "reason": "rejected"}))];
    assert_eq!(&*provider.answer(&request("a", 2, &rejected)).unwrap().text, "refused");
    assert_eq!(provider.answer(&request("a", 1, &[])).unwrap(), first, "the same history, the same answer");
}

#[test]
fn faults_envelopes_and_unmatched_questions() {
    let provider = ScriptedProvider::from_yaml(SCRIPT).unwrap();
    let limited = ModelFailure::RateLimited { retry_after_ms: Some(1000) };
    assert_eq!(provider.answer(&request("b", 1, &[])), Err(limited));
    let text = provider.answer(&request("b", 1, &[])).unwrap().text;
    assert!(provost_domain::envelope::parse(&text, &[]).is_ok(), "{text}");
    let unmatched = provider.answer(&request("z", 7, &[])).unwrap_err().to_string();
    assert!(unmatched.contains("agent `z` in round 7"), "{unmatched}");
    let undefined = provider.answer(&request("c", 1, &[])).unwrap_err().to_string();
    assert!(undefined.contains("script rule 6"), "{undefined}");
}

#[track_caller]
fn refuses(yaml: &str, part: &str) {
    let error = ScriptedProvider::from_yaml(yaml).unwrap_err();
    assert!(error.contains(part), "`{error}` does not say `{part}`");
}

#[test]
fn bad_scripts_are_refused_with_their_place() {
    refuses("rules: [{match: {agnt: a}, reply: {text: x}}]", "agnt");
    refuses("rules: [{match: {}, reply: {}}]", "rule 1: the reply is empty");
    refuses("rules: [{match: {}, reply: {text: x, fault: {kind: timeout}}}]", "not both");
    refuses("rules:\n  - match: {}\n    reply: [", "line");
}
