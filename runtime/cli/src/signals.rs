//! SIGTERM and SIGINT: the first asks to end in order, the second not to wait for what runs.

use anyhow::Result;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_util::sync::CancellationToken;

/// The signals that end this process.
#[derive(Debug, Clone, Default)]
pub(crate) struct StopSignals {
    /// Cancelled by the first signal.
    pub(crate) to_end: CancellationToken,
    /// Cancelled by the second.
    pub(crate) to_hurry: CancellationToken,
}

impl StopSignals {
    /// Listens from now on.
    pub(crate) fn listen() -> Result<Self> {
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        let told = Self::default();
        let Self { to_end, to_hurry } = told.clone();
        drop(tokio::runtime::Handle::current().spawn(async move {
            either(&mut terminate, &mut interrupt).await;
            to_end.cancel();
            either(&mut terminate, &mut interrupt).await;
            to_hurry.cancel();
        }));
        Ok(told)
    }
}

async fn either(terminate: &mut Signal, interrupt: &mut Signal) {
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}
