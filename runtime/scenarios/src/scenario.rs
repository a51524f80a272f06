//! One scenario, checked against its pack: every name leads somewhere, every sample opens a case.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use provost_domain::event::EventBody;
use provost_domain::fields::CheckedFields;
use provost_domain::ids::{AgentName, ToolName};
use provost_domain::origin::CaseOrigin;
use provost_domain::pack::Pack;
use provost_domain::schema::ArgSchema;
use provost_domain::tool::{Catalog, ToolSpec};
use provost_expr::{Expression, Scope};
use provost_form::{At, ErrorLog, Position, TextFile, nearest};
use provost_mail::case_of_form;
use provost_model::ScriptedProvider;
use serde_json::Value;

use crate::people::PersonScript;
use crate::shape::{FIELDS, RawCase, RawScenario, RawToolAnswer};
use crate::stage::ToolScript;

/// How a session may end besides with an outcome of its pack, and where it may rest for good.
const ENDS: [&str; 4] = ["needs_review", "error", "stopped", "awaiting_input"];

/// One scenario, ready to be played.
#[derive(Debug)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) file: PathBuf,
    /// Where its name stands.
    pub(crate) start: Position,
    pub(crate) case: ScenarioCase,
    pub(crate) model: Arc<ScriptedProvider>,
    /// Where the script is named.
    pub(crate) model_place: Position,
    pub(crate) tools: BTreeMap<ToolName, ToolScript>,
    pub(crate) people: Vec<PersonScript>,
    pub(crate) outcome: At<String>,
    pub(crate) calls: Vec<(At<String>, u32)>,
    pub(crate) that: Vec<At<Expression>>,
    pub(crate) events: Vec<At<String>>,
}

/// What its session is opened with.
#[derive(Debug, Clone)]
pub(crate) struct ScenarioCase {
    pub(crate) fields: Value,
    pub(crate) title: String,
    pub(crate) origin: CaseOrigin,
    /// The form of the sample, of a case that came by delivery.
    pub(crate) form: Option<String>,
}

/// What a scenario is checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ScenarioReader<'a> {
    pub(crate) pack: &'a Pack,
    pub(crate) catalog: &'a Catalog,
    /// The names that expressions about a session may read.
    pub(crate) scope: &'a Scope,
    /// The pack's files, by their paths inside it.
    pub(crate) files: &'a BTreeMap<String, String>,
    pub(crate) folder: &'a std::path::Path,
}

