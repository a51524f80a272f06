//! For proofs only (feature `controls`, which nothing shipped enables): which mechanisms this process does without, from the
//! environment.

use std::sync::Arc;

use anyhow::{Result, bail};
use provost_domain::port::SessionStore;
use provost_engine::EngineSettings;
use provost_removals::LateIntents;
use provost_store::OpenOptions;

use super::environment::variable;

/// Names the mechanisms, with commas between.
const VARIABLE: &str = "PROVOST_WITHOUT";

fn named() -> Vec<String> {
    let named = variable(VARIABLE).unwrap_or_default();
    named.split(',').filter(|mechanism| !mechanism.is_empty()).map(str::to_owned).collect()
}

/// The store's limits and the engine's settings without the mechanisms that the environment names.
pub(super) fn without(bounds: (OpenOptions, EngineSettings)) -> Result<(OpenOptions, EngineSettings)> {
    named().iter().try_fold(bounds, |bounds, mechanism| less(bounds, mechanism))
}

/// The store as the engine writes to it, without the mechanisms that the environment names.
pub(super) fn store(store: Arc<dyn SessionStore>) -> Arc<dyn SessionStore> {
    let late = named().iter().any(|mechanism| mechanism == "intent");
    if late { Arc::new(LateIntents::new(store)) } else { store }
}

fn less(
    (mut limits, mut settings): (OpenOptions, EngineSettings),
    mechanism: &str,
) -> Result<(OpenOptions, EngineSettings)> {
    match mechanism {
        "fence" => limits.removed = Some(provost_store::Removed::Fence),
        "wake_seq" => limits.removed = Some(provost_store::Removed::WakeSeq),
        "lock" => limits.shared = true,
        "consumption" => settings.controls.without_consumption = true,
        // See `store`.
        "intent" => {}
        other => bail!("{VARIABLE} names `{other}`; write fence, wake_seq, lock, intent or consumption"),
    }
    Ok((limits, settings))
}
