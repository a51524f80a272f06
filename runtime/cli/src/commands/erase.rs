//! `provost sessions erase`.

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::port::StoreError;
use provost_engine::Gone;
use reqwest::Method;
use serde_json::{Value, json};

use super::principal;
use crate::args::One;
use crate::output::Output;
use crate::remote::{Reached, reach};
use crate::wiring::{self, House};

/// What no erasure reaches.
const ELSEWHERE: &str = "backups and exports made before still hold it: delete them yourself";

pub(super) async fn erase(one: &One, reason: &str, output: Output) -> Result<ExitCode> {
    let left = match reach(&one.config, House::open).await? {
        Reached::Here(house) => {
            let (Gone { session, handle, records }, left) = house
                .during(async |house| {
                    let session = wiring::session(&**house.engine.reads(), &one.session).await?;
                    Ok(house.eraser().erase_from_files(session, &principal(&one.config), reason).await?)
                })
                .await?;
            let left = left.as_ref().map(StoreError::to_string);
            say(&json!({"session": session, "handle": handle, "records": records}), left.as_deref(), output);
            left.is_some()
        }
        Reached::There(remote) => {
            let body = json!({"reason": reason});
            let (_, gone) = remote.ask(Method::POST, &["sessions", &one.session, "erase"], Some(&body)).await?;
            let left = gone.get("left").and_then(Value::as_str);
            say(&gone, left, output);
            left.is_some()
        }
    };
    Ok(if left { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn say(gone: &Value, left: Option<&str>, output: Output) {
    let part = |name: &str| gone.get(name).cloned().unwrap_or_default();
    let (session, handle, records) = (part("session"), part("handle"), part("records"));
    let files = left.map_or_else(
        || "no file of the store holds a byte of it any more".to_owned(),
        |left| format!("files of the store may still hold bytes of it, which the daemon removes later: {left}"),
    );
    let text = format!("{} is erased: {records} records; {files}\n{ELSEWHERE}", handle.as_str().unwrap_or_default());
    let value = json!({
        "session": session, "handle": handle, "records": records, "scrubbed": left.is_none(), "left": left,
    });
    output.result(&value, &text);
}
