//! `provost tools`: what tools the configuration gives, who uses them, and calls of those that only read.

use std::process::ExitCode;

use anyhow::{Context as _, Result, bail};
use provost_domain::ids::{CallId, SessionId, ToolName};
use provost_domain::pack::Pack;
use provost_domain::tool::{Catalog, EffectClass, ToolCall, ToolOutcome, ToolSpec};
use provost_face::VisibleText;
use provost_form::nearest;
use serde_json::{Value, json};

use crate::args::Tools;
use crate::output::Output;
use crate::wiring::{self, Configuration, PackSet};

/// Most characters of an outcome that are printed for people.
const SHOWN_MAX: usize = 64 * 1024;

/// Who uses tools, as far as the packs can be read.
struct ToolUsers<'a> {
    config: &'a Configuration,
    packs: Option<PackSet>,
}

impl<'a> ToolUsers<'a> {
    fn load(config: &'a Configuration) -> Self {
        let packs = PackSet::load(config).inspect_err(|error| {
            tracing::warn!("who uses the tools is not known, as the packs do not load: {error:#}");
        });
        Self { config, packs: packs.ok() }
    }

    /// The packs with the agents and terminal tools that use a tool; nothing where that is not known.
    fn of(&self, spec: &ToolSpec) -> Option<Vec<Value>> {
        let uses = |pack: &Pack| {
            let agents = pack.agents.values().filter(|agent| {
                let measured = agent.watch.as_ref().is_some_and(|watch| watch.tools().contains(&&spec.name));
                measured || agent.tools.contains(&spec.name)
            });
            let agents: Vec<String> = agents.map(|agent| agent.name.to_string()).collect();
            let effects = pack.terminal_tools.iter().filter(|(_, tool)| tool.effect.as_ref() == Some(&spec.name));
            let effects: Vec<String> = effects.map(|(name, _)| name.to_string()).collect();
            let used = !agents.is_empty() || !effects.is_empty();
            used.then(|| json!({"pack": pack.name, "agents": agents, "terminal_tools": effects}))
        };
        Some(self.packs.as_ref()?.present().filter_map(|pack| uses(pack)).collect())
    }

    /// The contacts that are told by a tool, with the role that an answer of theirs needs.
    fn contacts(&self, spec: &ToolSpec) -> Vec<Value> {
        let told = self
            .config
            .contacts
            .iter()
            .filter(|(_, contact)| contact.send.iter().any(|tool| tool.value == spec.name.as_str()));
        told.map(|(name, contact)| json!({"contact": name, "role": contact.role.0})).collect()
    }
}

