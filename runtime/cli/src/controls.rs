//! For proofs only (feature `controls`, which nothing shipped enables): which mechanisms this process does without, from the
//! environment.

use anyhow::{Result, bail};
use provost_engine::EngineSettings;
use provost_store::Limits;

use crate::wiring::variable;

/// Names the mechanisms, with commas between.
const VARIABLE: &str = "PROVOST_WITHOUT";

/// The store's limits and the engine's settings without the mechanisms that the environment names.
pub(crate) fn without(bounds: (Limits, EngineSettings)) -> Result<(Limits, EngineSettings)> {
    let named = variable(VARIABLE).unwrap_or_default();
    named.split(',').filter(|mechanism| !mechanism.is_empty()).try_fold(bounds, less)
}

fn less((limits, settings): (Limits, EngineSettings), mechanism: &str) -> Result<(Limits, EngineSettings)> {
    let store = |removed| (Limits { removed: Some(removed), ..limits }, settings);
    let engine = |removed| (limits, EngineSettings { removed: Some(removed), ..settings });
    Ok(match mechanism {
        "fence" => store(provost_store::Removed::Fence),
        "wake_seq" => store(provost_store::Removed::WakeSeq),
        "lock" => (Limits { shared: true, ..limits }, settings),
        "intent" => engine(provost_engine::Removed::Intent),
        "consumption" => engine(provost_engine::Removed::Consumption),
        other => bail!("{VARIABLE} names `{other}`; write fence, wake_seq, lock, intent or consumption"),
    })
}
