//! The seam to language models.

use async_trait::async_trait;

use crate::failure::ModelFailure;
use crate::model::{ModelReply, ModelRequest};

/// One configured model. Asking has no effect on the world, so a question without an answer is asked again.
#[async_trait]
pub trait ModelProvider: Send + Sync + std::fmt::Debug {
    /// Asks once, without retries of its own. Dropping the future cancels the request.
    async fn ask(&self, request: &ModelRequest) -> Result<ModelReply, ModelFailure>;
}
