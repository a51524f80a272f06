//! Prints a session's file whose log holds every kind of event, as this version writes it:
//! `cargo run -p provost-tests --example old_log > tests/fixtures/log/v1/every-kind.session`, for a new version's folder.
//! What is there already is kept for ever.

use anyhow::Result;
use provost_tests::every_kind;

#[tokio::main]
async fn main() -> Result<()> {
    let (reads, session) = every_kind::stored().await;
    reads.export(session, &mut std::io::stdout()).await?;
    Ok(())
}
