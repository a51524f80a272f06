//! From the files to the domain's pack. Schemas are compiled here, and what is none is reported; every other check is in
//! `check`. What comes out is used only when nothing was reported anywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use provost_domain::claims::ClaimTarget;
use provost_domain::confidence::Confidence;
use provost_domain::gate::ENVIRONMENT;
use provost_domain::gate::{ApprovalRule, GatePolicy, GateRule};
use provost_domain::ids::{AgentName, Digest, PackName, ToolName};
use provost_domain::pack::{
    AgentSpec, ClaimOutcome, DEFAULT_SIGNAL, DispatchRule, FindingsTool, InjectSource, Limits, Pack, PatchTool,
    Requirement, Route, RouteTo, TerminalTool,
};
use provost_domain::retry::RetryPolicy;
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::Catalog;
use provost_expr::Template;
use provost_form::{At, ErrorLog, Share};

use crate::agent::Agent;
use crate::arguments::ToolSchemas;
use crate::check::{DEFAULT_MODEL, END};
use crate::conditions::{RawRequirement, comparisons, expression};
use crate::own_tools::{RawClaimOutcome, RawFindings, RawTerminal};
use crate::raw::{RawAgent, RawGates, RawLimits, RawPack, RawPatch, RawRoute};

/// Builds the pack; the log is the manifest's.
pub(crate) fn pack(
    raw: &RawPack,
    agents: &[Agent],
    digest: Digest,
    catalog: &Catalog,
    log: &mut ErrorLog,
) -> Option<Pack> {
    let mut arguments = ToolSchemas { rosters: &raw.rosters, named: &raw.types, log };
    let fields = arguments.fields(&raw.fields);
    let terminal_tools = all(raw.terminal_tools.iter().map(|(name, tool)| (name, terminal(tool, &mut arguments))));
    let findings_tools = all(raw.findings_tools.iter().map(|(name, tool)| (name, findings(tool, &mut arguments))));
    let patch_tools =
        all(raw.patch_tools.iter().map(|(name, tool)| (name, patch(tool, fields.as_ref(), &mut arguments))));
    let (terminal_tools, findings_tools, patch_tools) = (terminal_tools?, findings_tools?, patch_tools?);
    let identity = identity(raw, fields.as_ref());
    Some(Pack {
        name: PackName::new(&raw.pack.value),
        version: raw.version.0,
        digest,
        handle: raw.handle.value.clone(),
        title: raw.title.as_ref().and_then(|title| Template::parse(title).ok()),
        fields: fields?,
        rosters: Rosters(raw.rosters.map(|values| texts(values))),
        outcomes: raw.outcomes.map(|outcome| outcome.kind.0),
        terminal_tools,
        findings_tools,
        evidence_also: raw.evidence.also.iter().map(|kind| kind.0).collect(),
        patch_tools,
        inject: raw.inject.map(|source| inject(source)),
        target: target_of(raw),
        identity,
        supersede: raw.supersede.iter().map(|name| name.value.clone()).collect(),
        intake: BTreeMap::new(),
        schedules: Vec::new(),
        entry: AgentName::new(&raw.entry.value),
        agents: agents
            .iter()
            .map(|own| Some((AgentName::new(&own.name), agent(raw, own, catalog)?)))
            .collect::<Option<_>>()?,
        dispatch: raw
            .dispatch
            .iter()
            .flat_map(|rules| &rules.value)
            .map(|rule| DispatchRule {
                when: rule.when.comparisons().map(|list| comparisons(list)).unwrap_or_default(),
                condition: rule.when.expression().and_then(expression),
                next: target(&rule.next),
            })
            .collect(),
        gates: gates(&raw.gates)?,
        retry: RetryPolicy {
            max: raw.retry.max.0,
            transient: raw.retry.transient,
            low_confidence_below: raw.retry.low_confidence_below.map(confidence),
        },
        limits: limits(&raw.limits),
    })
}

/// All tools, once every one was looked at.
fn all<'a, T>(tools: impl Iterator<Item = (&'a At<String>, Option<T>)>) -> Option<BTreeMap<ToolName, T>> {
    let tools: Vec<_> = tools.collect();
    tools.into_iter().map(|(name, tool)| Some((ToolName::new(&name.value), tool?))).collect()
}

