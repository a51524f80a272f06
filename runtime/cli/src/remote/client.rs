//! Requests to a daemon.

use std::time::Duration;

use anyhow::{Context as _, Result, anyhow, bail};
use provost_domain::access::Secret;
use provost_domain::ids::{Seq, SessionId};
use provost_domain::log::AppendRecord;
use provost_face::{Page, RecordView, SessionView};
use provost_http::{TRUST_IT, distrusted, is_in_the_clear};
use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderValue};
use reqwest::{Client, Method, Response, StatusCode, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

/// How long connecting may take: the daemon is near.
const CONNECT_MAX: Duration = Duration::from_secs(5);
/// How long an answer may take: longer than the daemon gives itself.
const ANSWER_MAX: Duration = Duration::from_secs(40);

/// Why an answer could not be read as a view.
const OTHER_FORM: &str = "the daemon's answer has another form; is it of another version?";

/// A daemon, asked as the holder of a token.
#[derive(Debug)]
pub(crate) struct Remote {
    url: Url,
    client: Client,
}

impl Remote {
    /// The daemon at `server`. Asks nothing yet.
    pub(crate) fn new(server: &str, secret: &Secret) -> Result<Self> {
        let url =
            Url::parse(server).with_context(|| format!("`{server}` is not an address; write http://127.0.0.1:7878"))?;
        if !matches!(url.scheme(), "http" | "https") {
            bail!("{server} has the scheme `{}`; write https", url.scheme());
        }
        if is_in_the_clear(&url) {
            bail!("the token would cross the network in the clear; reach {server} by https or a tunnel");
        }
        let mut value = HeaderValue::from_str(&format!("Bearer {}", secret.reveal())).context("the token")?;
        value.set_sensitive(true);
        let client = provost_http::client(None)?
            .default_headers(HeaderMap::from_iter([(AUTHORIZATION, value)]))
            .connect_timeout(CONNECT_MAX)
            .build()?;
        Ok(Self { url, client })
    }

    fn at(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url> {
        let mut url = self.url.clone();
        let mut segments = url.path_segments_mut().map_err(|()| anyhow!("{} takes no path", self.url))?;
        segments.pop_if_empty().push("v1").extend(path);
        drop(segments);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn unreachable(&self, error: reqwest::Error) -> anyhow::Error {
        match distrusted(&error, TRUST_IT) {
            Some(detail) => anyhow!("asking the daemon at {}: {detail}", self.url),
            None => anyhow!(error.without_url()).context(format!("asking the daemon at {}; is it running?", self.url)),
        }
    }

    async fn good(&self, sent: reqwest::Result<Response>) -> Result<Response> {
        let response = sent.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let problem: Value = response.json().await.unwrap_or_default();
        match problem.get("detail").and_then(Value::as_str) {
            Some(detail) => bail!("{detail}"),
            None => bail!("{} answered {status}; is it a Provost daemon?", self.url),
        }
    }

    /// Asks under `/v1`. A refusal is an error with the daemon's own words; `Null` is an answer without a body.
    pub(crate) async fn ask(&self, method: Method, path: &[&str], body: Option<&Value>) -> Result<(StatusCode, Value)> {
        let request = self.client.request(method, self.at(path, &[])?).timeout(ANSWER_MAX);
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        let response = self.good(request.send().await).await?;
        let status = response.status();
        let text = response.text().await.context("the daemon's answer broke off")?;
        let value = if text.is_empty() { Ok(Value::Null) } else { serde_json::from_str(&text) };
        Ok((status, value.context("the daemon's answer is not JSON")?))
    }

    /// Reads a view under `/v1`.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &[&str]) -> Result<T> {
        let (_, value) = self.ask(Method::GET, path, None).await?;
        serde_json::from_value(value).context(OTHER_FORM)
    }

    /// Reads a view under `/v1` with a query.
    pub(crate) async fn look<T: DeserializeOwned>(
        &self,
        path: &[&str],
        query: impl IntoIterator<Item = (&str, String)>,
    ) -> Result<T> {
        let query: Vec<(&str, String)> = query.into_iter().collect();
        let query: Vec<(&str, &str)> = query.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let request = self.client.get(self.at(path, &query)?).timeout(ANSWER_MAX);
        self.good(request.send().await).await?.json().await.context(OTHER_FORM)
    }

    /// Has something done under `/v1`, which is answered with a view.
    pub(crate) async fn post<T: DeserializeOwned>(&self, path: &[&str], body: Option<&Value>) -> Result<T> {
        let (_, value) = self.ask(Method::POST, path, body).await?;
        serde_json::from_value(value).context(OTHER_FORM)
    }

    /// The ids of all sessions with a status, newest first.
    pub(crate) async fn sessions(&self, status: &str) -> Result<Vec<String>> {
        let mut ids = Vec::new();
        let mut before: Option<String> = None;
        loop {
            let query = [Some(("status", status)), before.as_deref().map(|before| ("page_token", before))];
            let url = self.at(&["sessions"], &query.into_iter().flatten().collect::<Vec<_>>())?;
            let request = self.client.get(url).timeout(ANSWER_MAX);
            let page: Page<SessionView> = self.good(request.send().await).await?.json().await?;
            ids.extend(page.items.into_iter().map(|item| item.session));
            let Some(next) = page.next_page_token else { return Ok(ids) };
            before = Some(next);
        }
    }

    /// The next sealed records after a position.
    pub(crate) async fn records(&self, session: SessionId, after: Seq) -> Result<Vec<AppendRecord>> {
        let path = ["sessions", &session.to_string(), "records"];
        let request = self.client.get(self.at(&path, &[("after", &after.to_string())])?).timeout(ANSWER_MAX);
        let page: Page<RecordView> = self.good(request.send().await).await?.json().await?;
        Ok(page.items.into_iter().map(AppendRecord::from).collect())
    }

    /// A session's events after a position, as they come.
    pub(crate) async fn events(&self, session: SessionId, after: Seq) -> Result<Response> {
        let path = ["sessions", &session.to_string(), "events"];
        let request = self.client.get(self.at(&path, &[("after", &after.to_string())])?);
        self.good(request.header(ACCEPT, "text/event-stream").send().await).await
    }
}
