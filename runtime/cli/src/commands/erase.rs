//! `provost sessions erase`.

use std::process::ExitCode;

use anyhow::Result;
use provost_face::{GoneView, VisibleText};
use serde_json::json;

use super::local::{caller, operations};
use crate::args::One;
use crate::output::Output;
use crate::remote::{Reached, reach};
use crate::wiring::{self, House};

/// What no erasure reaches.
const ELSEWHERE: &str = "backups and exports made before still hold it: delete them yourself";

pub(super) async fn erase(one: &One, reason: &str, output: Output) -> Result<ExitCode> {
    let gone = match reach(&one.config.reach, wiring::parts, House::over).await? {
        Reached::Here(house) => {
            house
                .during(async |house| {
                    let (operations, caller) = (operations(house), caller(&one.config.author));
                    let session = operations.lookups().session_named(&caller, &one.session).await?;
                    Ok(operations.erase(&caller, session, reason.to_owned()).await?)
                })
                .await?
        }
        Reached::There(remote) => {
            let body = json!({"reason": reason});
            remote.post(&["sessions", &one.session, "erase"], Some(&body)).await?
        }
    };
    say(&gone, output);
    Ok(if gone.scrubbed { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn say(gone: &GoneView, output: Output) {
    let GoneView { session, handle, records, scrubbed, left } = gone;
    let files = left.as_ref().map_or_else(
        || "no file of the store holds a byte of it any more".to_owned(),
        |left| {
            let left = VisibleText::new(left);
            format!("files of the store may still hold bytes of it, which the daemon removes later: {left}")
        },
    );
    let text = format!("{handle} is erased: {records} records; {files}\n{ELSEWHERE}");
    let value = json!({
        "session": session, "handle": handle, "records": records, "scrubbed": scrubbed, "left": left,
    });
    output.result(&value, &text);
}
