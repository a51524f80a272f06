//! A typed report: its JSON Schema, derived from the Rust type, and what is checked of every report.

use provost_domain::citation::Citations;
use provost_domain::role::RoleSpec;
use provost_domain::schema::ArgSchema;
use provost_domain::work::Work;
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

/// A role in code.
pub(crate) trait Role: std::fmt::Debug + Sync {
    /// Its name, what it may do, and which kind of work it does.
    fn spec(&self) -> RoleSpec;

    /// Its briefing: a Markdown text with the places `{{ agent }}`, `{{ role }}` and `{{ case }}`.
    fn briefing(&self) -> &'static str;

    /// The form of its report; `None` where the runtime writes it.
    fn report(&self) -> Option<&'static ReportForm>;

    /// What the role itself demands of a report that fits its form, in words for the model; empty when it holds.
    fn check(&self, report: &Value, work: &Work) -> Vec<String>;
}

/// The form of a typed report.
#[derive(Debug)]
pub(crate) struct ReportForm {
    schema: Value,
    compiled: Option<ArgSchema>,
}

/// The keys that hold evidence ids, wherever they stand in a report.
const EVIDENCE: [&str; 3] = ["evidence", "for", "against"];

impl ReportForm {
    /// The form of a type. Nested types are written out in place: not every model server follows references.
    pub(crate) fn of<T: JsonSchema>() -> Self {
        let settings = SchemaSettings::draft2020_12().with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        let mut schema = settings.into_generator().into_root_schema_for::<T>().to_value();
        if let Some(schema) = schema.as_object_mut() {
            schema.remove("title");
        }
        let compiled = ArgSchema::new(schema.clone()).ok();
        Self { schema, compiled }
    }

    /// Its JSON Schema, an object.
    pub(crate) fn schema(&self) -> &Value {
        &self.schema
    }

    /// What is wrong with a report: by its form, and evidence that is not a tool result of this session.
    pub(crate) fn problems(&self, report: &Value, citations: &Citations<'_>) -> Vec<String> {
        let Some(compiled) = &self.compiled else { return vec!["the role's report has no usable form".to_owned()] };
        // The schema calls the whole `arguments`; a place inside begins with a slash.
        let placed = |problem: String| format!("report{}", problem.strip_prefix("arguments").unwrap_or(&problem));
        let mut problems: Vec<String> = compiled.problems(report).into_iter().map(placed).collect();
        unknown_evidence(report, citations, &mut problems);
        problems
    }
}

fn unknown_evidence(value: &Value, citations: &Citations<'_>, problems: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                if EVIDENCE.contains(&key.as_str()) {
                    problems.extend(cited(member).filter_map(|id| citations.told_flaw(id)));
                }
                unknown_evidence(member, citations, problems);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| unknown_evidence(item, citations, problems)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn cited(ids: &Value) -> impl Iterator<Item = &str> {
    ids.as_array().into_iter().flatten().filter_map(Value::as_str)
}
