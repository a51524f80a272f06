//! One session for everything that goes beyond the cases that one delivery opens: fields that differ stay empty in it, also
//! required ones, so that no tool is called with a target that is only one of many.

use std::collections::BTreeSet;

use provost_domain::ids::{PackName, SessionId};
use provost_domain::origin::CaseOrigin;
use serde_json::{Value, json};

use super::opening::Opening;
use super::planned::{LISTED_MAX, PlannedSession};
use super::words::worse;

/// The session of many targets while its alerts are counted.
#[derive(Debug)]
pub(super) struct ManyTargets {
    session: SessionId,
    /// Its pack; `None` for the first that takes deliveries of the format.
    pack: Option<PackName>,
    /// What all of them have in common.
    fields: Option<Value>,
    severity: Option<String>,
    listed: Vec<Value>,
    titles: BTreeSet<String>,
    /// How many targets they are about.
    count: usize,
}

impl ManyTargets {
    pub(super) fn new(session: SessionId, pack: Option<PackName>) -> Self {
        Self { session, pack, fields: None, severity: None, listed: Vec::new(), titles: BTreeSet::new(), count: 0 }
    }

    pub(super) fn is(&self, session: SessionId) -> bool {
        self.session == session
    }

    pub(super) fn add(&mut self, opening: &Opening, brief: &Value) {
        self.count += 1;
        if self.listed.len() < LISTED_MAX {
            self.listed.push(brief.clone());
            self.titles.insert(opening.title.clone());
        }
        let severity = opening.fields.get("severity").and_then(Value::as_str);
        self.severity = worse(self.severity.as_deref(), severity).map(str::to_owned);
        match &mut self.fields {
            None => self.fields = Some(opening.fields.clone()),
            Some(Value::Object(fields)) => fields.retain(|name, value| opening.fields.get(name) == Some(value)),
            Some(_) => {}
        }
    }

    /// The session to open. What it is about is written into the fields that the pack has for that.
    pub(super) fn session(self) -> PlannedSession {
        let Self { session, pack, fields, severity, listed, titles, count } = self;
        let title = format!("alerts of {count} targets");
        let names = titles.into_iter().take(3).collect::<Vec<_>>().join("; ");
        let mut fields = fields.unwrap_or_else(|| json!({}));
        if let Some(fields) = fields.as_object_mut() {
            fields.insert("summary".to_owned(), format!("{title}: {names}").into());
            fields.insert("alert".to_owned(), json!({"many_targets": count, "alerts": listed}));
            if let Some(severity) = severity {
                fields.insert("severity".to_owned(), severity.into());
            }
        }
        let origin = CaseOrigin::default();
        PlannedSession { session, pack, title, fields, origin, parent: None, partial: true }
    }
}
