//! The pack of the simulation in two versions, one of which is loaded at a time: a reload changes it under running sessions,
//! and each of them goes on with the one it was opened with.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use provost_domain::claims::ClaimTarget;
use provost_domain::gate::ApprovalRule;
use provost_domain::ids::{AgentName, Digest, ToolName};
use provost_domain::pack::Pack;
use provost_engine::Packs;
use provost_tests::pack;

use crate::dice::Dice;

/// The test pack with a call that can be probed, and times short enough for all of them to pass.
fn versioned(version: u32) -> Pack {
    let mut pack = pack::pack();
    pack.target = Some(ClaimTarget::of_fields(Some("environment"), "service"));
    pack.version = version;
    pack.digest = Digest::of(format!("case {version}").as_bytes());
    pack.gates.digest = Digest::of(format!("gates {version}").as_bytes());
    for agent in pack.agents.values_mut() {
        agent.prompt = format!("You are an agent of version {version}.").into();
        agent.deadline = Duration::from_secs(if agent.watch.is_some() { 12 } else { 25 });
        pack::poll_every(agent, Duration::from_secs(2));
        if agent.name == AgentName::new("closer") {
            agent.tools.push(ToolName::new("act:probe"));
        }
    }
    pack.gates.approval = ApprovalRule { expires: Duration::from_secs(40), ..pack.gates.approval };
    pack
}

/// Read once per process: their schemas are compiled.
fn versions() -> &'static [Arc<Pack>; 2] {
    static VERSIONS: OnceLock<[Arc<Pack>; 2]> = OnceLock::new();
    VERSIONS.get_or_init(|| [1, 2].map(|version| Arc::new(versioned(version))))
}

/// Whether packs are what their digests say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pins {
    /// They are.
    True,
    /// The present one stands also under the digest of the other: a session goes on with it whichever it was opened with.
    Forged,
}

/// What a node starts with: one version, and the other as the store keeps it.
pub(crate) fn kept(dice: &Dice, pins: Pins) -> Packs {
    let [first, second] = versions();
    let (present, other) = if dice.permille(700) { (first, second) } else { (second, first) };
    let other = match pins {
        Pins::True => Arc::clone(other),
        Pins::Forged => Arc::new(Pack { digest: other.digest, ..(**present).clone() }),
    };
    Packs { present: vec![Arc::clone(present)], pinned: vec![other] }
}

/// What a node is told to load anew: one version alone. It has kept the other.
pub(crate) fn reloaded(dice: &Dice, pins: Pins) -> Packs {
    let packs = kept(dice, pins);
    match pins {
        Pins::True => Packs { pinned: Vec::new(), ..packs },
        Pins::Forged => packs,
    }
}

/// The version that has this digest.
pub(crate) fn of(digest: Digest) -> Option<&'static Pack> {
    versions().iter().find(|pack| pack.digest == digest).map(|pack| &**pack)
}
