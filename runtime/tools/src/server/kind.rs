//! What a kind of tool server is to the rest of this crate.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, SecretPlace, Table};

use super::finding::ServerFinding;
use super::open::OpenServer;
use super::remote::{RemoteSection, RemoteServer};
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
#[async_trait]
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

    /// Whether one of its tools can be asked whether a call happened.
    fn probes(&self, _tool: &str) -> bool {
        false
    }

    /// Where it is reached, if over HTTP at one address.
    fn remote(&self) -> Option<&RemoteSection> {
        None
    }

    /// Where its secrets are.
    fn secrets(&self) -> Vec<&SecretPlace> {
        self.remote().map(RemoteSection::secrets).unwrap_or_default()
    }

    /// What people who run it should know although it works, a sentence each.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// Builds its tools; without secrets only to say what they are.
    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError>;

    /// Looks whether the server can be used, changing nothing.
    async fn check(&self, server: &OpenServer<'_>) -> Vec<ServerFinding> {
        let built = match self.tools(server) {
            Ok(tools) => ServerFinding::good(format!("{} tools are ready", tools.len())),
            Err(error) => ServerFinding::bad(with_causes(&error)),
        };
        let Some(remote) = self.remote().filter(|_| built.ok) else { return vec![built] };
        match RemoteServer::open(remote, server) {
            Ok(remote) => vec![built, remote.reached().await],
            Err(error) => vec![ServerFinding::bad(with_causes(&error))],
        }
    }

    /// Accepts what the server says of its tools now. Only some kinds of servers say anything.
    async fn accept(&self, _: &OpenServer<'_>) -> Vec<ServerFinding> {
        let text = "servers of this kind say nothing of their tools: there is nothing to accept";
        vec![ServerFinding::bad(text)]
    }

    /// What sends the messages that its tools stored.
    fn carriers(&self, _: &OpenServer<'_>) -> Result<Vec<NamedCarrier>, ToolsError> {
        Ok(Vec::new())
    }
}

/// An error with what caused it, on one line.
fn with_causes(error: &ToolsError) -> String {
    let (mut text, mut source) = (error.to_string(), std::error::Error::source(error));
    while let Some(cause) = source {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        source = cause.source();
    }
    text
}
