//! The OpenAI-compatible provider against a server on loopback: every failure has its type, and the key stays where it is.

use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use provost_domain::failure::ModelFailure;
use provost_domain::ids::{AgentName, AssignmentId, CallId, SessionId};
use provost_domain::model::{
    Arguments, AssistantCall, Message, ModelReply, ModelRequest, OpaqueItem, OpaquePlace, OpaqueState, ToolOffer, Usage,
};
use provost_domain::port::ModelProvider;
use provost_form::SecretPlace;
use provost_model::{ChatOptions, ModelServer, OpenAiProvider, OpenAiSettings};
use provost_tests::endpoint::{Endpoint, Said};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const KEY: &str = "sk-hush-0123456789";
/// Never reached by a test that passes.
const PATIENCE: Duration = Duration::from_mins(1);

fn provider(base_url: &str, request_timeout: Duration) -> OpenAiProvider {
    let key = SecretPlace::Env("KEY".to_owned()).load(&|_| Some(KEY.to_owned())).unwrap();
    let settings = OpenAiSettings {
        server: ModelServer {
            base_url: base_url.to_owned(),
            model: "big-1".to_owned(),
            api_key: Some(key),
            ca_file: None,
            connect_timeout: PATIENCE,
            request_timeout,
            headers: Vec::new(),
        },
        options: ChatOptions::default(),
    };
    OpenAiProvider::new(settings).unwrap()
}

fn request(messages: Vec<Message>) -> ModelRequest {
    let offer = ToolOffer {
        name: "read__gauge".to_owned(),
        description: "reads".to_owned(),
        schema: json!({"type": "object"}).into(),
    };
    ModelRequest {
        session: SessionId::new(uuid::Uuid::from_u128(1)),
        agent: AgentName::new("triage"),
        assignment: AssignmentId(1),
        round: 1,
        model: "default".to_owned(),
        system: "be brief".into(),
        messages,
        tools: [offer].into(),
        case: Arc::new(Value::Null),
    }
}

pub(crate) fn go() -> ModelRequest {
    request(vec![Message::User { text: "go".into() }])
}

/// Asks with the body that the provider itself writes.
pub(crate) async fn put(provider: &OpenAiProvider, request: &ModelRequest) -> Result<ModelReply, ModelFailure> {
    provider.ask(request, &provider.body(request)?).await
}

async fn ask(said: Said) -> Result<ModelReply, ModelFailure> {
    let endpoint = Endpoint::always(said).await;
    let answer = put(&provider(&endpoint.base_url, PATIENCE), &go()).await;
    assert_eq!(endpoint.questions().len(), 1, "a provider never asks twice");
    answer
}

#[tokio::test]
async fn parallel_calls_and_their_results_go_round() {
    let endpoint = Endpoint::start(|n, _| match n {
        0 => Said::calls(&[("read__gauge", "{\"unit\":\"m\"}"), ("read__gauge", "{\"unit\":")]),
        _ => Said::text("well"),
    })
    .await;
    let provider = provider(&format!("{}/", endpoint.base_url), PATIENCE);
    let reply = put(&provider, &go()).await.unwrap();
    let args: Vec<Arguments> = reply.calls.iter().map(|call| (*call.args).clone()).collect();
    assert_eq!(args, [Arguments::Json(json!({"unit": "m"})), Arguments::Broken("{\"unit\":".to_owned())]);
    assert_eq!(reply.usage, Usage { input: 6, cached: 4, output: 2, cost_micro_usd: None, estimated: false });

    let id = |index| CallId::at(AssignmentId(1), 1, index);
    let call = |(index, call): (usize, &provost_domain::model::ProposedCall)| AssistantCall {
        id: id(index),
        tool: call.tool.clone(),
        args: Arc::clone(&call.args),
    };
    let calls = reply.calls.iter().enumerate().map(call).collect();
    let result = |index| Message::Tool {
        call: id(index),
        tool: "read__gauge".to_owned(),
        result: Arc::new(json!({"status": "ok", "content": index})),
    };
    let history = vec![
        Message::User { text: "go".into() },
        Message::Assistant { text: reply.text, calls, opaque: None },
        result(0),
        result(1),
    ];
    let reply = put(&provider, &request(history)).await.unwrap();
    assert_eq!((&*reply.text, reply.calls.len()), ("well", 0));

    let asked = endpoint.questions();
    assert!(asked.iter().all(|asked| asked.path == "/v1/chat/completions"), "{asked:?}");
    assert!(asked.iter().all(|asked| asked.authorization == format!("Bearer {KEY}")));
    assert_eq!(asked[0].body["model"], "big-1");
    assert_eq!(asked[0].body["tools"][0]["function"]["name"], "read__gauge");
    let messages = asked[1].body["messages"].as_array().unwrap();
    let made: Vec<&Value> = messages[2]["tool_calls"].as_array().unwrap().iter().map(|call| &call["id"]).collect();
    let answered: Vec<&Value> = messages[3..].iter().map(|message| &message["tool_call_id"]).collect();
    assert_eq!(made, answered);
}