fn texts(list: &[At<String>]) -> Vec<String> {
    list.iter().map(|text| text.value.clone()).collect()
}

fn inject(source: &str) -> InjectSource {
    match source {
        "session.id" => InjectSource::SessionId,
        "session.handle" => InjectSource::SessionHandle,
        field => InjectSource::Field(field.strip_prefix("fields.").unwrap_or(field).to_owned()),
    }
}

/// What the pack says, else the environment and the service that it injects.
fn target_of(raw: &RawPack) -> Option<ClaimTarget> {
    if let Some(text) = &raw.target {
        return ClaimTarget::parse(text).ok();
    }
    injected_field(raw, "service").map(|service| ClaimTarget::of_fields(injected_field(raw, ENVIRONMENT), service))
}

/// The fields that tell one case from another: what the pack says, else its fields with a roster, and the environment and the
/// service that it injects.
fn identity(raw: &RawPack, fields: Option<&ArgSchema>) -> Vec<String> {
    if let Some(fields) = &raw.identity {
        return texts(fields);
    }
    let closed = fields.map(ArgSchema::roster_bindings).unwrap_or_default().into_keys();
    let injected = [ENVIRONMENT, "service"].into_iter().filter_map(|name| injected_field(raw, name));
    closed.chain(injected.map(str::to_owned)).collect::<BTreeSet<String>>().into_iter().collect()
}

/// The field whose value an argument is given.
fn injected_field<'a>(raw: &'a RawPack, argument: &str) -> Option<&'a str> {
    raw.inject.get(argument).and_then(|source| source.strip_prefix("fields."))
}

fn terminal(raw: &RawTerminal, arguments: &mut ToolSchemas<'_>) -> Option<TerminalTool> {
    let schema = arguments.claim(raw)?;
    Some(TerminalTool {
        about: raw.about.as_ref().map(|about| about.value.clone()),
        outcome: outcome(&raw.outcome),
        rosters: schema.roster_bindings(),
        schema,
        requires: raw
            .requires
            .signals()
            .map(|(agent, signal)| (AgentName::new(&agent.value), signal.value.clone()))
            .collect(),
        conditions: raw.requires.conditions().iter().map(requirement).collect::<Option<_>>()?,
        set: raw
            .set
            .iter()
            .map(|(field, value)| Some((field.value.clone(), expression(value)?)))
            .collect::<Option<_>>()?,
        effect: raw.effect.as_ref().map(|effect| ToolName::new(&effect.value)),
    })
}

fn patch(raw: &RawPatch, fields: Option<&ArgSchema>, arguments: &mut ToolSchemas<'_>) -> Option<PatchTool> {
    let properties = fields?.raw().get("properties");
    let schema_of = |field: &At<String>| Some((field.value.clone(), properties?.get(&field.value)?.clone()));
    Some(PatchTool {
        fields: texts(&raw.fields),
        schema: arguments.patch(raw.fields.iter().filter_map(schema_of).collect(), raw.fields.place)?,
        aliases: raw
            .aliases
            .map(|aliases| aliases.iter().map(|(alias, value)| (alias.to_lowercase(), value.value.clone())).collect()),
    })
}

fn outcome(raw: &RawClaimOutcome) -> ClaimOutcome {
    match raw {
        RawClaimOutcome::Fixed(outcome) => ClaimOutcome::Fixed(outcome.value.clone()),
        RawClaimOutcome::By { argument, table } => ClaimOutcome::ByArgument {
            argument: argument.value.clone(),
            table: table.iter().map(|(value, outcome)| (value.value.clone(), outcome.value.clone())).collect(),
        },
    }
}

fn findings(raw: &RawFindings, arguments: &mut ToolSchemas<'_>) -> Option<FindingsTool> {
    Some(FindingsTool {
        about: raw.about.as_ref().map(|about| about.value.clone()),
        schema: arguments.closed(&raw.args)?,
        unique: texts(&raw.unique),
        max: raw.max.as_ref().and_then(|max| usize::try_from(max.0).ok()),
    })
}

