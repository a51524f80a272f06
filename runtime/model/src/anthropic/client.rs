//! A model behind the protocol.

use async_trait::async_trait;
use provost_domain::failure::ModelFailure;
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::port::ModelProvider;

use super::settings::{AnthropicSettings, MessagesOptions};
use super::{failure, reply, request};
use crate::server::client::{Endpoint, ServerClient};

/// Where questions go, and the version of the protocol they are written in.
const ENDPOINT: Endpoint =
    Endpoint { path: "messages", key: Some("x-api-key"), headers: &[("anthropic-version", "2023-06-01")] };

/// A model on a server that speaks the protocol.
#[derive(Debug)]
pub struct AnthropicProvider {
    client: ServerClient,
    options: MessagesOptions,
}

impl AnthropicProvider {
    /// A provider for these settings. Asks nothing yet.
    ///
    /// # Errors
    /// [`ModelFailure::LlmConfig`], saying what to change.
    pub fn new(settings: AnthropicSettings) -> Result<Self, ModelFailure> {
        let AnthropicSettings { server, options } = settings;
        Ok(Self { client: ServerClient::new(server, ENDPOINT)?, options })
    }
}

#[async_trait]
impl ModelProvider for AnthropicProvider {
    fn origin(&self, _name: &str) -> ModelOrigin {
        self.client.origin()
    }

    fn reads_case(&self) -> bool {
        false
    }

    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        request::body(request, &self.client.settings().model, &self.options)
            .map_err(|error| ModelFailure::Refused { detail: format!("the request cannot be written: {error}") })
    }

    async fn ask(&self, _request: &ModelRequest, body: &[u8]) -> Result<ModelReply, ModelFailure> {
        let (answer, words) = (self.client.post(body.to_vec()).await?, self.client.words());
        if answer.status.is_success() {
            reply::read(&answer, body.len(), &words)
        } else {
            Err(failure::refused(&answer, &words))
        }
    }
}
