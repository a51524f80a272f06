//! Digests: of every byte of a pack, and of what its gates mean.

use std::fs;

use crate::support::{change, check, copied};

#[test]
fn the_digest_is_the_same_anywhere_and_another_for_every_change() {
    let first = check(copied().path()).unwrap();
    assert_eq!(first.digest, check(copied().path()).unwrap().digest);
    let mut seen = vec![first.digest];
    for file in
        ["pack.yaml", "agents/triage/agent.yaml", "agents/triage/SKILL.md", "shared/evidence.md", "demo.script.yaml"]
    {
        let folder = copied();
        let path = folder.path().join(file);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}\n")).unwrap();
        let digest = check(folder.path()).unwrap().digest;
        assert!(!seen.contains(&digest), "{file} is no part of the digest");
        seen.push(digest);
    }
    let folder = copied();
    fs::write(folder.path().join("README.md"), "").unwrap();
    assert!(!seen.contains(&check(folder.path()).unwrap().digest));
    let folder = copied();
    fs::write(folder.path().join(".swap"), "").unwrap();
    assert_eq!(check(folder.path()).unwrap().digest, first.digest);
}

#[test]
fn the_gates_digest_follows_their_meaning_and_not_their_writing() {
    let digest = |from: &str, to: &str| {
        let folder = copied();
        change(folder.path(), "pack.yaml", from, to);
        check(folder.path()).unwrap().gates.digest
    };
    let first = check(copied().path()).unwrap().gates.digest;
    assert_eq!(
        first,
        digest("{tool: \"service:rollback\", risk: high}", "{risk: high, tool: 'service:rollback'} # same")
    );
    assert_eq!(first, digest("expires: 30m", "expires: 1800s"));
    assert_eq!(first, digest("version: 1", "version: 2"));
    let others = [
        digest("risk: high}", "risk: medium}"),
        digest("environment: [production]", "environment: [staging]"),
        digest("confidence_below: 0.7", "confidence_below: 0.8"),
        digest("expires: 30m", "expires: 31m"),
        digest("min: 1,", "min: 2,"),
        digest("not_requester: true", "not_requester: false"),
    ];
    for (number, other) in others.iter().enumerate() {
        assert!(*other != first && !others[..number].contains(other), "change {number} is no part of the digest");
    }
}

/// The digest pins sessions and approvals of stored logs, so it may not change with a release.
#[test]
fn the_gates_digest_is_stable() {
    let pack = check(copied().path()).unwrap();
    let canonical = r#"{"approval":{"expires":1800000,"min":1,"not_requester":true},"confidence_below":0.7,"rules":[{"action":null,"environments":[],"risk":"high","tool":"service:rollback"},{"action":"approve","environments":["production"],"risk":null,"tool":"service:restart"}]}"#;
    assert_eq!(pack.gates.digest, provost_domain::ids::Digest::of(canonical.as_bytes()));
}
