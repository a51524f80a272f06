//! What expressions may read at each place of a pack, and the check of each against it.

use std::collections::BTreeMap;

use provost_domain::gate::pattern_matches;
use provost_domain::tool::ToolSpec;
use provost_expr::{ExprError, Expression, Scope, Template, Type};
use provost_form::{At, ErrorLog, YamlNode};
use serde_json::Value;

use super::facts::{MEASURED_SIGNALS, PackFacts};
use crate::agent::Agent;
use crate::arguments::STATED;
use crate::own_tools::RawTerminal;
use crate::types::{TypeReader, object};
use crate::watching::{RawMeasure, RawWatch};

impl PackFacts<'_> {
    /// The names that every place has.
    pub(super) fn common(self) -> Scope {
        let reports: BTreeMap<String, Type> =
            self.agents.iter().map(|agent| (agent.name.clone(), self.report(agent).optional())).collect();
        let unread = self.agents.len() < self.names.len();
        Scope::default()
            .with("fields", self.fields_type())
            .with("confidence", Type::Number.optional())
            .with("retries", Type::Number)
            .with("case", case_type())
            .with("reports", if unread { Type::Any } else { Type::Object(reports) })
            .with("findings", self.findings())
    }

    pub(super) fn schema_type(self, schema: &Value) -> Type {
        let rosters = &self.raw.rosters;
        let values = |name: &str| Some(rosters.get(name)?.iter().map(|value| value.value.clone()).collect());
        Type::of_schema(schema, &values)
    }

    fn fields_type(self) -> Type {
        if self.raw.fields.is_blank() { Type::Any } else { self.schema_type(&self.raw.fields.value.value()) }
    }

    /// An agent's last report: the fields of its role, and what every report has.
    fn report(self, agent: &Agent) -> Type {
        let schema = agent.role.as_ref().and_then(|role| self.known.roles.report_schema(&role.name));
        let own = schema.map_or(Type::Any, |schema| self.schema_type(schema));
        let signals = self.signals(agent).map(Type::words);
        let common = [
            ("signal", signals.unwrap_or(Type::Text).optional()),
            ("confidence", Type::Number),
            ("content", Type::Text),
            ("stale", Type::Bool),
        ];
        // A report is typed only where the role asks for one: its fields may be absent.
        if let Type::Object(fields) = own {
            let added = agent.raw.report.iter().flat_map(|report| report.iter());
            let added = added.map(|(name, node)| (name.value.clone(), self.type_of(node)));
            let own = fields.into_iter().chain(added).map(|(name, own)| (name, own.optional()));
            let common = common.into_iter().map(|(name, own)| (name.to_owned(), own));
            return Type::Object(own.chain(common).collect());
        }
        Type::object(common.into_iter().chain(agent.raw.watch.iter().flat_map(|watch| measured(watch))))
    }

    fn findings(self) -> Type {
        if self.raw.findings_tools.is_blank() {
            return Type::Any;
        }
        let mut unused = ErrorLog::new(std::path::PathBuf::new());
        let mut types = TypeReader { rosters: &self.raw.rosters, named: &self.raw.types, log: &mut unused };
        let mut found = BTreeMap::new();
        for (name, tool) in self.raw.findings_tools.iter() {
            let args: Vec<_> = tool.args.iter().map(|(arg, node)| (arg, types.read(node))).collect();
            let schema = object(args.iter().map(|(arg, own)| (arg.as_str(), own)));
            found.insert(name.value.clone(), schema);
        }
        Type::Object(found.into_iter().map(|(name, schema)| (name, self.schema_type(&schema).list())).collect())
    }

    /// Only the fields of the session.
    pub(super) fn field_scope(self) -> Scope {
        Scope::default().with("fields", self.fields_type())
    }

    /// What the title reads: the case as it is opened.
    pub(super) fn title_scope(self) -> Scope {
        Scope::default().with("fields", self.fields_type()).with("case", case_type())
    }

    /// The type of an argument as it is written.
    pub(super) fn type_of(self, node: &YamlNode) -> Type {
        let mut unused = ErrorLog::new(std::path::PathBuf::new());
        let own = TypeReader { rosters: &self.raw.rosters, named: &self.raw.types, log: &mut unused }.read(node);
        let schema = self.schema_type(&own.schema);
        if own.optional { schema.optional() } else { schema }
    }

    /// The type of a field of the session; nothing when the fields could not be read.
    pub(super) fn field_type(self, field: &str) -> Option<Type> {
        match self.fields_type() {
            Type::Object(fields) => fields.get(field).cloned(),
            _ => None,
        }
    }

    /// What routes and dispatch rules read. Without an agent any report may be meant.
    pub(super) fn route_scope(self, agent: Option<&Agent>) -> Scope {
        let signal = agent.and_then(|agent| self.signals(agent)).map(Type::words);
        let report = agent.map_or(Type::Any, |agent| self.report(agent));
        self.common()
            .with("signal", signal.unwrap_or(Type::Text).optional())
            .with("agent", Type::words(self.names.iter().map(String::as_str)))
            .with("confidence", Type::Number)
            .with("report", report)
    }

    /// What the condition of a gate rule for these tools reads.
    pub(super) fn gate_scope(self, pattern: &str) -> Scope {
        let tool = Type::object([
            ("name", Type::Text),
            ("effect", Type::words(["read", "idempotent", "probe", "unsafe"]).optional()),
            ("risk", Type::words(["low", "medium", "high"]).optional()),
        ]);
        let mut specs = self.known.catalog.values().filter(|spec| pattern_matches(pattern, spec.name.as_str()));
        let args = match (specs.next(), specs.next()) {
            (Some(spec), None) => self.arguments_type(spec),
            _ => Type::Any,
        };
        self.common()
            .with("tool", tool)
            .with("args", args)
            .with("agent", Type::words(self.names.iter().map(String::as_str)).optional())
            .with("requester", Type::Text)
    }

    pub(super) fn arguments_type(self, spec: &ToolSpec) -> Type {
        self.schema_type(spec.schema.raw())
    }

    /// What the conditions of a terminal tool with these arguments read.
    pub(super) fn claim_scope(self, tool: &RawTerminal) -> Scope {
        let args = &tool.args;
        let mut unused = ErrorLog::new(std::path::PathBuf::new());
        let mut types = TypeReader { rosters: &self.raw.rosters, named: &self.raw.types, log: &mut unused };
        let read: Vec<_> = args.iter().map(|(name, node)| (name, types.read(node))).collect();
        let mut own = self.schema_type(&object(read.iter().map(|(name, own)| (name.as_str(), own))));
        if let Type::Object(fields) = &mut own {
            fields.insert("evidence".to_owned(), Type::Text.list().optional());
            for name in STATED.into_iter().filter(|_| tool.about.is_some()) {
                let own = if name == "confidence" { Type::Number } else { Type::Text };
                fields.entry(name.to_owned()).or_insert(own);
            }
        }
        let agents = Type::words(self.names.iter().map(String::as_str)).optional();
        self.common().with("args", if args.is_blank() { Type::Any } else { own }).with("agent", agents)
    }
}

