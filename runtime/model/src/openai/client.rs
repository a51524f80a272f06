//! The client of one server.

use std::fmt;

use async_trait::async_trait;
use provost_domain::failure::ModelFailure;
use provost_domain::model::{ModelOrigin, ModelReply, ModelRequest};
use provost_domain::port::ModelProvider;
use provost_http::{client, is_in_the_clear};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Client, Response, Url};
use secrecy::ExposeSecret as _;

use super::demands::LearnedDemands;
use super::failure::FailureWords;
use super::request::Demands;
use super::settings::{ChatOptions, OpenAiSettings};
use super::{reply, request};

/// Most bytes read of one response: far above the longest reply that is kept, and the most a broken server can cost.
const RESPONSE_MAX: usize = 4 * 1024 * 1024;

/// A model on a server that speaks the protocol.
pub struct OpenAiProvider {
    client: Client,
    url: Url,
    settings: OpenAiSettings,
    demands: LearnedDemands,
}

impl fmt::Debug for OpenAiProvider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiProvider").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl OpenAiProvider {
    /// A provider for these settings. Asks nothing yet.
    ///
    /// # Errors
    /// [`ModelFailure::LlmConfig`], saying what to change.
    pub fn new(settings: OpenAiSettings) -> Result<Self, ModelFailure> {
        let config = |detail: String| ModelFailure::LlmConfig { detail };
        if settings.model.trim().is_empty() {
            return Err(config("`model` is empty; write the model's name on that server".to_owned()));
        }
        if settings.connect_timeout.is_zero() || settings.request_timeout.is_zero() {
            return Err(config("a timeout is zero; write one such as `60s`".to_owned()));
        }
        let url = endpoint(&settings.base_url).map_err(config)?;
        if settings.api_key.is_some() && is_in_the_clear(&url) {
            return Err(config("`api_key` would cross the network in the clear; use https".to_owned()));
        }
        let mut headers = more_headers(&settings.options).map_err(config)?;
        // What packs all the same is unpacked.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(key) = &settings.api_key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose_secret()))
                .map_err(|_holds_the_key| config("the key cannot be sent in a header".to_owned()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let client = client(settings.ca_file.as_deref())
            .map_err(|error| config(error.to_string()))?
            .default_headers(headers)
            .connect_timeout(settings.connect_timeout)
            // Between two reads: a reply that keeps arriving goes on, up to its bound in bytes.
            .read_timeout(settings.request_timeout)
            .build()
            .map_err(|error| config(format!("the HTTP client does not start: {error}")))?;
        Ok(Self { client, url, settings, demands: LearnedDemands::default() })
    }

    fn words(&self) -> FailureWords<'_> {
        FailureWords { settings: &self.settings }
    }

    /// The whole body, unless it is too long.
    async fn answer(&self, mut response: Response) -> Result<Vec<u8>, ModelFailure> {
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.words().broken(&error))? {
            if bytes.len() + chunk.len() > RESPONSE_MAX {
                let detail = format!("the answer is longer than {RESPONSE_MAX} bytes");
                return Err(ModelFailure::Malformed { detail });
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}

/// The address questions are sent to.
fn endpoint(base: &str) -> Result<Url, String> {
    if base.trim().is_empty() {
        return Err("`base_url` is empty; write the server's address, such as `http://127.0.0.1:8000/v1`".to_owned());
    }
    let url = Url::parse(&format!("{}/chat/completions", base.trim().trim_end_matches('/'))).map_err(|error| {
        format!("`base_url` is not an address ({error}); write one such as `http://127.0.0.1:8000/v1`")
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("`base_url` holds a password; give it as `api_key`".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("`base_url` has a `?` or `#`; write it without".to_owned());
    }
    match url.scheme() {
        "http" | "https" => Ok(url),
        other => Err(format!("`base_url` has the scheme `{other}`; write `https`")),
    }
}

/// The headers of the configuration.
fn more_headers(options: &ChatOptions) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in &options.headers {
        let own = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_not_a_name| format!("`{name}` is not a header's name"))?;
        let mut value = HeaderValue::from_str(value.expose_secret())
            .map_err(|_holds_the_value| format!("the value of `{name}` cannot be sent in a header"))?;
        value.set_sensitive(true);
        headers.insert(own, value);
    }
    Ok(headers)
}

#[async_trait]
impl ModelProvider for OpenAiProvider {
    fn origin(&self, _name: &str) -> ModelOrigin {
        let server = self.settings.base_url.trim().trim_end_matches('/').to_owned();
        ModelOrigin { server, model: self.settings.model.clone() }
    }

    fn reads_case(&self) -> bool {
        false
    }

    fn body(&self, request: &ModelRequest) -> Result<Vec<u8>, ModelFailure> {
        let OpenAiSettings { model, options, .. } = &self.settings;
        let unwritable = |detail: String| ModelFailure::Refused { detail };
        request::body(request, model, options, self.demands.known())
            .map_err(|error| unwritable(format!("the request cannot be written: {error}")))
    }

    async fn ask(&self, request: &ModelRequest, body: &[u8]) -> Result<ModelReply, ModelFailure> {
        // What the server demanded since the question was written goes before its exact bytes: those it would refuse again.
        let body = if self.demands.known() == Demands::default() { body.to_vec() } else { self.body(request)? };
        let asked = body.len();
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let sent = request.body(body).send().await;
        let response = sent.map_err(|error| self.words().broken(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        let body = self.answer(response).await?;
        if status.is_success() {
            let encoding = headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok());
            return reply::read(&body, (encoding, RESPONSE_MAX, asked), &self.words());
        }
        let refusal = String::from_utf8_lossy(&body);
        let speaks = matches!(status.as_u16(), 400 | 422 | 500);
        match speaks.then(|| self.demands.learn(&refusal)).flatten() {
            Some(change) => {
                let detail = format!("HTTP {status}: {}; {change}", self.words().safe(&refusal));
                Err(ModelFailure::Unavailable { detail })
            }
            None => Err(self.words().refused(status, &headers, &body)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(base: &str, expect: Result<&str, &str>) {
        match (endpoint(base), expect) {
            (Ok(url), Ok(expect)) => assert_eq!(url.as_str(), expect),
            (Err(problem), Err(part)) => assert!(problem.contains(part), "{problem}"),
            (found, expect) => panic!("{found:?}, expected {expect:?}"),
        }
    }

    #[test]
    fn only_a_named_server_is_asked() {
        check("http://localhost:1/v1/", Ok("http://localhost:1/v1/chat/completions"));
        check("", Err("is empty"));
        check("localhost/v1", Err("is not an address"));
        check("ftp://localhost/v1", Err("the scheme `ftp`"));
        check("http://me:hunter2@localhost/v1", Err("holds a password"));
        check("http://localhost/v1?key=1", Err("without"));
        check("https://model.example/v1", Ok("https://model.example/v1/chat/completions"));
    }

    #[test]
    fn a_key_does_not_leave_the_machine_in_the_clear() {
        let with = |base_url: &str, api_key: Option<&str>| {
            let base = crate::openai::failure::tests::settings();
            let api_key = api_key.map(secrecy::SecretString::from);
            OpenAiProvider::new(OpenAiSettings { base_url: base_url.to_owned(), api_key, ..base })
        };
        for base_url in ["http://localhost:1/v1", "http://127.0.0.2/v1", "http://[::1]/v1", "https://model.example/v1"]
        {
            assert!(with(base_url, Some("sk-hush")).is_ok(), "{base_url}");
        }
        for base_url in ["http://model.example/v1", "http://10.0.0.1/v1", "http://localhost.example/v1"] {
            let refused = with(base_url, Some("sk-hush"));
            assert!(
                matches!(&refused, Err(ModelFailure::LlmConfig { detail }) if detail.contains("in the clear")),
                "{refused:?}"
            );
            assert!(with(base_url, None).is_ok(), "{base_url}");
        }
    }
}
