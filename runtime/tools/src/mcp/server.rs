//! The section of a server, its check, and what a person accepts of it.

use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::port::ToolBackend;
use provost_domain::tool::EffectClass;
use provost_form::{ErrorLog, SecretPlace, Table, YamlNode};

use super::accepted;
use super::definition::{Definition, Definitions, difference};
use super::entry::McpEntry;
use super::link::{McpLink, McpReach};
use super::session::{McpSession, ToolList};
use super::tool::McpTool;
use crate::error::ToolsError;
use crate::process::{Launcher, ProcessSection, Sandbox};
use crate::server::{
    DeclaredTool, OpenServer, RemoteSection, RemoteServer, ServerFinding, ServerKind, ToolWordsSource, entries,
};

/// How a server is reached, as written.
#[derive(Debug)]
enum ReachSection {
    Child(ProcessSection, Vec<String>),
    Web(Box<RemoteSection>),
}

/// A server of the kind `mcp`.
#[derive(Debug)]
pub(crate) struct McpServer {
    reach: Option<ReachSection>,
    /// The file with the accepted definitions, where it is written.
    accepted: Option<PathBuf>,
    /// The folder of the configuration.
    folder: PathBuf,
    /// The keys of all entries, also of those that could not be read.
    names: Vec<String>,
    entries: Vec<McpEntry>,
}

const RUN_KEYS: [&str; 3] = ["command", "bubblewrap", "none"];
const HINT: &str = "write `url: https://…`, or `run: {command: [PROGRAM, ARGUMENT], none: REASON}`";

fn child(node: &YamlNode, table: &Table<'_>, log: &mut ErrorLog) -> Option<ReachSection> {
    let run = Table::open(node, &RUN_KEYS, log)?;
    let command: Vec<String> = run.required("command", log);
    if run.get("command").is_some_and(|node| node.is_list() && command.is_empty()) {
        log.report(node.place, "no program is named", "write command: [PROGRAM, ARGUMENT]");
    }
    if let (Some(first), Some(place)) = (command.first(), run.get("command").map(|node| node.place))
        && first.contains('/')
        && !first.starts_with('/')
    {
        log.report(place, "the program's path is not absolute", "write its name, or a path that begins with `/`");
    }
    let sandbox = Sandbox::read(node, &run, log)?;
    Some(ReachSection::Child(ProcessSection::read(table, sandbox, log), command))
}

fn reach(table: &Table<'_>, log: &mut ErrorLog) -> Option<ReachSection> {
    match (table.get("run"), table.get("url")) {
        (Some(run), None) => {
            for key in ["auth", "headers", "tls"] {
                if let Some(node) = table.get(key) {
                    log.report(node.place, format!("`{key}` is for a server with a `url`"), "remove it");
                }
            }
            child(run, table, log)
        }
        (None, Some(_)) => {
            for key in ["env", "cwd"] {
                if let Some(node) = table.get(key) {
                    log.report(node.place, format!("`{key}` is for a server with the key `run`"), "remove it");
                }
            }
            Some(ReachSection::Web(RemoteSection::read(table, log).into()))
        }
        (Some(run), Some(_)) => {
            log.report(run.place, "`run` and `url` exclude each other", HINT);
            None
        }
        (None, None) => {
            // Says that the key is missing.
            table.required::<YamlNode>("url", log);
            None
        }
    }
}

