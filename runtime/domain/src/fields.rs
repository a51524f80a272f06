//! The fields of a session, checked against the pack it is opened from.

use serde_json::{Map, Value};

use crate::ids::{Digest, PackName};
use crate::nesting;
use crate::pack::Pack;

/// The fields of a session that fit a pack. Only the check makes them, so whoever is given them need not check again.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedFields {
    /// The digest of the pack they were checked against.
    pack: Digest,
    fields: Value,
    /// Whether required ones may be missing.
    partial: bool,
}

/// Fields do not fit a pack.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the fields do not fit pack `{pack}`: {}", problems.join("; "))]
pub struct InvalidFields {
    /// The pack.
    pub pack: PackName,
    /// Every problem.
    pub problems: Vec<String>,
}

impl CheckedFields {
    /// Checks fields against the schema of a pack and against its rosters.
    ///
    /// # Errors
    /// They do not fit; with every problem.
    pub fn new(pack: &Pack, fields: Value) -> Result<Self, InvalidFields> {
        if let Err(error) = nesting::check(&fields) {
            return Err(InvalidFields { pack: pack.name.clone(), problems: vec![error.to_string()] });
        }
        let mut problems = pack.fields.problems(&fields);
        let bound = pack.fields.roster_bindings();
        problems.extend(pack.rosters.check(&bound, &fields).iter().map(ToString::to_string));
        if problems.is_empty() {
            Ok(Self { pack: pack.digest, fields, partial: false })
        } else {
            Err(InvalidFields { pack: pack.name.clone(), problems })
        }
    }

    /// Checks fields of which required ones may be missing: those of a session about so much that they differ. Whatever needs
    /// one of them then has no value for it.
    ///
    /// # Errors
    /// One that is there does not fit, with the problem of each.
    pub fn partial(pack: &Pack, fields: Value) -> Result<Self, InvalidFields> {
        let members = fields.as_object().cloned().unwrap_or_default();
        let closed = pack.fields.raw().get("additionalProperties") == Some(&Value::Bool(false));
        let unknown = |name: &str| closed && !pack.fields.declares(name);
        let odd = members.iter().filter(|(name, value)| unknown(name) || !pack.fields.takes(name, value));
        let mut problems: Vec<String> = odd.map(|(name, _)| format!("/{name}: it does not fit")).collect();
        let bound = pack.fields.roster_bindings();
        problems.extend(pack.rosters.check(&bound, &fields).iter().map(ToString::to_string));
        if let Err(error) = nesting::check(&fields) {
            problems.push(error.to_string());
        }
        if problems.is_empty() {
            Ok(Self { pack: pack.digest, fields, partial: true })
        } else {
            Err(InvalidFields { pack: pack.name.clone(), problems })
        }
    }

    /// The same fields for a pack, checked again only if they were checked against another one.
    ///
    /// # Errors
    /// They do not fit that other pack.
    pub fn for_pack(self, pack: &Pack) -> Result<Self, InvalidFields> {
        match (self.pack == pack.digest, self.partial) {
            (true, _) => Ok(self),
            (false, true) => Self::partial(pack, self.fields),
            (false, false) => Self::new(pack, self.fields),
        }
    }

    /// The fields.
    pub fn into_value(self) -> Value {
        self.fields
    }
}

/// What does not fit the pack once these values stand in the fields. What a session lacks already is not counted.
pub(crate) fn problems_of_change(pack: &Pack, before: &Value, change: &Map<String, Value>) -> Vec<String> {
    if change.is_empty() {
        return Vec::new();
    }
    let mut after = before.as_object().cloned().unwrap_or_default();
    after.extend(change.clone());
    let after = Value::Object(after);
    let known = pack.fields.problems(before);
    let mut problems = pack.fields.problems(&after);
    problems.retain(|problem| !known.contains(problem));
    let mut bound = pack.fields.roster_bindings();
    bound.retain(|field, _| change.contains_key(field));
    problems.extend(pack.rosters.check(&bound, &after).iter().map(ToString::to_string));
    problems
}
