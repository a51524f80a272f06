//! Which case an alert belongs to. A case is a sender, its group, and the fields that the pack names under `identity`: so
//! environments and services never mix in one session. The address that a sender gives for itself does not belong to it: the two
//! of a highly available pair differ in it.

use std::collections::BTreeMap;

use provost_domain::ids::{Digest, PackName};
use provost_domain::principal::Principal;
use serde_json::Value;

/// A case of a group, by the values of its identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct CaseId(Digest);

impl CaseId {
    /// The case that these fields belong to.
    pub(super) fn of(identity: &[String], fields: &Value) -> Self {
        let values: BTreeMap<&String, Option<&Value>> = identity.iter().map(|name| (name, fields.get(name))).collect();
        Self(Digest::of_json(&serde_json::json!(values)))
    }

    /// The case of another pack than the first that takes deliveries of its format.
    pub(super) fn in_pack(self, pack: &PackName) -> Self {
        Self(Digest::of_parts(&[b"pack", pack.as_str().as_bytes(), self.0.as_bytes()]))
    }

    /// Stands in for the group of a delivery whose format has none.
    pub(super) const fn group(self) -> Digest {
        self.0
    }

    /// The name under which a group keeps the session that the case is with.
    pub(super) fn mark(self) -> String {
        format!("{CASE}{}", self.0.hex())
    }
}

/// What the names begin with that a group keeps beside its alerts. No alert is named so: those of one format have a slash in
/// their names, those of the other are digests.
const CASE: &str = "case:";
const AGAIN: &str = "again:";
const RETRY: &str = "retry:";
const ALARM: &str = "alarm:";
const VERSION: &str = "version:";
/// Keeps the session of all cases beyond those that got one of their own.
pub(super) const MANY: &str = "case:many";

/// The name of that session for a pack; `None` is the first that takes deliveries of the format.
pub(super) fn many(pack: Option<&PackName>) -> String {
    pack.map_or_else(|| MANY.to_owned(), |pack| format!("{MANY}:{pack}"))
}

/// Notes that an alert was reported once more after its end.
pub(super) fn again(alert: &str) -> String {
    format!("{AGAIN}{alert}")
}

/// What the notes of a session's retries begin with.
pub(super) fn retries(session: impl std::fmt::Display) -> String {
    format!("{RETRY}{session}:")
}

/// Notes that people were told about a session.
pub(super) fn alarm(session: impl std::fmt::Display) -> String {
    format!("{ALARM}{session}")
}

/// What the note of the version begins with that a session was opened for.
pub(super) fn versions(session: impl std::fmt::Display) -> String {
    format!("{VERSION}{session}:")
}

/// Notes the version that a session was opened for.
pub(super) fn version(session: impl std::fmt::Display, version: &str) -> String {
    format!("{}{}", versions(session), Digest::of(version.as_bytes()).hex())
}

/// Whether a name is an alert's.
pub(super) fn is_alert(name: &str) -> bool {
    [CASE, AGAIN, RETRY, ALARM, VERSION].iter().all(|prefix| !name.starts_with(prefix))
}

/// Whether a name keeps the session of a case.
pub(super) fn is_case(name: &str) -> bool {
    name.starts_with(CASE)
}

/// The group of a sender: what others name alike is another group.
pub(super) fn group_of(by: &Principal, group: Digest) -> Digest {
    Digest::of_parts(&[b"sender", by.to_string().as_bytes(), group.as_bytes()])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_case_is_its_identity_and_nothing_else() {
        let identity = ["environment".to_owned(), "service".to_owned()];
        let case = |fields: Value| CaseId::of(&identity, &fields);
        let shop = case(json!({"environment": "staging", "service": "shop", "summary": "a"}));
        assert_eq!(shop, case(json!({"service": "shop", "environment": "staging", "summary": "b"})));
        for other in [
            json!({"environment": "production", "service": "shop"}),
            json!({"environment": "staging", "service": "till"}),
            json!({"environment": "staging"}),
        ] {
            assert_ne!(shop, case(other.clone()), "{other}");
        }
        assert_eq!(CaseId::of(&[], &json!({"a": 1})), CaseId::of(&[], &json!({"a": 2})));
    }

    #[test]
    fn a_group_belongs_to_its_sender() {
        let (group, by) = (Digest::of(b"g"), Principal::parse);
        assert_eq!(group_of(&by("intake:a"), group), group_of(&by("intake:a"), group));
        assert_ne!(group_of(&by("intake:a"), group), group_of(&by("intake:b"), group));
    }

    #[test]
    fn notes_are_no_alerts() {
        let case = CaseId::of(&[], &json!({}));
        for note in [case.mark(), MANY.to_owned(), again("a/1"), retries("s"), alarm("s"), version("s", "v")] {
            assert!(!is_alert(&note), "{note}");
        }
        assert!(is_alert("cafe/2026") && is_case(MANY) && is_case(&case.mark()) && !is_case(&again("a/1")));
    }
}
