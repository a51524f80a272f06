//! The configured targets as tools.

use std::collections::BTreeMap;
use std::sync::Arc;

use provost_domain::ids::ToolName;
use provost_domain::port::ToolBackend;

use super::direct::Notify;
use super::queue::Queue;
use super::receivers::Receiver;
use super::sender::Sender;
use super::spec::declared;
use crate::error::ToolsError;
use crate::kind::{NamedCarrier, ToolKind, ToolParts};

/// One target with its secret.
#[derive(Debug)]
pub(super) struct NotifyTarget {
    pub(super) receiver: Arc<dyn Receiver>,
    /// Whether its messages are stored and sent in the background, where there is an outbox.
    pub(super) outbox: bool,
}

/// All targets, by the name of their tool.
#[derive(Debug)]
pub(super) struct NotifyKind {
    pub(super) targets: BTreeMap<String, NotifyTarget>,
}

fn sender(name: &str, target: &NotifyTarget, parts: &ToolParts) -> Sender {
    let tool = ToolName::new(format!("notify:{name}"));
    Sender::new(parts.client.clone(), Arc::clone(&parts.clock), tool, Arc::clone(&target.receiver))
}

impl ToolKind for NotifyKind {
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError> {
        let tool = |(name, target): (&String, &NotifyTarget)| -> Result<Arc<dyn ToolBackend>, ToolsError> {
            let sender = sender(name, target, parts);
            Ok(match parts.outbox.as_ref().filter(|_| target.outbox) {
                Some(outbox) => {
                    let spec = declared(sender.tool())?;
                    Arc::new(Queue::new(spec, Arc::clone(outbox), Arc::clone(&parts.clock)))
                }
                None => Arc::new(Notify::new(declared(sender.tool())?, sender)),
            })
        };
        self.targets.iter().map(tool).collect()
    }

    fn carriers(&self, parts: &ToolParts) -> Result<Vec<NamedCarrier>, ToolsError> {
        let carrier = |(name, target): (&String, &NotifyTarget)| {
            let sender = sender(name, target, parts);
            Ok((sender.tool().clone(), Arc::new(sender) as _))
        };
        self.targets.iter().map(carrier).collect()
    }
}
