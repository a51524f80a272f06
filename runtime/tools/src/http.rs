//! One HTTP client for all tools, with bounded bodies.

use std::path::Path;
use std::time::Duration;

use provost_domain::failure::FailureKind;
use provost_domain::tool::{Happened, ToolOutcome};
use provost_http::{HttpError, TRUST_IT, distrusted};
use reqwest::{Client, RequestBuilder, Response, StatusCode, Url, header};
use secrecy::SecretString;
use serde_json::Value;

use crate::error::ToolsError;
use crate::spec::failed;
use crate::status::{StatusRules, StatusWord};

/// Most bytes read of an answer that is shown as it came; what is longer is cut there.
pub(crate) const TEXT_MAX: usize = 1024 * 1024;
/// Most bytes read of an answer that is read item by item: tens of thousands of series or alerts.
pub(crate) const LIST_MAX: usize = 16 * 1024 * 1024;

/// The body of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyBody {
    /// What was read; bytes that are not UTF-8 are U+FFFD.
    pub(crate) text: String,
    /// Whether the answer went on: what was read is its beginning.
    pub(crate) cut: bool,
    /// Its size in bytes, as far as it is known.
    pub(crate) bytes: u64,
    /// The kind of content that its server names; empty where it names none.
    pub(crate) content_type: String,
}

pub(crate) fn client() -> Result<Client, HttpError> {
    client_for(None, None)
}

/// The client of a server with authorities of its own, or one that knows its callers by a certificate and its key.
pub(crate) fn client_for(
    authorities: Option<&Path>,
    identity: Option<(&Path, &SecretString)>,
) -> Result<Client, HttpError> {
    // How long an answer may take is the engine's business: it knows when this process itself stood still.
    Ok(provost_http::client_with(authorities, identity)?.connect_timeout(Duration::from_secs(3)).build()?)
}

/// A server's configured base address.
pub(crate) fn base(endpoint: &str, tool: &'static str) -> Result<Url, ToolsError> {
    // A path without a slash at its end would lose its last part when something is put under it.
    let url = Url::parse(&format!("{}/", endpoint.trim().trim_end_matches('/')));
    let wrong = |detail: String| ToolsError::Address { tool, detail };
    let url = url.map_err(|error| wrong(error.to_string()))?;
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(wrong(format!("the scheme is `{other}`"))),
    }
}

/// A path under a base address, with parameters.
pub(crate) fn under(base: &Url, path: &str, parameters: &[(&str, &str)]) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path()));
    url.query_pairs_mut().clear().extend_pairs(parameters);
    url
}

/// Reads at most `most` bytes: a failed read never happened.
pub(crate) async fn get_text(request: RequestBuilder, most: usize) -> Result<ReplyBody, ToolOutcome> {
    let response = request.send().await.map_err(|error| read_failed(&error))?;
    let (status, elsewhere) = (response.status(), elsewhere(&response));
    let body = body(response, most).await.map_err(|error| read_failed(&error))?;
    if status.is_success() {
        return Ok(body);
    }
    Err(failed(Happened::No, kind_of(status), format!("HTTP {status}{elsewhere}: {}", start(&body.text))))
}

/// The answer to a question, whatever its status says. An error says why there is none.
pub(crate) async fn any_answer(request: RequestBuilder) -> Result<(StatusCode, ReplyBody), String> {
    let response = request.send().await.map_err(|error| describe(&error).1)?;
    let status = response.status();
    Ok((status, body(response, TEXT_MAX).await.map_err(|error| describe(&error).1)?))
}

/// Where a redirection leads, in words. None is followed.
fn elsewhere(response: &Response) -> String {
    let location = response.headers().get(header::LOCATION).and_then(|value| value.to_str().ok());
    let named = location.filter(|_| response.status().is_redirection());
    named.map(|location| format!(" to {}, which is not followed", start(location))).unwrap_or_default()
}

pub(crate) fn read_failed(error: &reqwest::Error) -> ToolOutcome {
    let (kind, detail) = describe(error);
    failed(Happened::No, kind, detail)
}

/// A write that failed.
#[derive(Debug)]
pub(crate) struct PostFailure {
    pub(crate) happened: Happened,
    pub(crate) kind: FailureKind,
    pub(crate) detail: String,
    /// How long the server asked to wait.
    pub(crate) retry_after: Option<Duration>,
}

