//! `provost deliveries`.

use std::process::ExitCode;

use anyhow::{Result, bail};
use provost_domain::ids::DeliveryId;
use provost_domain::port::{DeliveryFilter, DeliveryRow, DeliveryState, DismissAnswer, StoreError};
use provost_store::Stores;
use reqwest::Method;
use serde_json::{Value, json};

use crate::args::{Deliveries, OneDelivery};
use crate::output::Output;
use crate::remote::{Reached, reach};
use crate::wiring;

pub(super) async fn run(command: Deliveries, output: Output) -> Result<ExitCode> {
    match command {
        Deliveries::List { state, limit, config } => {
            let reads = wiring::reads(&wiring::config(&config)?).await?;
            let rows = reads.deliveries.deliveries(&DeliveryFilter { state, before: None, limit }).await?;
            let rows: Vec<Value> = rows.iter().map(row).collect();
            output.table(&rows, &["delivery", "source", "state", "note", "session", "received"], "no deliveries");
        }
        Deliveries::Show(one) => show(&one, output).await?,
        Deliveries::Replay(one) => replay(&one, output).await?,
        Deliveries::Dismiss { one, reason } => dismiss(&one, &reason, output).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn row(row: &DeliveryRow) -> Value {
    json!({
        "delivery": row.id.as_str(), "source": row.source, "by": row.by, "state": row.state.as_str(), "note": row.note,
        "session": row.session, "bytes": row.bytes, "received": row.at.to_string(),
    })
}

/// With its body.
async fn show(one: &OneDelivery, output: Output) -> Result<()> {
    let reads = wiring::reads(&wiring::config(&one.config)?).await?;
    let delivery = reads.deliveries.delivery(&DeliveryId::new(&*one.delivery)).await?;
    let here = DeliveryFilter { before: Some(delivery.seq + 1), limit: 1, ..DeliveryFilter::default() };
    let mut value = reads.deliveries.deliveries(&here).await?.first().map(row).unwrap_or_default();
    let body = String::from_utf8_lossy(&delivery.body).into_owned();
    if let Some(object) = value.as_object_mut() {
        object.insert("body".to_owned(), json!(body));
    }
    output.json(&value);
    for name in ["delivery", "source", "by", "state", "note", "session", "received"] {
        let text = value.get(name).filter(|part| !part.is_null()).map(plain);
        output.line(&format!("{name:<9} {}", text.unwrap_or_default()));
    }
    let nothing = "its body is gone: it was dismissed, or its session was erased".to_owned();
    output.line(&if body.is_empty() { nothing } else { body });
    Ok(())
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

async fn replay(one: &OneDelivery, output: Output) -> Result<()> {
    match reach(&one.config, wiring::store).await? {
        Reached::Here(store) => {
            store.close().await;
            bail!("deliveries are worked on by the daemon: start `provost serve`, then replay it");
        }
        Reached::There(remote) => {
            let (_, taken) = remote.ask(Method::POST, &["deliveries", &one.delivery, "replay"], None).await?;
            let again = taken.get("delivery").map(plain).unwrap_or_default();
            let value = json!({"delivery": one.delivery, "replayed_as": again});
            output.result(&value, &format!("delivery {} is replayed as {again}", one.delivery));
            Ok(())
        }
    }
}

async fn dismiss(one: &OneDelivery, reason: &str, output: Output) -> Result<()> {
    match reach(&one.config, wiring::store).await? {
        Reached::Here(store) => {
            let note = provost_mail::dismissal(&one.config.principal(), reason);
            let dismissed = dismiss_here(&store, &DeliveryId::new(&*one.delivery), &note).await;
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

async fn dismiss_here(store: &Stores, id: &DeliveryId, note: &str) -> Result<()> {
    match store.deliveries.dismiss(id, note).await? {
        DismissAnswer::Dismissed => return Ok(()),
        DismissAnswer::NotBad => {}
    }
    let state: Result<DeliveryState, StoreError> =
        store.reads.deliveries.delivery(id).await.map(|delivery| delivery.state);
    bail!("delivery `{id}` is {}; only bad ones are dismissed", state?.as_str())
}
