//! For proofs only (feature `controls`, which nothing shipped enables): which mechanism this process does without, from the
//! environment.

use anyhow::{Result, bail};
use provost_engine::EngineSettings;
use provost_store::Limits;

use crate::wiring::variable;

/// Names the mechanism.
const VARIABLE: &str = "PROVOST_WITHOUT";

/// The store's limits and the engine's settings without the mechanism that the environment names.
pub(crate) fn without((limits, settings): (Limits, EngineSettings)) -> Result<(Limits, EngineSettings)> {
    let Some(mechanism) = variable(VARIABLE) else { return Ok((limits, settings)) };
    let store = |removed| (Limits { removed: Some(removed), ..limits }, settings);
    let engine = |removed| (limits, EngineSettings { removed: Some(removed), ..settings });
    Ok(match mechanism.as_str() {
        "fence" => store(provost_store::Removed::Fence),
        "wake_seq" => store(provost_store::Removed::WakeSeq),
        "intent" => engine(provost_engine::Removed::Intent),
        "consumption" => engine(provost_engine::Removed::Consumption),
        other => bail!("{VARIABLE} is `{other}`; write fence, wake_seq, intent or consumption"),
    })
}
