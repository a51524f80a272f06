//! Which tool each call uses: most events of a call name only the call.

use std::collections::HashMap;

use provost_domain::event::EventBody;
use provost_domain::ids::{CallId, ToolName};

use crate::visible::VisibleText;

/// The tools of calls, as learnt from the events that name both.
#[derive(Debug, Clone, Default)]
pub struct CallNames(HashMap<CallId, ToolName>);

impl CallNames {
    /// Learns from an event what later ones leave out.
    pub fn learn(&mut self, body: &EventBody) {
        // Only these three name a call and its tool.
        let named = if let EventBody::ToolIntended(e) = body {
            Some((&e.call, &e.tool))
        } else if let EventBody::ApprovalRequested(e) = body {
            Some((&e.call, &e.tool))
        } else if let EventBody::ClaimRaised(e) = body {
            Some((&e.call, &e.tool))
        } else {
            None
        };
        if let Some((call, tool)) = named {
            self.0.insert(call.clone(), tool.clone());
        }
    }

    /// The tool of a call that an event has named.
    pub fn tool(&self, call: &CallId) -> Option<&ToolName> {
        self.0.get(call)
    }

    /// The tool of a call, or the call itself, for people.
    pub fn shown(&self, call: &CallId) -> VisibleText {
        self.tool(call).map_or_else(|| VisibleText::new(format!("call {call}")), |tool| VisibleText::new(tool.as_str()))
    }
}
