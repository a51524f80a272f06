//! `provost tokens`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use provost_domain::access::{AccessRole, Secret, Token};
use provost_domain::ids::TokenId;
use provost_domain::port::{Clock as _, Tokens as _};
use provost_engine::SystemClock;
use provost_packs::Config;
use provost_store::SqliteStore;
use reqwest::Method;
use serde_json::{Value, json};

use super::principal;
use crate::args::{ConfigArgs, Tokens};
use crate::output::Output;
use crate::remote::{Reached, reach};
use crate::wiring;

pub(super) async fn run(command: Tokens, output: Output) -> Result<ExitCode> {
    match command {
        Tokens::Create { name, role, expires, config } => create(&name, role, expires, &config, output).await,
        Tokens::Generate => Ok(generate(output)),
        Tokens::List(config) => list(&config, output).await,
        Tokens::Revoke { token, config } => revoke(&token, &config, output).await,
    }
}

async fn create(
    name: &str,
    role: AccessRole,
    expires: Option<std::time::Duration>,
    config: &ConfigArgs,
    output: Output,
) -> Result<ExitCode> {
    let store = match reach(config, open).await? {
        Reached::Here(store) => store,
        Reached::There(remote) => {
            let body = json!({"name": name, "role": role, "expires_in_s": expires.map(|span| span.as_secs())});
            let (_, minted) = remote.ask(Method::POST, &["tokens"], Some(&body)).await?;
            let text = |key: &str| minted.get(key).and_then(Value::as_str).unwrap_or_default();
            show(&json!({"token": text("token"), "name": name, "role": role, "secret": text("secret")}), output);
            return Ok(ExitCode::SUCCESS);
        }
    };
    let now = SystemClock.now();
    let (mut token, secret) = Token::mint(name, role, principal(config), now, &provost_server::random())?;
    token.expires_at = expires.map(|span| now.plus(span));
    let minted = store.mint(&token).await;
    store.close().await;
    if !minted? {
        bail!("a token named {name} is in force; revoke it first or choose another name");
    }
    show(&json!({"token": token.id, "name": name, "role": role, "secret": secret.reveal()}), output);
    Ok(ExitCode::SUCCESS)
}

/// A minted token, once.
fn show(minted: &Value, output: Output) {
    let text = |key: &str| minted.get(key).and_then(Value::as_str).unwrap_or_default();
    let (secret, token, role) = (text("secret"), text("token"), text("role"));
    output.result(minted, &format!("{secret}\nkeep it now: it is not shown again (token {token}, {role})"));
}

/// The secret alone, so that it can be sent straight into a file.
fn generate(output: Output) -> ExitCode {
    let secret = Secret::generate(&provost_server::random());
    output.result(&json!({"secret": secret.reveal()}), secret.reveal());
    ExitCode::SUCCESS
}

async fn list(config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    let reads = wiring::reads(&wiring::config(config)?).await?;
    let rows: Vec<Value> = reads
        .tokens()
        .await?
        .iter()
        .map(|token| {
            json!({
                "token": token.id, "name": token.name, "role": token.role, "created": token.created_at.to_string(),
                "by": token.created_by, "expires": token.expires_at.map(|at| at.to_string()),
                "used": token.used_at.map(|at| at.to_string()), "revoked": token.revoked_at.map(|at| at.to_string()),
            })
        })
        .collect();
    output.table(&rows, &["token", "name", "role", "created", "used", "expires", "revoked"], "no tokens");
    Ok(ExitCode::SUCCESS)
}

async fn revoke(token: &str, config: &ConfigArgs, output: Output) -> Result<ExitCode> {
    match reach(config, open).await? {
        Reached::Here(store) => {
            let revoked = store.revoke(&TokenId::new(token), SystemClock.now()).await;
            store.close().await;
            if !revoked? {
                bail!("no token `{token}` is in force; `provost tokens list` shows the ids");
            }
        }
        Reached::There(remote) => drop(remote.ask(Method::DELETE, &["tokens", token], None).await?),
    }
    output.result(&json!({"token": token, "revoked": true}), &format!("token {token} is revoked"));
    Ok(ExitCode::SUCCESS)
}

async fn open(config: &Config) -> Result<SqliteStore> {
    Ok(SqliteStore::open(&config.store_path()).await?)
}
