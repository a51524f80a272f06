//! TLS: a server whose certificate nobody here vouches for is not spoken to; with its authority named it is.

use std::process::Output;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::failure::{FailureKind, ModelFailure};
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::port::Clock;
use provost_domain::tool::{Happened, ToolCall, ToolOutcome};
use provost_engine::SystemClock;
use provost_form::{ErrorLog, FromYaml as _, parse};
use provost_model::{ChatOptions, ModelServer, OpenAiProvider, OpenAiSettings};
use provost_tests::daemon::Daemon;
use provost_tests::desk::last_line;
use provost_tests::endpoint::{Endpoint, Said};
use provost_tests::tls::Front;
use provost_tools::ToolsConfig;
use serde_json::json;

use crate::provider::{go, put};

/// Never reached by a test that passes.
const PATIENCE: Duration = Duration::from_mins(1);

fn host_port(url: &str) -> &str {
    let rest = url.strip_prefix("http://").unwrap();
    rest.split('/').next().unwrap()
}

#[tokio::test]
async fn a_model_server_is_asked_only_with_a_certificate_that_is_trusted() {
    let endpoint = Endpoint::always(Said::text("well")).await;
    let front = Front::before(host_port(&endpoint.base_url)).await;
    let ask = async |url: &str, ca_file| {
        let settings = OpenAiSettings {
            server: ModelServer {
                base_url: format!("{url}/v1"),
                model: "big-1".to_owned(),
                api_key: Some("sk-hush".into()),
                ca_file,
                connect_timeout: PATIENCE,
                request_timeout: PATIENCE,
                headers: Vec::new(),
            },
            options: ChatOptions::default(),
        };
        put(&OpenAiProvider::new(settings).unwrap(), &go()).await
    };
    let refused = |answer, part: &str| match answer {
        Err(ModelFailure::LlmConfig { detail }) => assert!(detail.contains(part), "{detail}"),
        other => panic!("{other:?}"),
    };
    refused(ask(&front.url, None).await, "authority is not known here; write its authority's certificate as `ca_file`");
    let other_name = front.url.replace("127.0.0.1", "localhost");
    refused(ask(&other_name, Some(front.ca_file())).await, "write the address with a name the certificate has");
    assert!(endpoint.questions().is_empty());
    ask(&front.url, Some(front.ca_file())).await.unwrap();
    assert_eq!(endpoint.questions()[0].authorization, "Bearer sk-hush");
}

#[tokio::test]
async fn a_tool_does_not_speak_to_a_server_that_is_not_trusted() {
    let endpoint = Endpoint::always(Said::text("well")).await;
    let front = Front::before(host_port(&endpoint.base_url)).await;
    let pager = json!({"kind": "pagerduty", "url": format!("{}/v2/enqueue", front.url), "routing_key": {"env": "KEY"}});
    let mut log = ErrorLog::new("provost.yaml".into());
    let section = parse(&json!({"notify": {"pager": pager}}).to_string(), &mut log).unwrap();
    let tools = ToolsConfig::read(&section, &mut log).unwrap().open(&|_| Ok("hush".into())).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let call = ToolCall {
        session: SessionId::new(uuid::Uuid::from_u128(1)),
        call: CallId::new("1.1.0"),
        tool: ToolName::new("notify:pager"),
        args: Arc::new(json!({"team": "red", "reason": "down"})),
        key: "the-key".to_owned(),
    };
    let ToolOutcome::Failed { failure } = tools.build(&clock).unwrap()[0].call(&call).await else {
        panic!("it spoke to a stranger");
    };
    assert_eq!((failure.happened, failure.kind), (Happened::No, FailureKind::Permanent));
    assert!(failure.detail.contains("SSL_CERT_FILE"), "{}", failure.detail);
    assert!(endpoint.questions().is_empty());
}

#[tokio::test]
async fn a_daemon_behind_tls_is_reached_once_its_authority_is_trusted() {
    let daemon = Daemon::start("already-healthy").await;
    let front = Front::before(host_port(&daemon.url)).await;
    let command = || {
        let mut command = daemon.shop.command(&["sessions", "stop", "INC-none", "--server", &front.url]);
        command.env("PROVOST_TOKEN", daemon.secret("operator"));
        command
    };
    let error = |output: Output| last_line(&output)["error"].as_str().unwrap().to_owned();
    let stranger = error(command().output().await.unwrap());
    assert!(stranger.contains("certificate is not trusted") && stranger.contains("SSL_CERT_FILE"), "{stranger}");
    let known = error(command().env("SSL_CERT_FILE", front.ca_file()).output().await.unwrap());
    assert!(known.contains("no session `INC-none`"), "{known}");
}

#[tokio::test]
async fn where_nobody_is_trusted_all_but_tls_works() {
    let daemon = Daemon::start("already-healthy").await;
    let front = Front::before(host_port(&daemon.url)).await;
    let nobody = daemon.shop.path("nobody.pem");
    std::fs::write(&nobody, "").unwrap();
    for (server, part) in [(&daemon.url, "no session `INC-none`"), (&front.url, "its authority is not known here")] {
        let mut command = daemon.shop.command(&["sessions", "stop", "INC-none", "--server", server]);
        command.env("PROVOST_TOKEN", daemon.secret("operator")).env("SSL_CERT_FILE", &nobody);
        // With the one variable set and not the other, the machine's own places are not read.
        let output = command.env_remove("SSL_CERT_DIR").output().await.unwrap();
        assert!(last_line(&output)["error"].as_str().unwrap().contains(part), "{output:?}");
    }
}
