//! The packs that `provost packs new` begins with, inside this binary.

use clap::ValueEnum;

/// A pack to begin with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Starter {
    /// Two agents, one tool, two scenarios.
    Empty,
    /// The incident pack as it is shipped: an alert becomes a case, a fix is measured.
    Incident,
    /// The review pack.
    CodeReview,
}

impl Starter {
    /// The name that its own manifest has.
    pub(crate) const fn pack(self) -> &'static str {
        match self {
            Self::Empty => "my-pack",
            Self::Incident => "incident",
            Self::CodeReview => "code-review",
        }
    }
}

/// A file that `packs new` writes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct StarterFile {
    /// Its path inside the pack.
    pub(crate) path: &'static str,
    /// What stands in it.
    pub(crate) text: &'static str,
}

/// What `packs new` writes for a starter.
pub(crate) const fn files(starter: Starter) -> &'static [StarterFile] {
    match starter {
        Starter::Empty => EMPTY,
        Starter::Incident => INCIDENT,
        Starter::CodeReview => CODE_REVIEW,
    }
}

macro_rules! starter {
    ($name:ident, $folder:literal, [$($path:literal),+ $(,)?]) => {
        const $name: &[StarterFile] =
            &[$(StarterFile { path: $path, text: include_str!(concat!("../../../", $folder, "/", $path)) }),+];
    };
}

starter!(
    EMPTY,
    "runtime/cli/starters/empty",
    [
        "README.md",
        "agents/close/SKILL.md",
        "agents/close/agent.yaml",
        "agents/look/SKILL.md",
        "agents/look/agent.yaml",
        "pack.yaml",
        "tests/closed.script.yaml",
        "tests/closed.yaml",
        "tests/unclear.script.yaml",
        "tests/unclear.yaml",
    ]
);

starter!(
    INCIDENT,
    "skills/incident",
    [
        "README.md",
        "agents/investigator/SKILL.md",
        "agents/investigator/agent.yaml",
        "agents/resolution/SKILL.md",
        "agents/resolution/agent.yaml",
        "agents/triage/SKILL.md",
        "agents/triage/agent.yaml",
        "agents/watcher/agent.yaml",
        "demo.script.yaml",
        "pack.yaml",
        "samples/checkout-5xx.json",
        "samples/disk-space.json",
        "samples/pod-crash-looping.json",
        "shared/evidence.md",
        "shared/finish.md",
        "shared/untrusted.md",
        "tests/asked.script.yaml",
        "tests/asked.yaml",
        "tests/late-alert.yaml",
        "tests/refused.yaml",
        "tests/restart.script.yaml",
        "tests/restart.yaml",
        "tests/rolled-back.yaml",
        "tests/tools.yaml",
        "tests/unsure.script.yaml",
        "tests/unsure.yaml",
    ]
);

starter!(
    CODE_REVIEW,
    "skills/code-review",
    [
        "README.md",
        "agents/analyzer/SKILL.md",
        "agents/analyzer/agent.yaml",
        "agents/intake/SKILL.md",
        "agents/intake/agent.yaml",
        "agents/recommender/SKILL.md",
        "agents/recommender/agent.yaml",
        "pack.yaml",
        "repos.yaml",
        "samples/opened.json",
        "shared/evidence.md",
        "shared/finish.md",
        "shared/untrusted.md",
        "tests/clean.script.yaml",
        "tests/clean.yaml",
        "tests/empty.script.yaml",
        "tests/empty.yaml",
        "tests/planted-defect.script.yaml",
        "tests/planted-defect.yaml",
        "tests/tools.yaml",
        "tests/undecided.script.yaml",
        "tests/undecided.yaml",
    ]
);

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;

    /// The paths of all files in a folder.
    fn listed(folder: &Path, inside: &str, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            let path = if inside.is_empty() { name } else { format!("{inside}/{name}") };
            if entry.path().is_dir() {
                listed(&entry.path(), &path, found);
            } else {
                found.insert(path);
            }
        }
    }

    #[test]
    fn every_file_of_a_pack_is_in_the_binary() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
        for (starter, folder) in [
            (Starter::Empty, "runtime/cli/starters/empty"),
            (Starter::Incident, "skills/incident"),
            (Starter::CodeReview, "skills/code-review"),
        ] {
            let mut there = BTreeSet::new();
            listed(&root.join(folder), "", &mut there);
            let here: BTreeSet<String> = files(starter).iter().map(|file| file.path.to_owned()).collect();
            assert_eq!(here, there, "{folder}");
        }
    }
}
