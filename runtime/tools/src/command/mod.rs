//! Servers of the kind `command`: each entry under `tools` is one program with its arguments, and what its end means.
//!
//! There is no shell. The environment is empty but for what the configuration names, the program and everything it starts is
//! dead once the call is over, and what it prints is bounded.

mod argv;
mod entry;
mod exits;
mod input;
mod tool;

use std::sync::Arc;

use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, SecretPlace, Table, YamlNode};

use crate::error::ToolsError;
use crate::process::{Launcher, ProcessSection, Sandbox};
use crate::server::{DeclaredTool, OpenServer, ServerKind, ToolWordsSource, entries};
use entry::CommandEntry;

/// A server of the kind `command`.
#[derive(Debug)]
pub(crate) struct CommandServer {
    process: Option<ProcessSection>,
    /// The names of all entries, also of those that could not be read.
    names: Vec<String>,
    entries: Vec<Arc<CommandEntry>>,
}

/// The key `run`.
fn sandbox(table: &Table<'_>, log: &mut ErrorLog) -> Option<Sandbox> {
    let node = table.get("run");
    let Some(node) = node else {
        // Says that the key is missing.
        let place = table.required::<YamlNode>("run", log);
        drop(place);
        return None;
    };
    let run = Table::open(node, &Sandbox::KEYS, log)?;
    Sandbox::read(node, &run, log)
}

impl ServerKind for CommandServer {
    const KEYS: &'static [&'static str] = &["run", "env", "cwd"];
    const TOOL_KEYS: &'static [&'static str] = CommandEntry::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let process = sandbox(table, log).map(|sandbox| ProcessSection::read(table, sandbox, log));
        let read = |name: &str, node: &YamlNode, log: &mut ErrorLog| CommandEntry::read(name, node, log).map(Arc::new);
        let (names, entries) =
            entries(table, ("write `NAME: {about: …, argv: […]}`", ToolWordsSource::Site), log, read);
        Self { process, names, entries }
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        self.names.iter().map(|name| DeclaredTool { name, effect: EffectClass::Read }).collect()
    }

    fn secrets(&self) -> Vec<&SecretPlace> {
        self.process.iter().flat_map(ProcessSection::secrets).collect()
    }

    fn notices(&self) -> Vec<String> {
        let reason = self.process.as_ref().and_then(ProcessSection::without_sandbox);
        reason.map(|reason| format!("its commands run without a sandbox: {reason}")).into_iter().collect()
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let process = self.process.as_ref().ok_or_else(|| server.wrong("it has no key `run`"))?;
        let programs: Vec<&str> = self.entries.iter().map(|entry| entry.argv.program()).collect();
        let launcher = Launcher::open(process, server, &programs)?;
        let tool = |entry: &Arc<CommandEntry>| -> Result<Arc<dyn ToolBackend>, ToolsError> {
            Ok(Arc::new(tool::CommandTool::new(server, launcher.clone(), entry)?))
        };
        self.entries.iter().map(tool).collect()
    }
}
