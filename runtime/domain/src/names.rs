//! What the expressions of a pack read: the session, under the names that the pack's author knows.

use provost_expr::{CannotTell, Expression, Judgement, ReadPath, Template};
use serde_json::{Map, Value, json};

use crate::ids::{AgentName, ToolName};
use crate::session::{AgentReport, Session};
use crate::time::Timestamp;
use crate::tool::ToolSpec;

/// The names that every place has: the session's fields, its case, the agents' last reports and the findings. A place adds
/// its own. Only what an expression reads is put together.
#[derive(Debug, Clone)]
pub struct CaseNames<'a> {
    session: &'a Session,
    now: Timestamp,
    more: Map<String, Value>,
}

impl<'a> CaseNames<'a> {
    /// The names of a session at a time.
    pub fn new(session: &'a Session, now: Timestamp) -> Self {
        Self { session, now, more: Map::new() }
    }

    /// The names that the condition of a gate rule reads about a call besides: everything but the confidence that counts for
    /// it.
    #[must_use]
    pub fn of_call(
        session: &'a Session,
        now: Timestamp,
        (tool, spec): (&ToolName, Option<&ToolSpec>),
        args: &Value,
    ) -> Self {
        let tool = match spec {
            Some(spec) => json!({"name": tool, "effect": spec.effect, "risk": spec.risk}),
            None => json!({"name": tool}),
        };
        let agent = session.newest_work().map(|work| work.agent.clone());
        Self::new(session, now)
            .with("tool", tool)
            .with("args", args.clone())
            .with("agent", json!(agent))
            .with("requester", json!(session.requester().to_string()))
    }

    /// With a name of the place's own; null counts as absent.
    #[must_use]
    pub fn with(mut self, name: &str, value: Value) -> Self {
        self.more.insert(name.to_owned(), value);
        self
    }

    /// Whether an expression holds on them.
    pub fn judge(&self, expression: &Expression) -> Judgement {
        expression.judge(&self.data(&expression.reads()))
    }

    /// The value of an expression on them.
    pub fn value(&self, expression: &Expression) -> Result<Value, CannotTell> {
        expression.value(&self.data(&expression.reads()))
    }

    /// A text with its holes filled; one that cannot be told reads `unknown`.
    pub fn render(&self, template: &Template) -> String {
        template.render(&self.data(&template.reads()))
    }

    fn data(&self, reads: &[ReadPath]) -> Value {
        let mut data = Map::new();
        for name in reads.iter().filter_map(|read| read.names.first()) {
            if data.contains_key(name) {
                continue;
            }
            if let Some(value) = self.more.get(name).cloned().or_else(|| self.common(name, reads)) {
                data.insert(name.clone(), value);
            }
        }
        Value::Object(data)
    }

    fn common(&self, name: &str, reads: &[ReadPath]) -> Option<Value> {
        let session = self.session;
        match name {
            "fields" => Some((**session.fields()).clone()),
            "confidence" => Some(json!(session.confidence())),
            "retries" => Some(json!(session.retries())),
            "case" => Some(self.case()),
            "reports" => {
                let reports = session.reports().iter().filter(|(agent, _)| is_read(reads, name, agent.as_str()));
                Some(reports.map(|(agent, report)| (agent.to_string(), self.report(report))).collect())
            }
            "findings" => {
                // Of a tool without findings it is known that there are none.
                let asked = reads.iter().filter(|read| read.names.first().is_some_and(|own| own == name));
                let mut found: Map<String, Value> =
                    asked.filter_map(|read| Some((read.names.get(1)?.clone(), json!([])))).collect();
                for (tool, own) in session.findings().iter().filter(|(tool, _)| is_read(reads, name, tool.as_str())) {
                    found.insert(tool.to_string(), json!(own));
                }
                Some(Value::Object(found))
            }
            _ => None,
        }
    }

    fn case(&self) -> Value {
        let session = self.session;
        json!({
            "id": session.id(), "handle": session.handle(), "opened_by": session.requester().to_string(),
            "opened_at": session.created_at().to_string(),
            "age_s": self.now.since(session.created_at()).as_secs(),
        })
    }

    /// A report: the fields that its role gave it, and what every report has.
    fn report(&self, report: &AgentReport) -> Value {
        let own = report.report.as_deref().and_then(Value::as_object).cloned();
        let mut fields = own.unwrap_or_default();
        fields.insert("signal".to_owned(), json!(report.signal));
        fields.insert("confidence".to_owned(), json!(report.confidence));
        fields.insert("content".to_owned(), json!(report.content));
        fields.insert("stale".to_owned(), json!(!self.session.is_since_change(report)));
        Value::Object(fields)
    }

    /// An agent's last report as a value.
    pub fn report_of(&self, agent: &AgentName) -> Option<Value> {
        self.session.reports().get(agent).map(|report| self.report(report))
    }
}

/// Whether an expression reads one entry of a name, by name or as a whole.
fn is_read(reads: &[ReadPath], name: &str, entry: &str) -> bool {
    reads.iter().any(|read| match read.names.as_slice() {
        [first, second, ..] => first == name && second == entry,
        [first] => first == name,
        [] => false,
    })
}
