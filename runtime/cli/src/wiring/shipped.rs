//! The pack that is shipped with this binary.

use std::path::{Path, PathBuf};

/// The files of the shipped pack, for a binary far from its sources.
const SHIPPED: [(&str, &str); 16] = [
    ("pack.yaml", include_str!("../../../../skills/incident/pack.yaml")),
    ("demo.script.yaml", include_str!("../../../../skills/incident/demo.script.yaml")),
    ("samples/checkout-5xx.json", include_str!("../../../../skills/incident/samples/checkout-5xx.json")),
    ("samples/disk-space.json", include_str!("../../../../skills/incident/samples/disk-space.json")),
    ("samples/pod-crash-looping.json", include_str!("../../../../skills/incident/samples/pod-crash-looping.json")),
    ("shared/evidence.md", include_str!("../../../../skills/incident/shared/evidence.md")),
    ("shared/untrusted.md", include_str!("../../../../skills/incident/shared/untrusted.md")),
    ("shared/finish.md", include_str!("../../../../skills/incident/shared/finish.md")),
    ("agents/triage/agent.yaml", include_str!("../../../../skills/incident/agents/triage/agent.yaml")),
    ("agents/triage/SKILL.md", include_str!("../../../../skills/incident/agents/triage/SKILL.md")),
    ("agents/investigator/agent.yaml", include_str!("../../../../skills/incident/agents/investigator/agent.yaml")),
    ("agents/investigator/SKILL.md", include_str!("../../../../skills/incident/agents/investigator/SKILL.md")),
    ("agents/resolution/agent.yaml", include_str!("../../../../skills/incident/agents/resolution/agent.yaml")),
    ("agents/resolution/SKILL.md", include_str!("../../../../skills/incident/agents/resolution/SKILL.md")),
    ("agents/watcher/agent.yaml", include_str!("../../../../skills/incident/agents/watcher/agent.yaml")),
    ("README.md", "The incident pack, as shipped with this binary.\n"),
];

/// The files of the shipped pack, as they lie in a folder.
pub(crate) fn shipped(folder: &Path) -> Vec<(PathBuf, &'static str)> {
    let pack = folder.join("incident");
    SHIPPED.iter().map(|(name, text)| (pack.join(name), *text)).collect()
}
