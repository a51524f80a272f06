//! From the forms payloads once had to those they have now.
//!
//! A payload's form is what its kind and version say, for ever. Whoever changes a form (a field gone, renamed, or with
//! another meaning; not an optional one more) adds one step here, which is pure and never changes once released; the
//! version written is the one the last step leads to. Kinds are never renamed or removed.

use serde_json::Value;

use super::error::DecodeError;

/// The version of a kind that has no steps.
const FIRST: u16 = 1;

/// One kind's payload, from one version to the next.
#[derive(Debug)]
pub(crate) struct Upcast {
    /// The event kind whose payloads this step lifts.
    pub(crate) kind: &'static str,
    /// The version it leads on from.
    pub(crate) from: u16,
    /// The payload in the next version's form, or what it lacks.
    pub(crate) lift: fn(Value) -> Result<Value, String>,
}

/// Steps from the past to the present.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upcasts(pub(crate) &'static [Upcast]);

/// When a payload was written.
#[derive(Debug, PartialEq)]
pub(crate) enum Written {
    /// By this version: it is in its present form.
    Now,
    /// By an older one: this is its present form.
    Before(Value),
}

/// Assignments did not say which kind of work they are: one role measured, all others asked a model.
fn with_work(mut issued: Value) -> Result<Value, String> {
    let role = issued.get("role").and_then(Value::as_str).ok_or("it names no role")?;
    let work = if role == "watcher" { "watching" } else { "asking" };
    let fields = issued.as_object_mut().ok_or("it is not an object")?;
    fields.insert("work".to_owned(), work.into());
    Ok(issued)
}

impl Upcasts {
    /// All there are.
    pub(crate) const KNOWN: Self = Self(&[Upcast { kind: "assignment_issued", from: 1, lift: with_work }]);

    /// The version of a kind's present form.
    pub(crate) fn present(self, kind: &str) -> u16 {
        self.0.iter().filter(|step| step.kind == kind).map(|step| step.from + 1).max().unwrap_or(FIRST)
    }

    /// Brings a payload to its kind's present form, step by step.
    pub(crate) fn lift(self, kind: &str, version: u16, data: &str) -> Result<Written, DecodeError> {
        let present = self.present(kind);
        if version == present {
            return Ok(Written::Now);
        }
        if version > present {
            return Err(DecodeError::Newer { kind: kind.to_owned(), version });
        }
        let malformed = |detail: String| DecodeError::Malformed { kind: kind.to_owned(), detail };
        let mut data = serde_json::from_str(data).map_err(|error| malformed(error.to_string()))?;
        for from in version..present {
            let step = self.0.iter().find(|step| step.kind == kind && step.from == from);
            let step = step.ok_or_else(|| DecodeError::Unheard { kind: kind.to_owned(), version })?;
            data = (step.lift)(data).map_err(malformed)?;
        }
        Ok(Written::Before(data))
    }
}
