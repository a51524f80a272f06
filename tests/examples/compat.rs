//! Whole incidents on an OpenAI-compatible server of someone else's making: `cargo xtask compat`.
//!
//! The server is the proxy of `litellm` with scripted answers, one per model; each agent has a model of its own.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use provost_tests::eventually::eventually;
use provost_tests::shipped;
use provost_tests::shop::Shop;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};

/// The proxy takes long to load.
const STARTS_WITHIN: Duration = Duration::from_mins(3);
/// The shipped pack's agents that ask a model.
const AGENTS: [&str; 3] = ["triage", "investigator", "resolution"];

/// What the proxy asks of its callers.
const KEY: &str = "sk-compat";

/// One incident: what triage's model answers, and how the session must end.
struct Case {
    name: &'static str,
    triage: Value,
    ends: &'static [&'static str],
    says: &'static str,
}

fn calls(tool: &str, args: &Value) -> Value {
    let function = json!({"name": tool, "arguments": args.to_string()});
    json!({"mock_tool_calls": [{"id": "call_1", "type": "function", "function": function}]})
}

fn finish(signal: &str) -> Value {
    let report = json!({
        "real": true, "scope": "the shop", "nothing_found": true, "step": "as told", "outcome": "not_tried",
    });
    let args = json!({
        "content": "seen", "confidence": 0.9, "rationale": "scripted", "signal": signal, "report": report,
    });
    calls("finish_turn", &args)
}

fn says(text: &str) -> Value {
    json!({"mock_response": text})
}

fn cases() -> [Case; 4] {
    [
        Case { name: "scripted calls", triage: finish("degraded"), ends: &["escalated"], says: "" },
        Case {
            name: "nonsense",
            triage: says("lorem ipsum dolor"),
            ends: &["needs_review", "error"],
            says: "envelope",
        },
        Case { name: "429", triage: says("litellm.RateLimitError"), ends: &["error"], says: "rate" },
        Case { name: "500", triage: says("litellm.InternalServerError"), ends: &["error"], says: "unavailable" },
    ]
}

#[tokio::main]
async fn main() -> Result<()> {
    let program = std::env::args().nth(1).context("where is the proxy?")?;
    let folder = tempfile::tempdir()?;
    let (url, _proxy) = start(Path::new(&program), folder.path()).await?;
    for case in cases() {
        let (status, reason) = incident(&url, &case).await?;
        let said = reason.to_lowercase().contains(case.says);
        ensure!(case.ends.contains(&status.as_str()) && said, "{}: {status}: {reason}", case.name);
        println!("{}: {status}: {reason}", case.name);
    }
    Ok(())
}

/// The model a case's triage has.
fn triage_of(case: &Case) -> String {
    format!("triage {}", case.name)
}

fn models() -> Value {
    let escalate = json!({"team": "payments-oncall", "reason": "scripted", "confidence": 0.8, "rationale": "scripted"});
    let mut answers = vec![
        ("investigator".to_owned(), finish("success")),
        ("resolution".to_owned(), calls("mark_escalated", &escalate)),
    ];
    answers.extend(cases().map(|case| (triage_of(&case), case.triage)));
    let model = |(name, answer): (String, Value)| {
        let mut params = json!({"model": "openai/scripted", "api_key": "none"});
        if let (Some(params), Value::Object(answer)) = (params.as_object_mut(), answer) {
            params.extend(answer);
        }
        json!({"model_name": name, "litellm_params": params})
    };
    answers.into_iter().map(model).collect()
}

async fn start(program: &Path, folder: &Path) -> Result<(String, Child)> {
    let config = json!({
        "model_list": models(), "general_settings": {"master_key": KEY},
        "router_settings": {"num_retries": 0, "disable_cooldowns": true},
    });
    std::fs::write(folder.join("config.yaml"), config.to_string())?;
    let port = TcpListener::bind("127.0.0.1:0").await?.local_addr()?.port().to_string();
    let mut command = Command::new(program);
    command.args(["--config", "config.yaml", "--host", "127.0.0.1", "--port", &port]).current_dir(folder);
    // It would fetch a list of prices otherwise.
    command.env("LITELLM_LOCAL_MODEL_COST_MAP", "True").env("NO_PROXY", "*");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    let proxy = command.spawn().context("starting the proxy")?;
    let url = format!("http://127.0.0.1:{port}");
    let alive = format!("{url}/health/liveliness");
    let client = provost_http::client(None)?.build()?;
    let up = eventually("the proxy", STARTS_WITHIN, || async {
        client.get(&alive).send().await.ok().filter(|response| response.status().is_success())
    });
    if up.await.is_err() {
        bail!("the proxy did not start");
    }
    Ok((url, proxy))
}

/// Runs an incident to its end: status and reason.
async fn incident(url: &str, case: &Case) -> Result<(String, String)> {
    let shop = Shop::start("heals-on-rollback").await;
    let own = shop.path("incident");
    shipped::copy(&own, &|path, text| {
        let agent = path.parent().and_then(Path::file_name).and_then(|name| name.to_str()).unwrap_or_default();
        if AGENTS.contains(&agent) { text.replace("model: default", &format!("model: {agent}")) } else { text }
    });
    let file = shop.path("provost.yaml");
    let config = std::fs::read_to_string(&file)?;
    let mut lines: Vec<String> = config.lines().map(str::to_owned).collect();
    for line in &mut lines {
        if line.starts_with("packs:") {
            *line = format!("packs: [{}]", own.display());
        }
        if line.contains("provider: scripted") {
            let model = |agent: &&str| {
                let name = if **agent == *"triage" { triage_of(case) } else { (*agent).to_owned() };
                format!(
                    "  {agent}: {{provider: openai_compatible, base_url: \"{url}/v1\", model: \"{name}\", api_key: {{file: key}}}}"
                )
            };
            *line = AGENTS.iter().map(model).collect::<Vec<_>>().join("\n");
        }
    }
    std::fs::write(file, lines.join("\n"))?;
    std::fs::write(shop.path("key"), KEY)?;
    let last = shop.last(&["run", "incident", "--input", &shop.alert()]).await;
    let text = |key: &str| {
        last.get(key).and_then(Value::as_str).map(str::to_owned).with_context(|| format!("no {key}: {last}"))
    };
    Ok((text("status")?, text("reason")?))
}