/// Red if a value were parsed on its way: its spaces and its number's form would be lost.
#[tokio::test]
async fn what_the_protocol_does_not_name_goes_back_as_it_came() {
    let (thought, signature) = ("{ \"steps\":[1.50, 2] }", "\"c2ln==\"");
    let said = format!(
        "{{\"model\":\"big-1-20261101\",\"choices\":[{{\"finish_reason\":\"tool_calls\",\"message\":{{\"content\":null,\
         \"reasoning\":{thought},\"audio\":null,\"tool_calls\":[{{\"id\":\"a\",\"type\":\"function\",\"extra\":{signature},\
         \"function\":{{\"name\":\"read__gauge\",\"arguments\":\"{{}}\"}}}}]}}}}]}}"
    );
    let endpoint = Endpoint::always(Said::Answer(200, Vec::new(), said)).await;
    let provider = provider(&endpoint.base_url, PATIENCE);
    let reply = put(&provider, &go()).await.unwrap();
    assert_eq!((reply.model.as_deref(), reply.finish.as_deref()), (Some("big-1-20261101"), Some("tool_calls")));
    let of_message = OpaquePlace::Message { key: "reasoning".to_owned() };
    let of_call = OpaquePlace::Call { call: 0, key: "extra".to_owned() };
    assert_eq!(reply.opaque, [OpaqueItem::new(of_message, thought), OpaqueItem::new(of_call, signature)]);
    let call = AssistantCall {
        id: CallId::at(AssignmentId(1), 1, 0),
        tool: reply.calls[0].tool.clone(),
        args: Arc::clone(&reply.calls[0].args),
    };
    let opaque = Some(OpaqueState { origin: provider.origin("default"), items: reply.opaque });
    let back = request(vec![Message::Assistant { text: "".into(), calls: vec![call], opaque }]);
    let body = String::from_utf8(provider.body(&back).unwrap()).unwrap();
    assert!(body.contains(&format!("\"reasoning\":{thought}")), "{body}");
    assert!(body.contains(&format!("\"extra\":{signature}")), "{body}");
    put(&provider, &back).await.unwrap();
    assert_eq!(endpoint.questions()[1].body, serde_json::from_str::<Value>(&body).unwrap());
}

#[tokio::test]
async fn a_status_becomes_its_failure() {
    for status in [401, 403, 404, 307] {
        let failure = ask(Said::error(status, "no")).await.unwrap_err();
        assert!(matches!(failure, ModelFailure::LlmConfig { .. }), "{status}: {failure:?}");
    }
    for status in [500, 502, 503, 529] {
        let failure = ask(Said::error(status, "later")).await.unwrap_err();
        assert!(matches!(&failure, ModelFailure::Unavailable { detail } if detail.contains("later")), "{failure:?}");
    }
    let failure = ask(Said::error(400, "too long")).await.unwrap_err();
    assert!(matches!(&failure, ModelFailure::Refused { detail } if detail.contains("too long")), "{failure:?}");
}