fn case_type() -> Type {
    let case = ["id", "handle", "opened_by", "opened_at"].map(|name| (name, Type::Text));
    Type::object(case.into_iter().chain([("age_s", Type::Number)]))
}

/// Reports every mistake of a condition.
pub(super) fn condition(text: &At<String>, scope: &Scope, log: &mut ErrorLog) {
    if text.is_blank() {
        return;
    }
    let parsed = Expression::parse(text).map_err(|error| vec![error]);
    let checked = parsed.and_then(|expression| expression.check_condition(scope));
    report("condition", text, checked.err().unwrap_or_default(), log);
}

/// The type of an expression's value; every mistake of it is reported.
pub(super) fn value(text: &At<String>, scope: &Scope, log: &mut ErrorLog) -> Option<Type> {
    if text.is_blank() {
        return None;
    }
    let parsed = Expression::parse(text).map_err(|error| vec![error]);
    let checked = parsed.and_then(|expression| expression.check(scope));
    checked.map_err(|errors| report("expression", text, errors, log)).ok()
}

/// The types of the holes of a text; every mistake of it is reported.
pub(super) fn template(text: &At<String>, scope: &Scope, log: &mut ErrorLog) -> Option<Vec<Type>> {
    if text.is_blank() {
        return None;
    }
    let parsed = Template::parse(text).map_err(|error| vec![error]);
    let checked = parsed.and_then(|template| template.check(scope));
    checked.map_err(|errors| report("text", text, errors, log)).ok()
}

fn report(what: &str, text: &At<String>, errors: Vec<ExprError>, log: &mut ErrorLog) {
    for error in errors {
        let message = format!("in this {what}, column {}: {}", error.column, error.message);
        let hint = if error.hint.is_empty() { "see the page on expressions".to_owned() } else { error.hint };
        log.report(text.place, message, hint);
    }
}

/// What the runtime reports of a measurement.
fn measured(watch: &RawWatch) -> Vec<(&'static str, Type)> {
    let readings = |measure: &RawMeasure| {
        let times = ["now", "before"].into_iter().chain(measure.baseline.is_some().then_some("baseline"));
        Type::object(times.map(|time| (time, Type::Number.optional())))
    };
    let mut report = vec![
        ("verdict", Type::words(MEASURED_SIGNALS)),
        ("polls", Type::Number),
        ("in_a_row", Type::Number),
        ("asked_for", Type::Number),
    ];
    match watch {
        RawWatch::Single(_) => report.push(("tool", Type::Text)),
        RawWatch::Several(watch) => {
            let all = watch.measure.iter().map(|(name, own)| (name.value.clone(), readings(own).optional()));
            report.push(("measurements", Type::Object(all.collect())));
        }
    }
    report
}
