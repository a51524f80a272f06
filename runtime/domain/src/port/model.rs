//! The seam to language models: those that are asked, and what of them a decision looks at.

use async_trait::async_trait;

use crate::failure::ModelFailure;
use crate::model::{ModelOrigin, ModelReply, ModelRequest};

/// Room for the body of most questions.
const BODY: usize = 8 * 1024;

/// One configured model. Asking has no effect on the world, so a question without an answer is asked again.
#[async_trait]
pub trait ModelProvider: Send + Sync + std::fmt::Debug {
    /// Where it is asked; `name` is the configured model's. A provider inside this process has no server.
    fn origin(&self, name: &str) -> ModelOrigin {
        ModelOrigin::internal(name)
    }

    /// Whether it reads the case behind the briefing, [`ModelRequest::case`]. One that reads the exchange alone says no, and
    /// is given none.
    fn reads_case(&self) -> bool {
        true
    }

    /// The exact bytes of a request's body, the same for the same request. A provider inside this process is given the
    /// request itself.
    ///
    /// # Errors
    /// It cannot be written.
    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        let mut body = Vec::with_capacity(BODY);
        let written = serde_json::to_writer(&mut body, request);
        written.map(|()| body).map_err(|error| ModelFailure::Refused { detail: error.to_string() })
    }

    /// Asks once with this body, without retries of its own. Dropping the future cancels the request.
    async fn ask(&self, request: &ModelRequest, body: &[u8]) -> Result<ModelReply, ModelFailure>;
}

/// The configured models, as far as a decision looks at them: pure, without asking.
pub trait Models: Send + Sync + std::fmt::Debug {
    /// Where the model of this configured name is asked.
    ///
    /// # Errors
    /// There is none.
    fn origin(&self, name: &str) -> Result<ModelOrigin, ModelFailure>;

    /// The configured models that may be asked in the place of this one, the best first.
    fn fallbacks(&self, _name: &str) -> &[String] {
        &[]
    }

    /// Whether the server of the model of this configured name is known to be away: a question to it would fail at once.
    fn is_away(&self, _name: &str) -> bool {
        false
    }

    /// Whether the model of this configured name reads the case behind the briefing.
    fn reads_case(&self, _name: &str) -> bool {
        true
    }

    /// The exact bytes of a request's body.
    ///
    /// # Errors
    /// No model has this name, or the request cannot be written.
    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure>;
}
