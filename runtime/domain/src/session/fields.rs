//! The fields of a case: what it came with, and what agents wrote over it.

use std::sync::Arc;

use serde_json::{Value, json};

use super::header::{FieldAuthor, Session};
use crate::ids::{AgentName, CallId, Seq};

impl Session {
    /// The agent whose call it is: its own, or that of its claim. `None` where a person claims.
    pub fn agent_of(&self, call: &CallId) -> Option<&AgentName> {
        Some(&self.works.get(&self.work_of(call)?)?.agent)
    }

    pub(super) fn fields_patched(&mut self, call: &CallId, patch: &Value, seq: Seq) -> Result<(), String> {
        let agent = self.agent_of(call).cloned();
        let mut fields = (*self.fields).clone();
        if let (Some(fields), Some(patch)) = (fields.as_object_mut(), patch.as_object()) {
            for (name, value) in patch {
                let before = fields.insert(name.clone(), value.clone());
                let (Some(agent), true) = (&agent, before.as_ref() != Some(value)) else { continue };
                let came_as = match self.authors.remove(name) {
                    Some(earlier) => earlier.came_as,
                    None => before,
                };
                self.authors.insert(name.clone(), FieldAuthor { agent: agent.clone(), seq, came_as });
            }
        }
        self.fields = Arc::new(fields);
        match self.call_mut(call) {
            Ok(call) => call.settle(true, json!({"status": "ok", "content": patch})),
            // A person's claim sets fields too, and no worker waits for it.
            Err(_) if call.assignment().is_none() => {}
            Err(what) => return Err(what),
        }
        Ok(())
    }
}
