//! What a kind of tool server is to the rest of this crate.

use std::fmt;
use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, SecretPlace, Table};

use super::open::OpenServer;
use super::remote::RemoteSection;
use crate::error::ToolsError;
use crate::kind::NamedCarrier;

/// A tool that a server has, as its section is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct DeclaredTool<'a> {
    /// Its name without the server's.
    pub(crate) name: &'a str,
    /// The loosest effect class that a configuration may give it.
    pub(crate) effect: EffectClass,
}

/// A kind of tool server: what `kind: KIND` means.
pub(crate) trait ServerKind: fmt::Debug + Send + Sync + Sized + 'static {
    /// The keys of its section, besides `kind` and `tools`.
    const KEYS: &'static [&'static str];
    /// The keys that an entry under `tools` has, besides those of every tool.
    const TOOL_KEYS: &'static [&'static str] = &[];
    /// Whether its tools tell people something.
    const TELLS_PEOPLE: bool = false;

    /// Reads its keys from its section, whose unknown keys were reported.
    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self;

    /// The tools of a server with this section.
    fn declared(&self) -> Vec<DeclaredTool<'_>>;

    /// Where it is reached, if over HTTP at one address.
    fn remote(&self) -> Option<&RemoteSection> {
        None
    }

    /// Where its secrets are.
    fn secrets(&self) -> Vec<&SecretPlace> {
        self.remote().map(RemoteSection::secrets).unwrap_or_default()
    }

    /// Builds its tools; without secrets only to say what they are.
    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError>;

    /// What sends the messages that its tools stored.
    fn carriers(&self, _: &OpenServer<'_>) -> Result<Vec<NamedCarrier>, ToolsError> {
        Ok(Vec::new())
    }
}