/// The policy, with the digest of its canonical form: an approval is bound to it.
fn gates(raw: &RawGates) -> Option<GatePolicy> {
    // A condition that cannot be read was reported; a rule without it would be another rule.
    let whens = raw.rules.iter().map(|rule| rule.when.as_ref().map(|when| expression(when).ok_or(())).transpose());
    let whens = whens.collect::<Result<Vec<_>, ()>>().ok()?;
    let rules = raw.rules.iter().zip(whens).map(|(rule, when)| GateRule {
        tool: rule.tool.value.clone(),
        risk: rule.risk.map(|risk| risk.0),
        action: rule.action.map(|action| action.0),
        environments: rule.environment.as_ref().map(|environments| texts(environments)).unwrap_or_default(),
        when,
    });
    let mut policy = GatePolicy {
        rules: rules.collect(),
        confidence_below: raw.confidence_below.map(confidence),
        approval: ApprovalRule {
            expires: raw.approval.expires.0,
            min: raw.approval.approvers.min.0,
            not_requester: raw.approval.approvers.not_requester,
        },
        digest: Digest::default(),
    };
    policy.digest = Digest::of_json(&serde_json::to_value(&policy).ok()?);
    Some(policy)
}

fn requirement(raw: &RawRequirement) -> Option<Requirement> {
    Some(Requirement { that: expression(&raw.that)?, otherwise: raw.otherwise.value.clone() })
}

fn target(next: &str) -> RouteTo {
    if next == END { RouteTo::End } else { RouteTo::Agent(AgentName::new(next)) }
}

fn route(raw: &RawRoute) -> Route {
    let to = raw.next.as_ref().map_or(RouteTo::Operator, |next| target(next));
    Route {
        when: raw.signal().map_or(DEFAULT_SIGNAL, |signal| signal.as_str()).to_owned(),
        condition: raw.condition().and_then(expression),
        to,
        gate_below: raw.gate.as_ref().map(|gate| confidence(gate.confidence_below)),
    }
}

/// A share is read within a confidence's bounds; anything else would ask for full confidence.
fn confidence(share: Share) -> Confidence {
    Confidence::new(share.0).unwrap_or(Confidence::FULL)
}

/// How long an assignment may last: a watch may say it itself.
fn deadline(raw: &RawAgent) -> Duration {
    let within = raw.watch.as_ref().and_then(|watch| watch.within()).map(|within| within.value);
    within.or(raw.deadline).map_or(Duration::ZERO, |period| period.0)
}

fn agent(pack: &RawPack, agent: &Agent, catalog: &Catalog) -> Option<AgentSpec> {
    let raw = &agent.raw;
    // What is wrong with its report was told in its own file.
    let mut told = ErrorLog::new(agent.path.clone());
    let mut arguments = ToolSchemas { rosters: &pack.rosters, named: &pack.types, log: &mut told };
    let added = raw.report.as_ref().filter(|fields| fields.keys().next().is_some());
    Some(AgentSpec {
        name: AgentName::new(&agent.name),
        role: agent.role.clone()?,
        report_required: raw.report.is_some(),
        report_fields: added.and_then(|fields| arguments.report(fields)),
        model: raw.model.as_ref().map_or(DEFAULT_MODEL, |model| model.as_str()).to_owned(),
        tools: raw.tools.iter().flat_map(|tools| &tools.value).map(|tool| ToolName::new(&tool.value)).collect(),
        deadline: deadline(raw),
        routes: raw.routes.iter().map(route).collect(),
        prompt: agent.prompt.as_str().into(),
        watch: raw.watch.as_ref().map(|watch| watch.resolve(catalog).ok_or(())).transpose().ok()?,
    })
}

fn limits(raw: &RawLimits) -> Limits {
    let standard = Limits::default();
    Limits {
        model_calls_per_turn: raw.model_calls_per_turn.map_or(standard.model_calls_per_turn, |count| count.0),
        tool_calls_per_turn: raw.tool_calls_per_turn.map_or(standard.tool_calls_per_turn, |count| count.0),
        turn_wall: raw.turn_wall.map_or(standard.turn_wall, |period| period.0),
        session_tokens: raw.session_tokens.map_or(standard.session_tokens, std::num::NonZero::get),
        session_cost_micro_usd: raw.session_cost_usd.map_or(standard.session_cost_micro_usd, |cost| cost.0),
        no_progress: raw.no_progress.map_or(standard.no_progress, |count| count.0),
        assignments_per_session: raw.assignments_per_session.map_or(standard.assignments_per_session, |count| count.0),
    }
}