impl ScenarioReader<'_> {
    /// Reads a scenario with every mistake in the log.
    pub(crate) fn read(self, file: &TextFile, log: &mut ErrorLog) -> Option<Scenario> {
        let (_, raw) = file.form::<RawScenario>(log)?;
        let case = self.case(&raw.case, &raw.scenario, log);
        let model = self.script(&raw.model.script, log);
        let tools = self.tools(&raw, log);
        let people = raw.people.iter().filter_map(|person| {
            self.asked(&person.asked, log);
            PersonScript::read(person, log)
        });
        let people = people.collect();
        self.outcome(&raw.expect.outcome, log);
        for (name, _) in raw.expect.calls.iter() {
            self.tool(name, log);
        }
        for kind in raw.expect.events.iter().filter(|kind| !EventBody::KINDS.contains(&kind.as_str())) {
            let hint = nearest(kind, EventBody::KINDS.iter().copied());
            log.report(kind.place, format!("no event has the kind `{}`", kind.value), hint);
        }
        let that = raw.expect.that.iter().filter_map(|text| self.condition(text, log)).collect();
        Some(Scenario {
            name: raw.scenario.value.clone(),
            file: file.path.clone(),
            start: raw.scenario.place,
            case: case?,
            model: model?,
            model_place: raw.model.script.place,
            tools,
            people,
            outcome: raw.expect.outcome,
            calls: raw.expect.calls.iter().map(|(name, count)| (name.clone(), count.value.0)).collect(),
            that,
            events: raw.expect.events,
        })
    }

    fn case(self, raw: &RawCase, name: &str, log: &mut ErrorLog) -> Option<ScenarioCase> {
        if raw.form.is_blank() {
            return None;
        }
        let (place, hint) = (raw.value.place, "correct the case, or the pack's `fields` and `intake`");
        if raw.form.value == FIELDS {
            let checked = CheckedFields::new(self.pack, raw.value.value());
            let fields = checked.map_err(|error| log.report(place, error.to_string(), hint)).ok()?.into_value();
            return Some(ScenarioCase { fields, title: name.to_owned(), origin: CaseOrigin::default(), form: None });
        }
        let Some(path) = raw.value.text() else {
            log.expected("the path of a sample", &raw.value, "write it from the pack's folder: samples/NAME.json");
            return None;
        };
        let text = self.text_of(path, place, log)?;
        match case_of_form(self.pack, &raw.form, text.as_bytes()) {
            Ok(opening) => Some(ScenarioCase {
                fields: opening.fields,
                title: opening.title,
                origin: opening.origin,
                form: Some(raw.form.value.clone()),
            }),
            Err(error) => {
                log.report(raw.form.place, format!("the sample `{path}` opens no case: {error}"), hint);
                None
            }
        }
    }

    fn script(self, path: &At<String>, log: &mut ErrorLog) -> Option<Arc<ScriptedProvider>> {
        if path.is_blank() {
            return None;
        }
        let text = self.text_of(path, path.place, log)?;
        let read = ScriptedProvider::of_text(&self.folder.join(&path.value), text);
        let refused =
            |error| log.report(path.place, format!("the script cannot be used: {error}"), "correct the script");
        read.map(Arc::new).map_err(refused).ok()
    }

    /// The text of a file of the pack.
    fn text_of(&self, path: &str, place: Position, log: &mut ErrorLog) -> Option<&str> {
        let text = self.files.get(path).map(String::as_str);
        if text.is_none() {
            let hint = nearest(path, self.files.keys().map(String::as_str));
            let hint = format!("paths start from the pack's folder; {hint}");
            log.report(place, format!("the pack has no file `{path}`"), hint);
        }
        text
    }

    fn tools(self, raw: &RawScenario, log: &mut ErrorLog) -> BTreeMap<ToolName, ToolScript> {
        let mut tools = BTreeMap::new();
        for (name, answers) in raw.tools.iter() {
            let spec = self.tool(name, log);
            for answer in answers {
                if let Some(after) = &answer.after {
                    self.tool(after, log);
                }
                if let Some(spec) = spec {
                    fits_output(spec, answer, log);
                }
            }
            tools.insert(ToolName::new(&name.value), ToolScript::new(name.place, answers));
        }
        tools
    }

    /// The tool of a name; one that is not there is reported.
    fn tool(&self, name: &At<String>, log: &mut ErrorLog) -> Option<&ToolSpec> {
        let spec = self.catalog.get(name.value.as_str()).map(|spec| &**spec);
        if spec.is_none() && !name.is_blank() {
            let own = self.own_tools().any(|own| own == name.as_str());
            let (message, hint) = if own {
                let hint = "the pack's own tools need no double; check what came of them with `outcome` and `that`";
                (format!("`{}` is a tool of the pack itself", name.value), hint.to_owned())
            } else {
                let hint = nearest(name, self.catalog.keys().map(ToolName::as_str));
                (format!("no tool `{}`", name.value), hint)
            };
            log.report(name.place, message, hint);
        }
        spec
    }

    fn own_tools(&self) -> impl Iterator<Item = &str> {
        let pack = self.pack;
        let own = pack.terminal_tools.keys().chain(pack.findings_tools.keys()).chain(pack.patch_tools.keys());
        own.map(ToolName::as_str)
    }

    /// Reports a name that is neither a tool's nor an agent's.
    fn asked(self, name: &At<String>, log: &mut ErrorLog) {
        let agents = || self.pack.agents.keys().map(AgentName::as_str);
        let known = || self.catalog.keys().map(ToolName::as_str).chain(self.own_tools()).chain(agents());
        if !name.is_blank() && !known().any(|own| own == name.as_str()) {
            let message = format!("nothing of the pack asks as `{}`", name.value);
            let hint =
                format!("name the tool whose call is asked about, or the agent that asks; {}", nearest(name, known()));
            log.report(name.place, message, hint);
        }
    }

    fn outcome(self, outcome: &At<String>, log: &mut ErrorLog) {
        let known = || self.pack.outcomes.keys().map(String::as_str).chain(ENDS);
        if !outcome.is_blank() && !known().any(|own| own == outcome.as_str()) {
            let message = format!("no session of the pack ends as `{}`", outcome.value);
            log.report(outcome.place, message, nearest(outcome, known()));
        }
    }

    fn condition(self, text: &At<String>, log: &mut ErrorLog) -> Option<At<Expression>> {
        if text.is_blank() {
            return None;
        }
        let parsed = Expression::parse(text).map_err(|error| vec![error]);
        let checked = parsed.and_then(|parsed| parsed.check_condition(self.scope).map(|()| parsed));
        match checked {
            Ok(value) => Some(At { value, place: text.place }),
            Err(errors) => {
                for error in errors {
                    let message = format!("in this condition, column {}: {}", error.column, error.message);
                    log.report(text.place, message, error.hint);
                }
                None
            }
        }
    }
}

/// Reports a result that its tool never gives, where the form of its results is known.
fn fits_output(spec: &ToolSpec, answer: &RawToolAnswer, log: &mut ErrorLog) {
    let Some(give) = answer.give.as_ref().filter(|give| !give.value().is_null()) else { return };
    let Some(schema) = spec.output.as_ref().and_then(|output| ArgSchema::new((**output).clone()).ok()) else { return };
    for problem in schema.problems(&give.value()) {
        let message = format!("`{}` never gives this: {problem}", spec.name);
        log.report(give.place, message, "write a result of the tool's own form: `provost tools show` prints it");
    }
}
