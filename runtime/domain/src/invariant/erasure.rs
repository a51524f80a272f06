//! An erasure is whole, and accounted for by the log's last record.

use super::stored::Stored;

/// What the records still hold.
#[derive(Debug, Default)]
pub(super) struct Payloads {
    /// Records without a payload.
    pub(super) erased: u64,
    /// Records with one, the tombstone not counted.
    pub(super) whole: u64,
    /// Whether the last record is a tombstone.
    pub(super) buried: bool,
    /// Whether there is a snapshot beside them.
    pub(super) snapshot: bool,
}

impl Payloads {
    /// What is wrong with an erasure, at the log's end.
    pub(super) fn unaccounted(&self) -> Option<String> {
        let Self { erased, whole, buried, snapshot: _ } = self;
        if !buried {
            return (*erased > 0).then(|| {
                format!("{erased} records were erased, and no tombstone ends the log: nobody accounts for it")
            });
        }
        (*whole > 0)
            .then(|| format!("the log ends in a tombstone, and {whole} records before it still hold their payload"))
    }

    /// Where what is stored beside the log knows nothing of an erasure, or of one that the log does not tell.
    pub(super) fn disagrees(&self, stored: &Stored) -> Vec<String> {
        let mut found = Vec::new();
        match (stored.row.erased_at, self.buried) {
            (Some(at), false) => {
                found.push(format!("the row says it was erased at {at}, and no tombstone ends the log"));
            }
            (None, true) => {
                found.push("a tombstone ends the log, and the row does not say that it was erased".to_owned());
            }
            (Some(_), true) | (None, false) => {}
        }
        if !self.buried {
            return found;
        }
        if self.snapshot {
            found.push("it was erased, and a snapshot of it is left".to_owned());
        }
        if stored.unread > 0 {
            found.push(format!("it was erased, and {} commands are left in its inbox", stored.unread));
        }
        if !stored.claims.is_empty() {
            found.push(format!(
                "it was erased, and {} claims are left, which name what it acted on",
                stored.claims.len()
            ));
        }
        let left = stored.approvals.iter().filter(|row| !row.args.is_null());
        found.extend(left.map(|row| format!("it was erased, and the arguments of approval {} are left", row.id)));
        found
    }
}
