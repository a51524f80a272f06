//! What receivers behind HTTP have in common.

use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolCall};
use provost_http::is_in_the_clear;
use reqwest::{Client, RequestBuilder, Url, header};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::receiver::BadReceiver;
use crate::http::{self, PostFailure};
use crate::status::StatusRules;

/// How long one attempt may take: several have a place in a call.
const ATTEMPT: Duration = Duration::from_secs(5);

/// The address of a receiver.
pub(super) fn address(text: &str) -> Result<Url, BadReceiver> {
    let url = Url::parse(text).map_err(|error| BadReceiver::Settings(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(BadReceiver::Settings(format!("the scheme is `{other}`"))),
    }
}

/// The address of a receiver that is sent a secret.
pub(super) fn secret_address(text: &str, secret: &str) -> Result<Url, BadReceiver> {
    let url = address(text)?;
    if is_in_the_clear(&url) {
        return Err(BadReceiver::Settings(format!("{secret} would cross the network in the clear; use https")));
    }
    Ok(url)
}

/// A request with JSON, under a key.
pub(super) fn request(client: &Client, url: &Url, key: &str, body: Vec<u8>) -> RequestBuilder {
    let request = client.post(url.clone()).timeout(ATTEMPT).header("Idempotency-Key", key);
    request.header(header::CONTENT_TYPE, "application/json").body(body)
}

/// Nobody can be reached without an address, which stands among the secrets.
pub(super) fn no_address() -> PostFailure {
    let detail = "its address is empty; write it where the configuration says".to_owned();
    PostFailure::of(Happened::No, FailureKind::Permanent, detail)
}

/// Sends a request, and says whether it was taken.
pub(super) async fn send(request: RequestBuilder) -> Result<Value, PostFailure> {
    http::try_post(request, &StatusRules::default()).await
}

/// A webhook whose address is the secret.
#[derive(Debug)]
pub(super) struct SecretHook {
    /// `None` where no secrets are read.
    url: Option<Url>,
    secret: SecretString,
}

impl SecretHook {
    /// The webhook at the address that the secret is.
    pub(super) fn new(secret: SecretString) -> Result<Self, BadReceiver> {
        let text = secret.expose_secret().trim();
        let url = if text.is_empty() { None } else { Some(secret_address(text, "the webhook's address")?) };
        Ok(Self { url, secret })
    }

    /// Sends the message of a call, under the call's key.
    pub(super) async fn post(&self, client: &Client, call: &ToolCall, message: &Value) -> Result<Value, PostFailure> {
        let Some(url) = &self.url else { return Err(no_address()) };
        send(request(client, url, &call.key, message.to_string().into_bytes())).await
    }

    /// What must stand in no log.
    pub(super) fn secret(&self) -> &SecretString {
        &self.secret
    }
}
