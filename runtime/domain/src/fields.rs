//! The fields of a session, checked against the pack it is opened from.

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::ids::{Digest, PackName};
use crate::nesting;
use crate::pack::Pack;

/// The fields of a session that fit a pack. Only the check makes them, so whoever is given them need not check again.
#[derive(Debug, Clone, PartialEq)]
pub struct CheckedFields {
    /// The digest of the pack they were checked against.
    pack: Digest,
    fields: Value,
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
            Ok(Self { pack: pack.digest, fields })
        } else {
            Err(InvalidFields { pack: pack.name.clone(), problems })
        }
    }

    /// The same fields for a pack, checked again only if they were checked against another one.
    ///
    /// # Errors
    /// They do not fit that other pack.
    pub fn for_pack(self, pack: &Pack) -> Result<Self, InvalidFields> {
        if self.pack == pack.digest { Ok(self) } else { Self::new(pack, self.fields) }
    }

    /// The fields.
    pub fn into_value(self) -> Value {
        self.fields
    }
}

impl Serialize for CheckedFields {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.fields.serialize(to)
    }
}
