//! The shop's own customers, so that its figures move without outside traffic.

use std::sync::Arc;

use tokio::time::{Duration, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::service::ShopService;

/// Begins `per_second` checkouts each second until `stop`. Ticks missed are skipped, so at most as many are under way as
/// fit into one checkout's duration.
pub(crate) async fn drive(service: Arc<ShopService>, per_second: u32, tasks: TaskTracker, stop: CancellationToken) {
    let Some(pause) = Duration::from_secs(1).checked_div(per_second) else {
        return;
    };
    let mut ticks = tokio::time::interval(pause);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    while stop.run_until_cancelled(ticks.tick()).await.is_some() {
        let service = Arc::clone(&service);
        tasks.spawn(async move {
            if let Err(error) = service.check_out().await {
                tracing::warn!("{error:#}");
            }
        });
    }
}
