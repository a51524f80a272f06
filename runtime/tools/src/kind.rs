//! What a kind of tool is to the registry.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use provost_domain::ids::ToolName;
use provost_domain::port::{Carrier, Clock, Outbox, ToolBackend};
use provost_form::ReadSecret;
use reqwest::Client;

use crate::error::ToolsError;
use crate::server::ServerFinding;

/// What tools are built with.
#[derive(Debug)]
pub(crate) struct ToolParts {
    pub(crate) client: Client,
    pub(crate) clock: Arc<dyn Clock>,
    /// Where messages to the outside are stored, to be sent later. Without one they are sent within the call.
    pub(crate) outbox: Option<Arc<dyn Outbox>>,
}

/// What sends the stored messages of one tool.
pub(crate) type NamedCarrier = (ToolName, Arc<dyn Carrier>);

/// A section of the configuration that was read: it only names its secrets.
pub(crate) trait ToolSection: fmt::Debug + Send + Sync {
    /// The kind of tool with its secrets; without a reader it is only asked what its tools are.
    fn open(&self, secret: Option<ReadSecret<'_>>) -> Result<Arc<dyn ToolKind>, ToolsError>;

    /// What people who run it should know although it works, a sentence each.
    fn notices(&self) -> Vec<String> {
        Vec::new()
    }

    /// The full names of its tools that tell people something.
    fn messengers(&self) -> Vec<String> {
        Vec::new()
    }
}

/// A kind of tool, ready to be built.
#[async_trait]
pub(crate) trait ToolKind: fmt::Debug + Send + Sync {
    /// The tools of the section.
    fn tools(&self, parts: &ToolParts) -> Result<Vec<Arc<dyn ToolBackend>>, ToolsError>;

    /// Looks whether the server can be used, changing nothing.
    async fn check(&self, parts: &ToolParts) -> Vec<ServerFinding> {
        vec![match self.tools(parts) {
            Ok(tools) => {
                ServerFinding::good(format!("{} tools are ready; a preset's server is not asked", tools.len()))
            }
            Err(error) => ServerFinding::bad(error.to_string()),
        }]
    }

    /// Accepts what the server says of its tools now.
    async fn accept(&self, _: &ToolParts) -> Vec<ServerFinding> {
        vec![ServerFinding::bad("a preset's server says nothing of its tools: there is nothing to accept")]
    }

    /// What sends the messages that its tools stored: also for those that now send within the call, for an earlier
    /// configuration may have stored some.
    fn carriers(&self, _: &ToolParts) -> Result<Vec<NamedCarrier>, ToolsError> {
        Ok(Vec::new())
    }
}

/// A section without secrets is ready as it was read.
impl<K: ToolKind + Clone + 'static> ToolSection for K {
    fn open(&self, _: Option<ReadSecret<'_>>) -> Result<Arc<dyn ToolKind>, ToolsError> {
        Ok(Arc::new(self.clone()))
    }
}