#[tokio::test]
async fn a_rate_limit_says_how_long() {
    let limited = |headers| ask(Said::Answer(429, headers, String::new()));
    let date = |text: &str| text.to_owned();
    let seconds = limited(vec![("retry-after", "7".to_owned())]).await;
    assert_eq!(seconds, Err(ModelFailure::RateLimited { retry_after_ms: Some(7000) }));
    let dates =
        vec![("date", date("Sun, 06 Nov 1994 08:49:37 GMT")), ("retry-after", date("Sun, 06 Nov 1994 08:49:40 GMT"))];
    assert_eq!(limited(dates).await, Err(ModelFailure::RateLimited { retry_after_ms: Some(3000) }));
    assert_eq!(limited(Vec::new()).await, Err(ModelFailure::RateLimited { retry_after_ms: None }));
}

#[tokio::test]
async fn what_is_no_reply_is_malformed() {
    let raw = |body: &str| Said::Answer(200, Vec::new(), body.to_owned());
    for (said, part) in [
        (raw("<html>"), "it begins `<html>`"),
        (raw(""), "it is empty"),
        (raw("{\"choices\": []}"), "no choices"),
        (raw(&"x".repeat(5 * 1024 * 1024)), "longer than"),
        (Said::message(&json!({"content": "half an ans"}), "length"), "finish_reason: length"),
    ] {
        let failure = ask(said).await.unwrap_err();
        assert!(matches!(&failure, ModelFailure::Malformed { detail } if detail.contains(part)), "{failure:?}");
    }
    let refusal = ask(Said::message(&json!({"content": null, "refusal": "I cannot"}), "stop")).await.unwrap_err();
    assert!(matches!(&refusal, ModelFailure::Refused { detail } if detail.contains("I cannot")), "{refusal:?}");
}

#[tokio::test]
async fn silence_is_a_timeout_and_nobody_there_is_unavailable() {
    let endpoint = Endpoint::always(Said::Silence).await;
    let silent = put(&provider(&endpoint.base_url, Duration::from_millis(50)), &go()).await;
    assert_eq!(silent, Err(ModelFailure::LlmTimeout { after_ms: 50 }));

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let broken = async {
        let (mut stream, _) = listener.accept().await.unwrap();
        let _read = stream.read(&mut [0; 4096]).await.unwrap();
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf").await.unwrap();
    };
    let provider = provider(&base, PATIENCE);
    let question = go();
    let (asked, ()) = tokio::join!(put(&provider, &question), broken);
    assert!(matches!(&asked, Err(ModelFailure::Unavailable { .. })), "{asked:?}");
    drop(listener);
    let refused = put(&provider, &question).await;
    assert!(
        matches!(&refused, Err(ModelFailure::Unavailable { detail }) if detail.contains("could not connect")),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_away() {
    let elsewhere = Endpoint::always(Said::text("gotcha")).await;
    let to = format!("{}/chat/completions", elsewhere.base_url);
    for status in [301, 302, 307, 308] {
        let moved = ask(Said::Answer(status, vec![("location", to.clone())], String::new())).await;
        assert!(matches!(moved, Err(ModelFailure::LlmConfig { .. })), "{moved:?}");
    }
    assert!(elsewhere.questions().is_empty());
}

/// Everything that was logged.
#[derive(Debug, Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn the_key_is_in_no_error_no_debug_output_and_no_log() {
    let log = Log::default();
    let writer = log.clone();
    tracing_subscriber::fmt()
        .with_max_level(tracing_subscriber::filter::LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .init();
    let echo = |status| Said::Answer(status, Vec::new(), format!("you sent {KEY}, that is \"{KEY}\""));
    let refusal = json!({"content": null, "refusal": KEY});
    let mut seen = Vec::new();
    for said in [echo(200), echo(401), echo(404), echo(400), echo(500), Said::message(&refusal, "stop")] {
        let endpoint = Endpoint::always(said).await;
        let provider = provider(&endpoint.base_url, PATIENCE);
        let failure = put(&provider, &go()).await.unwrap_err();
        assert!(failure.to_string().contains("[redacted]"), "{failure}");
        write!(seen, "{provider:?} {provider:#?} {failure} {failure:?} {}", json!(failure)).unwrap();
        assert_eq!(endpoint.questions()[0].authorization, format!("Bearer {KEY}"));
    }
    let seen = String::from_utf8(seen).unwrap();
    assert!(!seen.contains("hush"), "{seen}");
    let logged = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    assert!(!logged.is_empty() && !logged.contains("hush"), "{logged}");
}
