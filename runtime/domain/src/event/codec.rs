//! Events as the bytes of a record, and back.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::error::{DecodeError, EncodeError};
use super::kinds::EventBody;
use super::upcast::{Upcasts, Written};

/// Room for the events of most records.
const ENCODED: usize = 2 * 1024;

#[derive(Deserialize)]
struct Wire<'a> {
    kind: String,
    v: u16,
    #[serde(borrow)]
    data: &'a RawValue,
}

impl EventBody {
    /// The events as the bytes of a record.
    pub(crate) fn encode_all(events: &[Self]) -> Result<Vec<u8>, EncodeError> {
        let mut bytes = Vec::with_capacity(ENCODED);
        let written = serde_json::to_writer(&mut bytes, events);
        written.map(|()| bytes).map_err(|error| EncodeError::new("a list of events", &error))
    }

    /// The events of a record's bytes, each brought to its kind's present form.
    pub(crate) fn decode_all(bytes: &[u8], upcasts: Upcasts) -> Result<Vec<Self>, DecodeError> {
        let wires: Vec<Wire<'_>> = serde_json::from_slice(bytes)
            .map_err(|error| DecodeError::Malformed { kind: "list".to_owned(), detail: error.to_string() })?;
        wires.iter().map(|wire| Self::decode(wire, upcasts)).collect()
    }

    fn decode(wire: &Wire<'_>, upcasts: Upcasts) -> Result<Self, DecodeError> {
        let Wire { kind, v, data } = wire;
        if !Self::KINDS.contains(&kind.as_str()) {
            return Err(DecodeError::Newer { kind: kind.clone(), version: *v });
        }
        match upcasts.lift(kind, *v, data.get())? {
            Written::Now => Self::present(kind, *v, data.get()),
            Written::Before(lifted) => Self::present(kind, *v, &lifted.to_string()),
        }
    }
}