impl PostFailure {
    pub(crate) fn of(happened: Happened, kind: FailureKind, detail: String) -> Self {
        Self { happened, kind, detail, retry_after: None }
    }
}

impl From<PostFailure> for ToolOutcome {
    fn from(failure: PostFailure) -> Self {
        failed(failure.happened, failure.kind, failure.detail)
    }
}

/// Writes: answers whether the effect may have happened.
pub(crate) async fn post(request: RequestBuilder, rules: &StatusRules) -> Result<Value, ToolOutcome> {
    try_post(request, rules).await.map_err(ToolOutcome::from)
}

/// Writes, for who may try again.
pub(crate) async fn try_post(request: RequestBuilder, rules: &StatusRules) -> Result<Value, PostFailure> {
    let (_, body) = try_exchange(request, rules).await?;
    Ok(serde_json::from_str(&body.text).unwrap_or(Value::String(body.text)))
}

/// The answer of a server, if its status says that it is one.
pub(crate) async fn try_exchange(
    request: RequestBuilder,
    rules: &StatusRules,
) -> Result<(StatusCode, ReplyBody), PostFailure> {
    let response = request.send().await.map_err(|error| {
        let happened = if error.is_connect() || error.is_builder() { Happened::No } else { Happened::Maybe };
        let (kind, detail) = describe(&error);
        PostFailure::of(happened, kind, detail)
    })?;
    let (status, elsewhere) = (response.status(), elsewhere(&response));
    let retry_after = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok());
    let word = rules.word(status.as_u16());
    let body = match (body(response, TEXT_MAX).await, word) {
        (Ok(body), StatusWord::Answered) => return Ok((status, body)),
        (Ok(body), StatusWord::Refused | StatusWord::Unknown) => body.text,
        // The status alone says that it was refused.
        (Err(error), StatusWord::Refused) => describe(&error).1,
        (Err(error), StatusWord::Answered | StatusWord::Unknown) => {
            return Err(PostFailure::of(Happened::Maybe, FailureKind::Unknown, describe(&error).1));
        }
    };
    let happened = match word {
        StatusWord::Refused => Happened::No,
        StatusWord::Answered | StatusWord::Unknown => Happened::Maybe,
    };
    let failure = PostFailure::of(happened, kind_of(status), format!("HTTP {status}{elsewhere}: {}", start(&body)));
    Err(PostFailure { retry_after: retry_after.map(Duration::from_secs), ..failure })
}

pub(crate) fn kind_of(status: StatusCode) -> FailureKind {
    let later = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT].contains(&status);
    if status.is_server_error() || later { FailureKind::Transient } else { FailureKind::Permanent }
}

/// What broke an exchange, and whether it may work another time; without the address, which may hold credentials.
pub(crate) fn describe(error: &reqwest::Error) -> (FailureKind, String) {
    if let Some(detail) = distrusted(error, TRUST_IT) {
        return (FailureKind::Permanent, detail);
    }
    let what = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "could not connect"
    } else {
        "the exchange broke off"
    };
    let mut source = std::error::Error::source(error);
    let mut cause = String::new();
    while let Some(inner) = source {
        cause = inner.to_string();
        source = inner.source();
    }
    (FailureKind::Transient, format!("{what}: {cause}"))
}

/// Reads a body up to `most` bytes.
pub(crate) async fn body(mut response: Response, most: usize) -> Result<ReplyBody, reqwest::Error> {
    let announced = response.content_length();
    let named = response.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let content_type = named.unwrap_or_default().to_ascii_lowercase();
    let mut bytes = Vec::new();
    let mut cut = false;
    while let Some(chunk) = response.chunk().await? {
        bytes.extend_from_slice(&chunk);
        if bytes.len() > most {
            bytes.truncate(most);
            cut = true;
            break;
        }
    }
    let size = announced.filter(|_| cut).unwrap_or(bytes.len() as u64);
    Ok(ReplyBody { text: String::from_utf8_lossy(&bytes).into_owned(), cut, bytes: size, content_type })
}

/// The beginning of a text, for errors.
pub(crate) fn start(text: &str) -> String {
    text.chars().take(300).collect()
}
