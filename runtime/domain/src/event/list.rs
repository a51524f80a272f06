//! The macro behind the list of event kinds: it makes the payloads, [`EventBody`](super::EventBody) and what depends on the
//! kind alone, so that a new kind is one entry of the list.

use crate::ids::{AssignmentId, CallId};

/// What an event speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum About<'a> {
    /// The session as a whole.
    Session,
    /// Work that was given to an agent.
    Assignment(AssignmentId),
    /// A tool call of an agent or a person.
    Call(&'a CallId),
}

impl From<&AssignmentId> for About<'_> {
    fn from(assignment: &AssignmentId) -> Self {
        Self::Assignment(*assignment)
    }
}

impl<'a> From<&'a CallId> for About<'a> {
    fn from(call: &'a CallId) -> Self {
        Self::Call(call)
    }
}

impl From<&Option<AssignmentId>> for About<'_> {
    fn from(assignment: &Option<AssignmentId>) -> Self {
        assignment.map_or(Self::Session, Self::Assignment)
    }
}

impl<'a> From<&'a Option<CallId>> for About<'a> {
    fn from(call: &'a Option<CallId>) -> Self {
        call.as_ref().map_or(Self::Session, Self::Call)
    }
}

/// The form a payload is decoded from: itself, or a private one for sealed payloads.
pub(super) trait Decodable: Sized {
    /// That form.
    type Form: serde::de::DeserializeOwned + Into<Self>;
}

/// `NAME { payload }`: the payload of an event kind.
macro_rules! payloads {
    ($($(#[$doc:meta])* $name:ident {
        $($(#[$field_doc:meta])* $field:ident: $type:ty),* $(,)?
    })*) => {
        $(
            $(#[$doc])*
            #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
            pub struct $name { $($(#[$field_doc])* pub $field: $type),* }

            impl Decodable for $name {
                type Form = Self;
            }
        )*
    };
}

/// `NAME = "wire word" as NEWS of FIELD`; `as` says what kind of news it is, a variant of `EventNews` in `news.rs`; `of` names
/// the field that tells what the event speaks of. A sealed kind is built by its own rules only.
macro_rules! events {
    (
        sealed { $($(#[$sealed_doc:meta])* $sealed:ident = $sealed_kind:literal as $sealed_news:ident),* $(,)? }
        $($name:ident = $kind:literal as $news:ident $(of $about:ident)?),* $(,)?
    ) => {
        $(impl From<$name> for EventBody {
            fn from(data: $name) -> Self {
                Self::$name(data)
            }
        })*

        $(impl From<$sealed> for EventBody {
            fn from(data: $sealed) -> Self {
                Self::$sealed(data)
            }
        })*

        /// What happened. Past tense; every payload is versioned.
        #[derive(Debug, Clone, PartialEq)]
        pub enum EventBody {
            $(#[doc = concat!("See [`", stringify!($name), "`].")] $name($name),)*
            $($(#[$sealed_doc])* $sealed($sealed),)*
        }

        impl EventBody {
            /// Every kind's wire word.
            pub const KINDS: &'static [&'static str] = &[$($kind,)* $($sealed_kind),*];

            /// The kind's wire word, also the event name of streams.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Self::$name(_) => $kind,)*
                    $(Self::$sealed(_) => $sealed_kind,)*
                }
            }

            /// What kind of news it is.
            pub(super) fn news(&self) -> EventNews {
                match self {
                    $(Self::$name(_) => EventNews::$news,)*
                    $(Self::$sealed(_) => EventNews::$sealed_news,)*
                }
            }

            /// What it speaks of.
            pub fn about(&self) -> About<'_> {
                match self {
                    $(Self::$name(_data) => about!(_data $($about)?),)*
                    $(Self::$sealed(_) => About::Session,)*
                }
            }

            /// The payload as JSON, for faces. One that cannot be written is shown as `{"unreadable": WHY}`.
            pub fn data(&self) -> serde_json::Value {
                let value = match self {
                    $(Self::$name(data) => serde_json::to_value(data),)*
                    $(Self::$sealed(data) => serde_json::to_value(data),)*
                };
                value.unwrap_or_else(|error| serde_json::json!({"unreadable": error.to_string()}))
            }

            /// From a payload in its kind's present form.
            pub(super) fn present(kind: &str, version: u16, data: &str) -> Result<Self, DecodeError> {
                let malformed = |error: serde_json::Error| DecodeError::Malformed {
                    kind: kind.to_owned(),
                    detail: error.to_string(),
                };
                match kind {
                    $($kind => serde_json::from_str::<<$name as Decodable>::Form>(data)
                        .map(|form| Self::$name(form.into())).map_err(malformed),)*
                    $($sealed_kind => serde_json::from_str::<<$sealed as Decodable>::Form>(data)
                        .map(|form| Self::$sealed(form.into())).map_err(malformed),)*
                    kind => Err(DecodeError::Newer { kind: kind.to_owned(), version }),
                }
            }
        }

        impl Serialize for EventBody {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut wire = serializer.serialize_struct("Event", 3)?;
                wire.serialize_field("kind", self.kind())?;
                wire.serialize_field("v", &Upcasts::KNOWN.present(self.kind()))?;
                match self {
                    $(Self::$name(data) => wire.serialize_field("data", data)?,)*
                    $(Self::$sealed(data) => wire.serialize_field("data", data)?,)*
                }
                wire.end()
            }
        }
    };
}

macro_rules! about {
    ($data:ident) => {
        About::Session
    };
    ($data:ident $field:ident) => {
        About::from(&$data.$field)
    };
}

pub(super) use {about, events, payloads};
