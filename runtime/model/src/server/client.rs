//! The HTTP client of one model server.

use provost_domain::failure::ModelFailure;
use provost_domain::lenient::{self, NonFinite};
use provost_domain::model::ModelOrigin;
use provost_http::{client, is_in_the_clear};
use reqwest::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue,
};
use reqwest::{Client, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;

use super::body::{self, BadBody};
use super::failure::FailureWords;
use super::settings::ModelServer;

/// Most bytes read of one response: far above the longest reply that is kept, and the most a broken server can cost.
pub(crate) const RESPONSE_MAX: usize = 4 * 1024 * 1024;

/// What a protocol says about its requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint {
    /// The path behind the server's address.
    pub(crate) path: &'static str,
    /// The header of the key; without one it is a bearer token.
    pub(crate) key: Option<&'static str>,
    /// Headers of each request.
    pub(crate) headers: &'static [(&'static str, &'static str)],
}

/// The client of one server, for one path.
#[derive(Debug)]
pub(crate) struct ServerClient {
    client: Client,
    url: Url,
    settings: ModelServer,
}

/// An answer that came whole, whatever it says.
#[derive(Debug)]
pub(crate) struct ServerAnswer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

impl ServerAnswer {
    /// How it says it is packed.
    pub(crate) fn encoding(&self) -> Option<&str> {
        self.headers.get(CONTENT_ENCODING).and_then(|value| value.to_str().ok())
    }

    /// The body of a success as JSON.
    pub(crate) fn json(&self, words: &FailureWords<'_>) -> Result<Value, ModelFailure> {
        let read = body::text(&self.body, self.encoding(), RESPONSE_MAX)
            .and_then(|text| lenient::json(&text, NonFinite::Null).ok_or(BadBody::Unreadable(text)));
        read.map_err(|bad| words.unreadable(bad, self.encoding(), RESPONSE_MAX))
    }
}

impl ServerClient {
    /// A client for these settings. Asks nothing yet.
    ///
    /// # Errors
    /// [`ModelFailure::LlmConfig`], saying what to change.
    pub(crate) fn new(settings: ModelServer, endpoint: Endpoint) -> Result<Self, ModelFailure> {
        let config = |detail: String| ModelFailure::LlmConfig { detail };
        if settings.model.trim().is_empty() {
            return Err(config("`model` is empty; write the model's name on that server".to_owned()));
        }
        if settings.connect_timeout.is_zero() || settings.request_timeout.is_zero() {
            return Err(config("a timeout is zero; write a longer one, for example `60s`".to_owned()));
        }
        let url = address(&settings.base_url, endpoint.path).map_err(config)?;
        if settings.api_key.is_some() && is_in_the_clear(&url) {
            return Err(config("`api_key` would cross the network in the clear; use https".to_owned()));
        }
        let headers = headers(&settings, endpoint).map_err(config)?;
        let client = client(settings.ca_file.as_deref())
            .map_err(|error| config(error.to_string()))?
            .default_headers(headers)
            .connect_timeout(settings.connect_timeout)
            // Between two reads: a reply that keeps arriving goes on, up to its bound in bytes.
            .read_timeout(settings.request_timeout)
            .build()
            .map_err(|error| config(format!("the HTTP client does not start: {error}")))?;
        Ok(Self { client, url, settings })
    }

    /// How the server is reached.
    pub(crate) fn settings(&self) -> &ModelServer {
        &self.settings
    }

    /// Where the model is asked.
    pub(crate) fn origin(&self) -> ModelOrigin {
        let server = self.settings.base_url.trim().trim_end_matches('/').to_owned();
        ModelOrigin { server, model: self.settings.model.clone() }
    }

    /// Speaks about the server's failures.
    pub(crate) fn words(&self) -> FailureWords<'_> {
        FailureWords { settings: &self.settings }
    }

    /// Sends a body once, and reads the whole answer, unless it is too long.
    pub(crate) async fn post(&self, body: Vec<u8>) -> Result<ServerAnswer, ModelFailure> {
        let request = self.client.post(self.url.clone()).header(CONTENT_TYPE, "application/json");
        let sent = request.body(body).send().await;
        let response = sent.map_err(|error| self.words().broken(&error))?;
        let (status, headers) = (response.status(), response.headers().clone());
        Ok(ServerAnswer { status, headers, body: self.answer(response).await? })
    }

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
fn address(base: &str, path: &str) -> Result<Url, String> {
    if base.trim().is_empty() {
        return Err("`base_url` is empty; write the server's address, such as `http://127.0.0.1:8000/v1`".to_owned());
    }
    let url = Url::parse(&format!("{}/{path}", base.trim().trim_end_matches('/'))).map_err(|error| {
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

/// The headers of each request: the protocol's, those of the configuration, and the key.
fn headers(settings: &ModelServer, endpoint: Endpoint) -> Result<HeaderMap, String> {
    let mut headers = HeaderMap::new();
    for (name, value) in endpoint.headers {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    for (name, value) in &settings.headers {
        let own = HeaderName::from_bytes(name.as_bytes())
            .map_err(|_not_a_name| format!("`{name}` is not a header's name"))?;
        let value = secret(value).ok_or_else(|| format!("the value of `{name}` cannot be sent in a header"))?;
        headers.insert(own, value);
    }
    // What packs all the same is unpacked.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if let Some(key) = &settings.api_key {
        let (name, text) = match endpoint.key {
            Some(name) => (HeaderName::from_static(name), key.clone()),
            None => (AUTHORIZATION, SecretString::from(format!("Bearer {}", key.expose_secret()))),
        };
        headers.insert(name, secret(&text).ok_or("the key cannot be sent in a header")?);
    }
    Ok(headers)
}

/// A header's value that no log shows.
fn secret(text: &SecretString) -> Option<HeaderValue> {
    let mut value = HeaderValue::from_str(text.expose_secret()).ok()?;
    value.set_sensitive(true);
    Some(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::failure::tests::settings;

    const ENDPOINT: Endpoint = Endpoint { path: "chat/completions", key: None, headers: &[] };

    #[track_caller]
    fn check(base: &str, expect: Result<&str, &str>) {
        match (address(base, ENDPOINT.path), expect) {
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
            let base = settings();
            let api_key = api_key.map(SecretString::from);
            ServerClient::new(ModelServer { base_url: base_url.to_owned(), api_key, ..base }, ENDPOINT)
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
