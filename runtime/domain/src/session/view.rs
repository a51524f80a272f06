//! The case as conditions, scripted models and briefings read it.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::header::Session;
use crate::evidence::Evidence;

impl Session {
    /// The typed case: what providers that read data, and conditions, look at.
    pub fn case(&self) -> Value {
        let reports: BTreeMap<&str, Value> = self
            .reports
            .iter()
            .map(|(agent, report)| {
                let evidence: Vec<String> =
                    report.evidence.iter().map(|seq| Evidence { session: self.id, seq: *seq }.to_string()).collect();
                let body = json!({
                    "signal": report.signal, "content": report.content, "confidence": report.confidence,
                    "rationale": report.rationale, "evidence": evidence, "report": report.report,
                    "since_change": self.is_since_change(report),
                });
                (agent.as_str(), body)
            })
            .collect();
        json!({
            "session": {"id": self.id, "handle": self.handle, "fields": self.fields},
            "reports": reports,
            "findings": self.findings,
            "operator": self.words.back().map(|(_, text)| text),
        })
    }
}
