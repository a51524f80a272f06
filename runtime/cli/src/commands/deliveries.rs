//! `provost deliveries`.

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Result, bail};
use provost_domain::ids::DeliveryId;
use provost_domain::port::DeliveryFilter;
use provost_face::{DeliveryDetail, DeliveryOperations, DeliveryView, TEXT_MAX, TakenView, VisibleText};
use reqwest::Method;
use serde_json::{Value, json};

use super::local::{caller, keep};
use crate::args::{ActorArgs, Deliveries, OneDelivery};
use crate::output::Output;
use crate::remote::{Reached, reach};
use crate::source::Source;

/// Most characters of a body on a terminal: all of what an intake takes.
const BODY_MAX: usize = 2 * 1024 * 1024;

pub(super) async fn run(command: Deliveries, output: Output) -> Result<ExitCode> {
    match command {
        Deliveries::List { state, limit, config } => {
            let filter = DeliveryFilter { state, before: None, limit };
            let rows: Vec<Value> = Source::of(&config).await?.deliveries(&filter).await?.iter().map(row).collect();
            output.table(&rows, &["delivery", "source", "state", "note", "session", "received"], "no deliveries");
        }
        Deliveries::Show(one) => show(&one, output).await?,
        Deliveries::Replay(one) => replay(&one, output).await?,
        Deliveries::Dismiss { one, reason } => dismiss(&one, &reason, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn row(view: &DeliveryView) -> Value {
    json!({
        "delivery": view.delivery, "source": view.source, "by": view.by, "state": view.state, "note": view.note,
        "session": view.session, "bytes": view.bytes, "received": view.received_at,
    })
}

/// With its body.
async fn show(one: &OneDelivery, output: Output) -> Result<()> {
    let DeliveryDetail { delivery, body } = Source::of(&one.config).await?.delivery(&one.delivery).await?;
    let mut value = row(&delivery);
    if let Some(object) = value.as_object_mut() {
        object.insert("body".to_owned(), json!(body));
    }
    output.json(&value);
    for name in ["delivery", "source", "by", "state", "note", "session", "received"] {
        let text = value.get(name).filter(|part| !part.is_null()).map(plain).unwrap_or_default();
        output.line(&format!("{name:<9} {}", VisibleText::new(text).line(TEXT_MAX)));
    }
    let nothing = "its body is gone: it was dismissed, or its session was erased".to_owned();
    output.line(&if body.is_empty() { nothing } else { VisibleText::within(body, BODY_MAX).to_string() });
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn replay(one: &OneDelivery, output: Output) -> Result<()> {
    match reach(&one.config, |_| Ok(()), keep).await? {
        Reached::Here(store) => {
            store.close().await;
            bail!("deliveries are worked on by the daemon: start `provost serve`, then replay it");
        }
        Reached::There(remote) => {
            let TakenView { delivery: again } = remote.post(&["deliveries", &one.delivery, "replay"], None).await?;
            let value = json!({"delivery": one.delivery, "replayed_as": again});
            output.result(&value, &format!("delivery {} is replayed as {again}", one.delivery));
            Ok(())
        }
    }
}

async fn dismiss(one: &OneDelivery<ActorArgs>, reason: &str, output: Output) -> Result<()> {
    match reach(&one.config.reach, |_| Ok(()), keep).await? {
        Reached::Here(store) => {
            let operations =
                DeliveryOperations::new(Arc::clone(&store.deliveries), Arc::clone(&store.reads.deliveries));
            let dismissed = operations
                .dismiss(&caller(&one.config.author), &DeliveryId::new(&*one.delivery), reason)
                .await
                .map(drop);
            store.close().await;
            dismissed?;
        }
        Reached::There(remote) => {
            let body = json!({"reason": reason});
            drop(remote.ask(Method::POST, &["deliveries", &one.delivery, "dismiss"], Some(&body)).await?);
        }
    }
    let value = json!({"delivery": one.delivery, "dismissed": true});
    output.result(&value, &format!("delivery {} is dismissed, and its body is gone", one.delivery));
    Ok(())
}
