//! Whom a need is told.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::Value;

use super::need::NeedKind;
use super::window::DayHours;
use crate::ids::PackName;
use crate::time::Timestamp;

/// How people are told. Without rules nobody is.
#[derive(Debug, Clone, Default)]
pub struct AttentionRules {
    /// The first that matches decides.
    pub rules: Vec<AttentionRule>,
    /// How long before it expires an approval is told again.
    pub expiring: Duration,
    /// How long a server that fails is waited for before people are told.
    pub patience: Duration,
}

/// Whom some needs are told.
#[derive(Debug, Clone, Default)]
pub struct AttentionRule {
    /// The needs that it is for.
    pub matches: RuleMatch,
    /// The contacts that are told at once.
    pub tell: Vec<String>,
    /// How long after the last message about it a need is told again.
    pub remind_after: Option<Duration>,
    /// Who is told next, in this order.
    pub escalate: Vec<Escalation>,
    /// Hours in which nothing is told, except what expires within them.
    pub quiet: Option<DayHours>,
}

/// Further contacts, told when nobody did anything for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// How long after the first message.
    pub after: Duration,
    /// The contacts that are told then.
    pub to: Vec<String>,
}

/// Which needs a rule is for: all that is said must hold.
#[derive(Debug, Clone, Default)]
pub struct RuleMatch {
    /// Only sessions of this pack.
    pub pack: Option<PackName>,
    /// Only these kinds; empty: all that wait for people, not the news that a session is closed.
    pub needs: BTreeSet<NeedKind>,
    /// Fields of the case, each with the values it may have.
    pub fields: BTreeMap<String, BTreeSet<String>>,
    /// Only within these hours.
    pub hours: Option<DayHours>,
}

impl RuleMatch {
    fn fits(&self, kind: NeedKind, pack: &PackName, fields: &Value, now: Timestamp) -> bool {
        let kinds = if self.needs.is_empty() { kind != NeedKind::Closed } else { self.needs.contains(&kind) };
        // What the case does not say is not one of the values.
        let has = |(name, values): (&String, &BTreeSet<String>)| {
            fields.get(name).and_then(word).is_some_and(|value| values.contains(&value))
        };
        kinds
            && self.pack.as_ref().is_none_or(|own| own == pack)
            && self.fields.iter().all(has)
            && self.hours.as_ref().is_none_or(|hours| hours.contains(now))
    }
}

/// A single value as it is written.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

impl AttentionRules {
    /// The rule for a need.
    pub fn rule(&self, kind: NeedKind, pack: &PackName, fields: &Value, now: Timestamp) -> Option<&AttentionRule> {
        self.rules.iter().find(|rule| rule.matches.fits(kind, pack, fields, now))
    }

    /// When another rule may match for no other reason than the time.
    pub fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        self.rules.iter().filter_map(|rule| rule.matches.hours.as_ref()?.next_change(now)).min()
    }
}
