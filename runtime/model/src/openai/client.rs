//! A model behind the protocol.

use std::fmt;

use async_trait::async_trait;
use provost_domain::failure::ModelFailure;
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::port::ModelProvider;

use super::demands::LearnedDemands;
use super::request::Demands;
use super::settings::{ChatOptions, OpenAiSettings};
use super::{reply, request};
use crate::server::client::{Endpoint, RESPONSE_MAX, ServerClient};

/// Where questions go.
const ENDPOINT: Endpoint = Endpoint { path: "chat/completions", key: None, headers: &[] };

/// A model on a server that speaks the protocol.
pub struct OpenAiProvider {
    client: ServerClient,
    options: ChatOptions,
    demands: LearnedDemands,
}

impl fmt::Debug for OpenAiProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("OpenAiProvider");
        shown.field("server", self.client.settings()).field("options", &self.options).finish_non_exhaustive()
    }
}

impl OpenAiProvider {
    /// A provider for these settings. Asks nothing yet.
    ///
    /// # Errors
    /// [`ModelFailure::LlmConfig`], saying what to change.
    pub fn new(settings: OpenAiSettings) -> Result<Self, ModelFailure> {
        let OpenAiSettings { server, options } = settings;
        Ok(Self { client: ServerClient::new(server, ENDPOINT)?, options, demands: LearnedDemands::default() })
    }
}

#[async_trait]
impl ModelProvider for OpenAiProvider {
    fn origin(&self, _name: &str) -> ModelOrigin {
        self.client.origin()
    }

    fn reads_case(&self) -> bool {
        false
    }

    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        let unwritable = |detail: String| ModelFailure::Refused { detail };
        request::body(request, &self.client.settings().model, &self.options, self.demands.known())
            .map_err(|error| unwritable(format!("the request cannot be written: {error}")))
    }

    async fn ask(&self, request: &ModelRequest, body: &[u8]) -> Result<ModelReply, ModelFailure> {
        // What the server demanded since the question was written goes before its exact bytes: those it would refuse again.
        let body = if self.demands.known() == Demands::default() { body.to_vec() } else { self.body(request)? };
        let asked = body.len();
        let (answer, words) = (self.client.post(body).await?, self.client.words());
        let status = answer.status;
        if status.is_success() {
            return reply::read(&answer.body, (answer.encoding(), RESPONSE_MAX, asked), &words);
        }
        let refusal = String::from_utf8_lossy(&answer.body);
        let speaks = matches!(status.as_u16(), 400 | 422 | 500);
        match speaks.then(|| self.demands.learn(&refusal)).flatten() {
            Some(change) => {
                let detail = format!("HTTP {status}: {}; {change}", words.safe(&refusal));
                Err(ModelFailure::Unavailable { detail })
            }
            None => Err(words.refused(status, &answer.headers, &answer.body)),
        }
    }
}
