//! From checked files to the domain's pack.

use std::collections::BTreeMap;

use provost_domain::gate::{ApprovalRule, GatePolicy, GateRule};
use provost_domain::ids::{AgentName, Digest, ToolName};
use provost_domain::pack::{
    AgentSpec, DispatchRule, InjectSource, Limits, Pack, PatchTool, Route, RouteTo, TerminalTool, WatchSpec,
};
use provost_domain::retry::RetryPolicy;
use provost_domain::roster::Rosters;
use provost_domain::schema::ArgSchema;
use serde_json::{Map as Object, Value, json};

use crate::agent::Agent;
use crate::error::{PackError, nearest};
use crate::raw::{Map, RawEvidence, RawGates, RawLimits, RawPack, RawPatch, RawRoute, RawTerminal};
use crate::source::Source;

pub(crate) fn pack(
    manifest: &Source,
    raw: RawPack,
    agents: Vec<Agent>,
    digest: Digest,
) -> Result<Pack, Vec<PackError>> {
    let unused = ArgSchema::new(json!({})).map_err(|error| vec![manifest.error(&[], error.to_string(), "")])?;
    let mut resolver = Resolver { manifest, rosters: Rosters(raw.rosters), unused, errors: Vec::new() };
    let fields = resolver.schema(&["fields"], raw.fields);
    let inject = raw.inject.into_iter().filter_map(|(name, from)| resolver.inject(name, &from)).collect();
    let terminal_tools = raw
        .terminal_tools
        .into_iter()
        .map(|(name, tool)| (ToolName::new(&name), resolver.terminal(&name, tool)))
        .collect();
    let findings_tools = raw
        .findings_tools
        .into_iter()
        .map(|(name, tool)| (ToolName::new(&name), resolver.arguments(&name, tool.args, None).0))
        .collect();
    let patch_tools = raw
        .patch_tools
        .into_iter()
        .map(|(name, tool)| (ToolName::new(&name), resolver.patch(&name, tool, &fields)))
        .collect();
    let gates = resolver.gates(raw.gates);
    if !resolver.errors.is_empty() {
        return Err(resolver.errors);
    }
    Ok(Pack {
        name: raw.pack,
        version: raw.version,
        digest,
        handle: raw.handle,
        fields,
        rosters: resolver.rosters,
        outcomes: raw.outcomes.into_iter().map(|(name, outcome)| (name, outcome.kind)).collect(),
        terminal_tools,
        findings_tools,
        patch_tools,
        inject,
        entry: AgentName::new(raw.entry),
        agents: agents.into_iter().map(agent).map(|agent| (agent.name.clone(), agent)).collect(),
        dispatch: raw
            .dispatch
            .into_iter()
            .map(|rule| DispatchRule { when: rule.when, next: target(&rule.next) })
            .collect(),
        gates,
        retry: RetryPolicy {
            max: raw.retry.max,
            transient: raw.retry.transient,
            low_confidence_below: raw.retry.low_confidence_below,
        },
        limits: limits(&raw.limits),
    })
}

struct Resolver<'a> {
    manifest: &'a Source,
    rosters: Rosters,
    /// Stands in for a schema that was reported as broken; such a pack is never used.
    unused: ArgSchema,
    errors: Vec<PackError>,
}

