//! `provost tokens`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Result;
use provost_domain::access::{AccessRole, Secret};
use provost_domain::ids::TokenId;
use provost_engine::SystemClock;
use provost_face::{Minted, TokenOperations, TokenRequest, TokenView, random};
use provost_store::Stores;
use reqwest::Method;
use serde_json::{Value, json};

use super::local::{caller, keep};
use crate::args::{ActorArgs, ReachArgs, Tokens};
use crate::output::Output;
use crate::remote::{Reached, reach};
use crate::source::Source;

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
    config: &ActorArgs,
    output: Output,
) -> Result<ExitCode> {
    let minted: Minted = match reach(&config.reach, |_| Ok(()), keep).await? {
        Reached::Here(store) => {
            let request = TokenRequest { name: name.to_owned(), role, expires_in: expires };
            let minted = operations(&store).mint(&caller(&config.author), request).await;
            store.close().await;
            minted?
        }
        Reached::There(remote) => {
            let body = json!({"name": name, "role": role, "expires_in_s": expires.map(|span| span.as_secs())});
            remote.post(&["tokens"], Some(&body)).await?
        }
    };
    show(&minted, output);
    Ok(ExitCode::SUCCESS)
}

/// A minted token, once.
fn show(minted: &Minted, output: Output) {
    let Minted { token: TokenView { token, name, role, .. }, secret } = minted;
    let value = json!({"token": token, "name": name, "role": role, "secret": secret});
    output.result(&value, &format!("{secret}\nkeep it now: it is not shown again (token {token}, {role})"));
}

/// The secret alone, so that it can be sent straight into a file.
fn generate(output: Output) -> ExitCode {
    let secret = Secret::generate(&random());
    output.result(&json!({"secret": secret.reveal()}), secret.reveal());
    ExitCode::SUCCESS
}

async fn list(config: &ReachArgs, output: Output) -> Result<ExitCode> {
    let tokens = Source::of(config).await?.tokens().await?;
    let rows: Vec<Value> = tokens
        .iter()
        .map(|token| {
            json!({
                "token": token.token, "name": token.name, "role": token.role, "created": token.created_at,
                "by": token.created_by, "expires": token.expires_at, "used": token.used_at,
                "revoked": token.revoked_at,
            })
        })
        .collect();
    output.table(&rows, &["token", "name", "role", "created", "used", "expires", "revoked"], "no tokens");
    Ok(ExitCode::SUCCESS)
}

async fn revoke(token: &str, config: &ActorArgs, output: Output) -> Result<ExitCode> {
    match reach(&config.reach, |_| Ok(()), keep).await? {
        Reached::Here(store) => {
            let revoked = operations(&store).revoke(&caller(&config.author), &TokenId::new(token)).await;
            store.close().await;
            revoked?;
        }
        Reached::There(remote) => drop(remote.ask(Method::DELETE, &["tokens", token], None).await?),
    }
    output.result(&json!({"token": token, "revoked": true}), &format!("token {token} is revoked"));
    Ok(ExitCode::SUCCESS)
}

fn operations(store: &Stores) -> TokenOperations {
    TokenOperations::new(Arc::clone(&store.tokens), Arc::new(SystemClock))
}