pub(super) async fn run(command: &Tools, output: Output) -> Result<ExitCode> {
    match command {
        Tools::List(args) => {
            let config = wiring::config_of_file(args)?;
            let (catalog, users) = (wiring::catalog(&config)?, ToolUsers::load(&config));
            let rows: Vec<Value> = catalog.values().map(|spec| row(spec, &users)).collect();
            output.table(&rows, &["tool", "effect", "risk", "server", "packs"], "no tools are configured");
        }
        Tools::Call { name, args, config } => return call(&wiring::config_of_file(config)?, name, args, output).await,
        Tools::Check { server, config } => {
            let config = wiring::config_of_file(config)?;
            let servers =
                config.tools.servers().map(str::to_owned).filter(|own| server.as_ref().is_none_or(|s| s == own));
            let mut servers: Vec<String> = servers.collect();
            // Says that there is none of this name.
            servers.extend(server.clone().filter(|_| servers.is_empty()));
            return look(&config, &servers, LookPurpose::Check, output).await;
        }
        Tools::Accept { server, config } => {
            let config = wiring::config_of_file(config)?;
            return look(&config, std::slice::from_ref(server), LookPurpose::Accept, output).await;
        }
        Tools::Show { name, config } => {
            let config = wiring::config_of_file(config)?;
            let (catalog, users) = (wiring::catalog(&config)?, ToolUsers::load(&config));
            show(found(&catalog, name)?, &users, output);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Why servers are looked at.
#[derive(Debug, Clone, Copy)]
enum LookPurpose {
    Check,
    Accept,
}

/// Looks at servers and prints what was found.
async fn look(config: &Configuration, servers: &[String], why: LookPurpose, output: Output) -> Result<ExitCode> {
    let mut good = true;
    for server in servers {
        // A secret that is not there is a finding: the other servers are looked at all the same.
        let tools = match wiring::tools_of(config, server, &wiring::secret) {
            Ok(tools) => tools,
            Err(error) if config.tools.only(server).is_some() => {
                good = false;
                tell(server, false, &format!("{error:#}"), output);
                continue;
            }
            Err(error) => return Err(error),
        };
        let findings = match why {
            LookPurpose::Check => tools.check(&wiring::clock()).await?,
            LookPurpose::Accept => tools.accept(&wiring::clock()).await?,
        };
        for finding in &findings {
            good &= finding.ok;
            tell(server, finding.ok, &finding.text, output);
        }
        tools.notices().iter().for_each(|notice| output.line(&format!("  note  {}", VisibleText::new(notice))));
    }
    Ok(if good { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn tell(server: &str, ok: bool, text: &str, output: Output) {
    output.json(&json!({"server": server, "ok": ok, "text": text}));
    let word = if ok { "ok" } else { "WRONG" };
    output.line(&format!("{server}  {word}  {}", VisibleText::new(text).hanging("    ")));
}

fn found<'a>(catalog: &'a Catalog, name: &str) -> Result<&'a ToolSpec> {
    match catalog.get(name) {
        Some(spec) => Ok(spec),
        None => bail!("no tool `{name}`; {}", nearest(name, catalog.keys().map(ToolName::as_str))),
    }
}

/// Calls a tool that only reads, within its own bounds.
async fn call(config: &Configuration, name: &str, args: &str, output: Output) -> Result<ExitCode> {
    let known = wiring::catalog(config)?;
    let spec = found(&known, name)?;
    if spec.effect != EffectClass::Read {
        bail!("`{name}` may change something, so it is called in a session only");
    }
    let args: Value = serde_json::from_str(args).context("`--args` must be a JSON object")?;
    let problems = spec.schema.problems(&args);
    if !problems.is_empty() {
        bail!("`{name}` does not take these arguments: {}", problems.join("; "));
    }
    let built = wiring::tools_of(config, server(spec), &wiring::secret)?.build(&wiring::clock())?;
    let Some(tool) = built.iter().find(|tool| tool.spec().name == spec.name) else {
        bail!("no tool `{name}` once the secrets are read");
    };
    let (session, call) = (SessionId::new(uuid::Uuid::nil()), CallId::new("command-line"));
    let call = ToolCall { session, call, tool: spec.name.clone(), args: args.into(), key: "command-line".to_owned() };
    let Ok(outcome) = tokio::time::timeout(spec.timeout, tool.call(&call)).await else {
        bail!("`{name}` did not answer within {:?}", spec.timeout);
    };
    let outcome = outcome.bounded();
    let failed = match &outcome {
        ToolOutcome::Failed { .. } => true,
        ToolOutcome::Ok { .. }
        | ToolOutcome::Empty { .. }
        | ToolOutcome::Truncated { .. }
        | ToolOutcome::Partial { .. } => false,
    };
    let shown = json!(outcome);
    output.result(&shown, VisibleText::json(&shown, SHOWN_MAX).as_str());
    Ok(if failed { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The name of the server, which stands before the colon.
fn server(spec: &ToolSpec) -> &str {
    spec.name.as_str().split_once(':').map_or("", |(server, _)| server)
}

fn row(spec: &ToolSpec, users: &ToolUsers<'_>) -> Value {
    let packs = users.of(spec).map(|uses| uses.iter().map(|one| one["pack"].clone()).collect::<Vec<_>>());
    json!({"tool": spec.name, "effect": spec.effect, "risk": spec.risk, "server": server(spec), "packs": packs})
}

fn show(spec: &ToolSpec, users: &ToolUsers<'_>, output: Output) {
    let (packs, contacts) = (users.of(spec), users.contacts(spec));
    output.json(&json!({
        "tool": spec.name, "server": server(spec), "about": spec.description, "effect": spec.effect, "risk": spec.risk,
        "risk_floor": spec.risk_floor, "timeout_s": spec.timeout.as_secs_f64(), "output_limit": spec.output_limit,
        "tells_people": spec.tells_people, "args": spec.schema.raw(), "result": spec.output, "packs": packs,
        "contacts": contacts,
    }));
    let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
    let floor =
        spec.risk_floor.map(|floor| format!(", and no pack goes below {}", word(json!(floor)))).unwrap_or_default();
    output.line(&format!("{}  {}", spec.name, VisibleText::new(&spec.description).hanging("  ")));
    output.line(&format!("  effect  {}", word(json!(spec.effect))));
    output.line(&format!("  risk    {}{floor}", word(json!(spec.risk))));
    output.line(&format!("  bounds  {:?}, {} bytes", spec.timeout, spec.output_limit));
    for name in spec.schema.names() {
        let own = spec.schema.raw().get("properties").and_then(|all| all.get(name)).cloned().unwrap_or_default();
        let needed = if spec.schema.requires(name) { "" } else { " (optional)" };
        output.line(&format!("  arg     {}{needed}  {}", VisibleText::new(name), VisibleText::json_line(&own, 100)));
    }
    if let Some(result) = &spec.output {
        output.line(&format!("  result  {}", VisibleText::json_line(result, 100)));
    }
    match packs {
        None => output.line("  used by what is not known: the packs do not load"),
        Some(packs) if packs.is_empty() && contacts.is_empty() => output.line("  used by nothing"),
        Some(packs) => {
            let lines = packs.iter().chain(&contacts);
            lines.for_each(|one| output.line(&format!("  used by {}", VisibleText::json_line(one, 200))));
        }
    }
}