#[async_trait]
impl ServerKind for McpServer {
    const KEYS: &'static [&'static str] = &["run", "url", "auth", "headers", "tls", "env", "cwd", "accepted"];
    const TOOL_KEYS: &'static [&'static str] = McpEntry::KEYS;

    fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let reach = reach(table, log);
        let accepted = table.optional("accepted", log);
        let words = ToolWordsSource::Server;
        let (names, entries) = entries(table, ("write `NAME: {effect: …}`", words), log, McpEntry::read);
        Self { reach, accepted, folder: log.folder().to_owned(), names, entries }
    }

    fn declared(&self) -> Vec<DeclaredTool<'_>> {
        self.names.iter().map(|name| DeclaredTool { name, effect: EffectClass::Read }).collect()
    }

    fn remote(&self) -> Option<&RemoteSection> {
        match self.reach.as_ref()? {
            ReachSection::Web(remote) => Some(remote),
            ReachSection::Child(..) => None,
        }
    }

    fn secrets(&self) -> Vec<&SecretPlace> {
        match &self.reach {
            Some(ReachSection::Web(remote)) => remote.secrets(),
            Some(ReachSection::Child(process, _)) => process.secrets().collect(),
            None => Vec::new(),
        }
    }

    fn notices(&self) -> Vec<String> {
        let Some(ReachSection::Child(process, _)) = &self.reach else { return Vec::new() };
        let reason = process.without_sandbox();
        reason.map(|reason| format!("it runs without a sandbox: {reason}")).into_iter().collect()
    }

    fn tools(&self, server: &OpenServer<'_>) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let name = server.name();
        let link = Arc::new(self.link(server)?);
        let accepted = self.load(server)?.ok_or_else(|| {
            server.wrong(format!(
                "what it says of its tools was accepted by nobody yet; look at it with `provost tools check {name}`, \
                 then `provost tools accept {name}`"
            ))
        })?;
        let tool = |entry: &McpEntry| -> Result<Arc<dyn ToolBackend>, ToolsError> {
            let own = accepted.get(&entry.name).cloned().ok_or_else(|| {
                server.wrong(format!(
                    "its tool `{}` was accepted by nobody yet; `provost tools accept {name}` does",
                    entry.name
                ))
            })?;
            Ok(Arc::new(McpTool::new(server, Arc::clone(&link), entry, own)?))
        };
        self.entries.iter().map(tool).collect()
    }

    async fn check(&self, server: &OpenServer<'_>) -> Vec<ServerFinding> {
        match self.look(server).await {
            Ok((mut findings, list, accepted)) => {
                findings.extend(self.entries.iter().map(|entry| finding(entry, &list, accepted.as_ref())));
                findings
            }
            Err(why) => vec![ServerFinding::bad(why)],
        }
    }

    async fn accept(&self, server: &OpenServer<'_>) -> Vec<ServerFinding> {
        let (mut findings, list, before) = match self.look(server).await {
            Ok(seen) => seen,
            Err(why) => return vec![ServerFinding::bad(why)],
        };
        let mut accepted = Definitions::new();
        for entry in &self.entries {
            let Some(now) = list.tools.get(&entry.name) else {
                findings.push(finding(entry, &list, before.as_ref()));
                continue;
            };
            if let Some(why) = unfit(server, self.link(server), entry, now) {
                findings.push(ServerFinding::bad(why));
                continue;
            }
            let known = before.as_ref().and_then(|before| before.get(&entry.name));
            let what = match known.map(|known| difference(known, now)) {
                None => "new".to_owned(),
                Some(None) => "as before".to_owned(),
                Some(Some(parts)) => format!("changed: {parts}"),
            };
            findings.push(ServerFinding::good(format!("accepted `{}` ({what}): {}", entry.name, now.description)));
            accepted.insert(entry.name.clone(), now.clone());
        }
        if findings.iter().any(|finding| !finding.ok) {
            findings.push(ServerFinding::bad("nothing was accepted: correct the above first".to_owned()));
            return findings;
        }
        let path = self.path(server.name());
        findings.push(match accepted::store(&path, accepted) {
            Ok(()) => ServerFinding::good(format!("written to {}", path.display())),
            Err(why) => ServerFinding::bad(format!("{} cannot be written: {why}", path.display())),
        });
        findings
    }
}

/// Why a tool cannot be used as the server describes it now.
fn unfit(
    server: &OpenServer<'_>,
    link: Result<McpLink, ToolsError>,
    entry: &McpEntry,
    now: &Definition,
) -> Option<String> {
    let built = link.and_then(|link| McpTool::new(server, Arc::new(link), entry, now.clone()));
    built.err().map(|error| error.to_string())
}

/// What a look at a server found: what is said of the server, its tools now, and those that were accepted.
type ServerLook = (Vec<ServerFinding>, ToolList, Option<Definitions>);

impl McpServer {
    fn path(&self, server: &str) -> PathBuf {
        self.accepted.clone().unwrap_or_else(|| self.folder.join("accepted").join(format!("{server}.json")))
    }

    fn load(&self, server: &OpenServer<'_>) -> Result<Option<Definitions>, ToolsError> {
        let path = self.path(server.name());
        accepted::load(&path).map_err(|why| server.wrong(format!("{} cannot be read: {why}", path.display())))
    }

    fn link(&self, server: &OpenServer<'_>) -> Result<McpLink, ToolsError> {
        let reach = match self.reach.as_ref().ok_or_else(|| server.wrong("it has neither `run` nor `url`"))? {
            ReachSection::Web(remote) => McpReach::Web(RemoteServer::open(remote, server)?),
            ReachSection::Child(process, argv) => {
                let program = argv.first().map(String::as_str).unwrap_or_default();
                McpReach::Child(Launcher::open(process, server, &[program])?, argv.clone())
            }
        };
        Ok(McpLink::new(server.name(), reach))
    }

    /// Reaches the server and lists its tools. An error says why that is not possible.
    async fn look(&self, server: &OpenServer<'_>) -> Result<ServerLook, String> {
        let link = self.link(server).map_err(|error| error.to_string())?;
        let accepted = self.load(server).map_err(|error| error.to_string())?;
        let begun: Result<(McpSession, ToolList), _> = link.reach().begin().await;
        let (session, list) = begun.map_err(|fault| fault.detail)?;
        let said = format!("reached; it speaks revision {} and lists {} tools", session.version(), list.tools.len());
        let mut findings = vec![ServerFinding::good(said)];
        let odd = list.unusable.iter().take(16).map(|why| format!("a tool that is not listed here is odd: {why}"));
        findings.extend(odd.map(ServerFinding::good));
        Ok((findings, list, accepted))
    }
}

/// What is to be said of one tool.
fn finding(entry: &McpEntry, list: &ToolList, accepted: Option<&Definitions>) -> ServerFinding {
    let name = &entry.name;
    let Some(now) = list.tools.get(name) else {
        let others: Vec<&str> = list.tools.keys().map(String::as_str).take(64).collect();
        return ServerFinding::bad(format!("it has no usable tool `{name}`; its tools are: {}", others.join(", ")));
    };
    match accepted.and_then(|accepted| accepted.get(name)) {
        None => ServerFinding::bad(format!("`{name}` was accepted by nobody yet. It says: {}", now.description)),
        Some(known) => match difference(known, now) {
            None => ServerFinding::good(format!("`{name}` is as it was accepted")),
            Some(parts) => ServerFinding::bad(format!(
                "`{name}` changed since it was accepted ({parts}). It says now: {}",
                now.description
            )),
        },
    }
}