impl Resolver<'_> {
    fn error(&mut self, at: &[&str], message: impl Into<String>, hint: impl Into<String>) {
        self.errors.push(self.manifest.error(at, message, hint));
    }

    /// A schema; a broken one is reported.
    fn schema(&mut self, at: &[&str], raw: Value) -> ArgSchema {
        let result = ArgSchema::new(raw);
        let schema = match result {
            Ok(schema) => schema,
            Err(error) => {
                self.error(at, error.to_string(), "write a JSON Schema of an object");
                return self.unused.clone();
            }
        };
        for (property, roster) in schema.roster_bindings() {
            if self.rosters.get(&roster).is_none() {
                let hint = nearest(&roster, self.rosters.0.keys().map(String::as_str));
                self.errors.push(self.manifest.error(
                    &[at, &[property.as_str(), roster.as_str()]].concat(),
                    format!("no roster `{roster}`"),
                    hint,
                ));
            }
        }
        schema
    }

    fn inject(&mut self, name: String, from: &str) -> Option<(String, InjectSource)> {
        let source = match from {
            "session.id" => InjectSource::SessionId,
            "session.handle" => InjectSource::SessionHandle,
            other => {
                let Some(field) = other.strip_prefix("fields.") else {
                    let hint = "it is one of fields.NAME, session.id, session.handle";
                    self.error(&["inject", &name], format!("`{other}` is no source of an argument"), hint);
                    return None;
                };
                InjectSource::Field(field.to_owned())
            }
        };
        Some((name, source))
    }

    /// A schema from `name: type` shorthands, with the rosters some arguments are bound to.
    fn arguments(
        &mut self,
        tool: &str,
        args: Map<Value>,
        evidence: Option<RawEvidence>,
    ) -> (ArgSchema, BTreeMap<String, String>) {
        let mut properties = Object::new();
        let mut required: Vec<String> = args.keys().cloned().collect();
        let mut rosters = BTreeMap::new();
        for (name, form) in args {
            let schema = self.argument(tool, &name, form, &mut rosters);
            properties.insert(name, schema);
        }
        if let Some(evidence) = evidence {
            let least = usize::from(evidence == RawEvidence::Required);
            let schema = json!({"type": "array", "items": {"type": "string", "maxLength": 200}, "minItems": least,
                "maxItems": 64, "description": "Evidence ids of tool results, as they show them."});
            properties.insert("evidence".to_owned(), schema);
            if least > 0 {
                required.push("evidence".to_owned());
            }
        }
        let schema = json!({"type": "object", "additionalProperties": false, "required": required,
            "properties": properties});
        (self.schema(&[tool, "args"], schema), rosters)
    }

    fn argument(&mut self, tool: &str, name: &str, form: Value, rosters: &mut BTreeMap<String, String>) -> Value {
        let word = match &form {
            Value::Object(_) => return form,
            Value::String(word) => word.clone(),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => form.to_string(),
        };
        match word.as_str() {
            "string" => json!({"type": "string", "maxLength": 8192}),
            "confidence" => json!({"type": "number", "minimum": 0, "maximum": 1}),
            "number" => json!({"type": "number"}),
            "integer" => json!({"type": "integer"}),
            "boolean" => json!({"type": "boolean"}),
            "list" => json!({"type": "array", "maxItems": 64}),
            other => {
                if let Some(roster) = other.strip_prefix("roster.") {
                    rosters.insert(name.to_owned(), roster.to_owned());
                    let allowed = self.rosters.get(roster).unwrap_or_default().join(", ");
                    return json!({"type": "string", "x-roster": roster, "description": format!("One of: {allowed}.")});
                }
                let known = ["string", "confidence", "number", "integer", "boolean", "list", "roster.NAME"];
                let hint = format!("{}, or a JSON Schema", nearest(other, known.into_iter()));
                self.error(&[tool, "args", name, other], format!("`{other}` is no type of an argument"), hint);
                json!({})
            }
        }
    }

    fn terminal(&mut self, name: &str, raw: RawTerminal) -> TerminalTool {
        let evidence = raw.evidence.or(Some(RawEvidence::Optional));
        let (schema, rosters) = self.arguments(name, raw.args, evidence);
        TerminalTool {
            outcome: raw.outcome,
            evidence: raw.evidence == Some(RawEvidence::Required),
            schema,
            rosters,
            requires: raw.requires.into_iter().map(|(agent, signal)| (AgentName::new(agent), signal)).collect(),
            effect: raw.effect.map(ToolName::new),
        }
    }

    fn patch(&mut self, name: &str, raw: RawPatch, fields: &ArgSchema) -> PatchTool {
        let mut properties = Object::new();
        for field in &raw.fields {
            if let Some(schema) = fields.raw().get("properties").and_then(|properties| properties.get(field)) {
                properties.insert(field.clone(), schema.clone());
            } else {
                let hint = nearest(field, fields.names());
                self.error(&[name, "fields", field], format!("the session has no field `{field}`"), hint);
            }
        }
        let schema = json!({"type": "object", "additionalProperties": false, "minProperties": 1,
            "properties": properties});
        let lower = |aliases: Map<String>| aliases.into_iter().map(|(alias, to)| (alias.to_lowercase(), to)).collect();
        PatchTool {
            fields: raw.fields,
            schema: self.schema(&[name], schema),
            aliases: raw.aliases.into_iter().map(|(field, aliases)| (field, lower(aliases))).collect(),
        }
    }

    fn gates(&mut self, raw: RawGates) -> GatePolicy {
        if raw.approval.approvers.min == 0 {
            self.error(&["gates", "min"], "an approval needs at least one person", "set `min: 1` or more");
        }
        let digest = Digest::of(format!("{raw:?}").as_bytes());
        let rules = raw.rules.into_iter().map(|rule| GateRule {
            tool: rule.tool,
            risk: rule.risk,
            action: rule.action,
            environments: rule.environment,
        });
        GatePolicy {
            rules: rules.collect(),
            confidence_below: raw.confidence_below,
            approval: ApprovalRule {
                expires: raw.approval.expires,
                min: raw.approval.approvers.min,
                not_requester: raw.approval.approvers.not_requester,
            },
            digest,
        }
    }
}

fn target(next: &str) -> RouteTo {
    if next == "end" { RouteTo::End } else { RouteTo::Agent(AgentName::new(next)) }
}

fn route(raw: RawRoute) -> Route {
    let to = raw.next.map_or(RouteTo::Operator, |next| target(&next));
    Route { when: raw.when, to, gate_below: raw.gate.map(|gate| gate.confidence_below) }
}

fn agent(agent: Agent) -> AgentSpec {
    let raw = agent.raw;
    AgentSpec {
        name: AgentName::new(agent.name),
        role: raw.role,
        model: raw.model.unwrap_or_else(|| "default".to_owned()),
        tools: raw.tools.into_iter().map(ToolName::new).collect(),
        deadline: raw.deadline,
        routes: raw.routes.into_iter().map(route).collect(),
        prompt: agent.prompt.into(),
        watch: raw.watch.map(|watch| WatchSpec {
            tool: ToolName::new(watch.tool),
            args: Value::Object(watch.args.into_iter().collect()),
            until: watch.until,
            every: watch.every,
            consecutive: watch.consecutive.max(1),
        }),
    }
}

fn limits(raw: &RawLimits) -> Limits {
    let standard = Limits::default();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a sum of money, saturating at 0")]
    let micro = |usd: f64| (usd * 1_000_000.0).round() as u64;
    Limits {
        model_calls_per_turn: raw.model_calls_per_turn.unwrap_or(standard.model_calls_per_turn),
        tool_calls_per_turn: raw.tool_calls_per_turn.unwrap_or(standard.tool_calls_per_turn),
        turn_wall: raw.turn_wall.unwrap_or(standard.turn_wall),
        session_tokens: raw.session_tokens.unwrap_or(standard.session_tokens),
        session_cost_micro_usd: raw.session_cost_usd.map_or(standard.session_cost_micro_usd, micro),
        no_progress: raw.no_progress.unwrap_or(standard.no_progress).max(2),
        assignments_per_session: raw.assignments_per_session.unwrap_or(standard.assignments_per_session),
    }
}
