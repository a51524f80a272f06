//! Who acts: read once from its text, so that authority is a match over kinds and never a question about a prefix.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::ids::AgentName;
use crate::word::closed_list;

/// Who acts. Logs and the wire hold its text (`user:alice`, `agent:first`, `runtime`), and every text is a principal:
/// one that this program does not know is kept as it is and has no authority.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Principal {
    /// Somebody who holds a token, or works on this machine.
    Person(Person),
    /// An agent of the session's pack, `agent:NAME`.
    Agent(AgentName),
    /// A sender of deliveries, `intake:NAME`.
    Intake(String),
    /// A periodic look of the node across its sessions, `ticker:NAME`.
    Ticker(String),
    /// A program that speaks for others: an MCP or A2A client, a chat bot; `client:NAME`.
    Client(String),
    /// The runtime itself, `runtime`.
    Runtime,
    /// The part of the runtime that erases sessions for their age, `runtime:retention`.
    Retention,
    /// Any other text, word for word: of an older log, or of what is configured rather than done.
    Other(String),
}

/// A person's name, and what vouches for it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Person {
    /// The holder of a token, or the name given with `--as`: `user:NAME`.
    User(String),
    /// The account of the operating system that ran a command: `cli:NAME`.
    Cli(String),
}

closed_list! {
    /// What kind of principal somebody is: what authority depends on.
    PrincipalKind {
        /// A person.
        Person = "a person",
        /// An agent of a pack.
        Agent = "an agent",
        /// A sender of deliveries.
        Intake = "a sender of deliveries",
        /// A periodic look of the node.
        Ticker = "a ticker",
        /// A program that speaks for others.
        Client = "a client program",
        /// The runtime or a part of it.
        Runtime = "the runtime",
        /// A text this program does not know.
        Other = "nobody this program knows",
    }
}

impl Principal {
    /// The person `user:NAME`.
    pub fn user(name: impl Into<String>) -> Self {
        Self::Person(Person::User(name.into()))
    }

    /// Reads its text.
    pub fn parse(text: &str) -> Self {
        let (prefix, name) = text.split_once(':').unwrap_or((text, ""));
        let owned = || name.to_owned();
        match prefix {
            "user" if prefix != text => Self::Person(Person::User(owned())),
            "cli" if prefix != text => Self::Person(Person::Cli(owned())),
            "agent" if prefix != text => Self::Agent(AgentName::new(name)),
            "intake" if prefix != text => Self::Intake(owned()),
            "ticker" if prefix != text => Self::Ticker(owned()),
            "client" if prefix != text => Self::Client(owned()),
            "runtime" if prefix == text => Self::Runtime,
            "runtime" if name == "retention" => Self::Retention,
            _ => Self::Other(text.to_owned()),
        }
    }

    /// What authority depends on.
    pub const fn kind(&self) -> PrincipalKind {
        match self {
            Self::Person(Person::User(_) | Person::Cli(_)) => PrincipalKind::Person,
            Self::Agent(_) => PrincipalKind::Agent,
            Self::Intake(_) => PrincipalKind::Intake,
            Self::Ticker(_) => PrincipalKind::Ticker,
            Self::Client(_) => PrincipalKind::Client,
            Self::Runtime | Self::Retention => PrincipalKind::Runtime,
            Self::Other(_) => PrincipalKind::Other,
        }
    }

    /// Whether it is a person.
    pub const fn is_person(&self) -> bool {
        match self.kind() {
            PrincipalKind::Person => true,
            PrincipalKind::Agent
            | PrincipalKind::Intake
            | PrincipalKind::Ticker
            | PrincipalKind::Client
            | PrincipalKind::Runtime
            | PrincipalKind::Other => false,
        }
    }
}

impl fmt::Display for Principal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(Person::User(name)) => write!(f, "user:{name}"),
            Self::Person(Person::Cli(name)) => write!(f, "cli:{name}"),
            Self::Agent(name) => write!(f, "agent:{name}"),
            Self::Intake(name) => write!(f, "intake:{name}"),
            Self::Ticker(name) => write!(f, "ticker:{name}"),
            Self::Client(name) => write!(f, "client:{name}"),
            Self::Runtime => f.write_str("runtime"),
            Self::Retention => f.write_str("runtime:retention"),
            Self::Other(text) => f.write_str(text),
        }
    }
}

impl Serialize for Principal {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Principal {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::parse(&String::deserialize(deserializer)?))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn each_text_has_its_kind() {
        let all = [
            ("user:alice", PrincipalKind::Person),
            ("user:a:b", PrincipalKind::Person),
            ("cli:root", PrincipalKind::Person),
            ("agent:first", PrincipalKind::Agent),
            ("intake:checkout", PrincipalKind::Intake),
            ("ticker:approvals", PrincipalKind::Ticker),
            ("client:desk", PrincipalKind::Client),
            ("runtime", PrincipalKind::Runtime),
            ("runtime:retention", PrincipalKind::Runtime),
        ];
        for (text, kind) in all {
            assert_eq!(Principal::parse(text).kind(), kind, "{text}");
        }
        let unknown = ["", ":", "user", "agent", "User:a", " user:a", "bot:a", "runtime:", "runtime:a", "config:a"];
        for text in unknown {
            assert_eq!(Principal::parse(text), Principal::Other(text.to_owned()));
        }
    }

    proptest! {
        #[test]
        fn a_text_is_kept(text in "(user|cli|agent|intake|ticker|client|runtime|[a-z]{0,4})?:?.{0,12}") {
            let principal = Principal::parse(&text);
            prop_assert_eq!(principal.to_string(), text.clone());
            let wire = serde_json::to_string(&principal).unwrap();
            prop_assert_eq!(&wire, &serde_json::to_string(&text).unwrap());
            prop_assert_eq!(serde_json::from_str::<Principal>(&wire).unwrap(), principal);
        }
    }
}
