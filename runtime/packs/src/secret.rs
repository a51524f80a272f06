//! Where secrets are.

use std::path::PathBuf;

use crate::form::{Log, Read};
use crate::node::Node;

/// Where a key or another secret is; the secret itself is never part of the configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretPlace {
    /// A file of this name in the service's credentials directory.
    Credential(String),
    /// An environment variable.
    Env(String),
    /// A file.
    File(PathBuf),
}

impl Read for SecretPlace {
    /// No message shows what was written: somebody may have written the secret.
    fn read(node: &Node, log: &mut Log) -> Option<Self> {
        let mut entries = node.entries();
        if let (Some((kind, name)), None) = (entries.next(), entries.next()) {
            match kind.as_str() {
                "credential" => return String::read(name, log).map(Self::Credential),
                "env" => return String::read(name, log).map(Self::Env),
                "file" => return PathBuf::read(name, log).map(Self::File),
                _ => {}
            }
        }
        let message = "here stands where the secret is, and nothing else";
        log.report(node.place, message, "write {credential: ID}, {env: NAME} or {file: PATH}");
        None
    }

    fn blank() -> Self {
        Self::Env(String::new())
    }
}
