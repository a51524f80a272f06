//! Whole sessions on servers of several makes, each with its own rules of what it refuses; and the same with what the product
//! does for them undone, which every one of them refuses.

use std::sync::Arc;
use std::time::Duration;

use provost_agents::StandardRoles;
use provost_domain::pack::Pack;
use provost_domain::port::ModelProvider as _;
use provost_domain::request::offers;
use provost_domain::schema::ArgSchema;
use provost_domain::wire;
use provost_engine::ToolGateway;
use provost_model::{ChatOptions, ModelServer, OpenAiProvider, OpenAiSettings, SystemRole};
use provost_tests::double::{Double, Make, refusal};
use provost_tests::house::{House, Tools};
use provost_tests::pack::typed;
use serde_json::{Value, json};

/// Never reached by a test that passes.
const PATIENCE: Duration = Duration::from_mins(1);

fn provider(double: &Double, make: Make) -> Arc<OpenAiProvider> {
    let system = if make == Make::Gemma { SystemRole::FirstUser } else { SystemRole::System };
    let settings = OpenAiSettings {
        server: ModelServer {
            base_url: double.base_url.clone(),
            model: "double".to_owned(),
            api_key: None,
            ca_file: None,
            connect_timeout: PATIENCE,
            request_timeout: PATIENCE,
            headers: Vec::new(),
        },
        options: ChatOptions { system, ..ChatOptions::default() },
    };
    Arc::new(OpenAiProvider::new(settings).unwrap())
}

/// The test's pack, with a tool whose schema has everything that some server refuses.
fn demanding() -> Pack {
    let mut pack = typed();
    let finding = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "additionalProperties": false, "properties": {
            "what": {"type": ["string", "null"], "maxLength": 100}, "list": {"type": "array"}, "any": {},
            "where": {"type": "object"}, "of": {"$ref": "#/$defs/of"}, "größe": {"type": "integer", "minimum": 0},
        }, "$defs": {"of": {"const": "x"}}});
    for tool in pack.findings_tools.values_mut() {
        tool.schema = ArgSchema::new(finding.clone()).unwrap();
    }
    pack
}

/// Runs a session to its end; its status.
async fn run(double: &Double, make: Make) -> String {
    let house = House::facing(demanding(), provider(double, make)).await;
    let session = house.session("staging").await;
    house.rest(session).await.status().to_string()
}

#[tokio::test]
async fn a_session_closes_its_case_on_every_make() {
    for make in Make::ALL {
        let double = Double::start(make).await;
        let status = run(&double, make).await;
        assert_eq!((double.refused(), status.as_str()), (vec![], "resolved"), "{make:?}");
        assert!(double.asked().len() > 5, "{make:?}");
    }
}

/// The schemas as they are checked, in the place of those that are sent.
fn canonical(body: &mut Value) {
    let pack = demanding();
    for tool in body["tools"].as_array_mut().into_iter().flatten() {
        let name = tool["function"]["name"].clone();
        let own = pack.findings_tools.iter().find(|(own, _)| own.wire() == name);
        if let Some((_, own)) = own {
            tool["function"]["parameters"] = own.schema.raw().clone();
        }
    }
}

/// Call ids as they are in the log.
fn logged_ids(body: &mut Value) {
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        for call in message.get_mut("tool_calls").and_then(Value::as_array_mut).into_iter().flatten() {
            call["id"] = json!(format!("call_{}", call["id"].as_str().unwrap()));
        }
        if let Some(id) = message.get("tool_call_id").and_then(Value::as_str).map(str::to_owned) {
            message["tool_call_id"] = json!(format!("call_{id}"));
        }
    }
}

fn nameless(body: &mut Value) {
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        message.as_object_mut().unwrap().remove("name");
    }
}

fn null_beside_calls(body: &mut Value) {
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        if message["content"] == "" {
            message["content"] = Value::Null;
        }
    }
}

fn with_system(body: &mut Value) {
    body["messages"].as_array_mut().unwrap().insert(0, json!({"role": "system", "content": "be brief"}));
}

#[tokio::test]
async fn what_is_done_for_each_make_is_needed() {
    type Undone = (Make, fn(&mut Value), &'static str);
    let undone: [Undone; 6] = [
        (Make::OpenAi, canonical, "array schema missing items"),
        (Make::Gemini, canonical, "Unknown name"),
        (Make::Mistral, logged_ids, "with a length of 9"),
        (Make::Gemini, nameless, "Name cannot be empty"),
        (Make::LlamaCpp, null_beside_calls, "got null instead"),
        (Make::Gemma, with_system, "System role not supported"),
    ];
    for (make, undo, words) in undone {
        let double = Double::spoilt(make, undo).await;
        let status = run(&double, make).await;
        assert_ne!(status, "resolved", "{make:?}");
        let refused = double.refused();
        assert!(refused[0].message.contains(words), "{make:?}: {refused:?}");
    }
}

#[tokio::test]
async fn a_demand_that_nobody_configured_is_learned_from_the_refusal() {
    let double = Double::start(Make::Gemma).await;
    let plain = provider(&double, Make::OpenAi);
    let request = crate::provider::go();
    let body = plain.body(&request).unwrap();
    let ask = || plain.ask(&request, &body);
    let first = ask().await.unwrap_err();
    assert!(first.to_string().contains("`system: first_user`"), "{first}");
    assert!(ask().await.is_ok(), "asked again, it is taken");
}

#[test]
fn every_schema_of_the_shipped_roles_is_taken_by_every_make() {
    let pack = typed();
    let catalog = ToolGateway::new(Tools::new().all()).catalog();
    for agent in pack.agents.values() {
        let offers = offers(agent, &pack, &catalog, &StandardRoles);
        assert_eq!(wire::refusals(&offers), [], "{}", agent.name);
        let tools: Vec<Value> = offers
            .iter()
            .map(|offer| json!({"type": "function", "function": {"name": offer.name, "description": offer.description, "parameters": offer.schema}}))
            .collect();
        for make in Make::ALL {
            assert_eq!(refusal(make, &json!({"tools": tools, "messages": []})), None, "{make:?} {}", agent.name);
        }
    }
}
