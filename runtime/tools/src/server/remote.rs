//! A server that is reached over HTTP: its address, and what every request to it carries.

use std::path::PathBuf;
use std::time::Duration;

use provost_form::{At, ErrorLog, FromYaml, SecretPlace, Table, YamlNode, table};
use provost_http::is_in_the_clear;
use reqwest::header::{AUTHORIZATION, COOKIE, HeaderMap, HeaderName, HeaderValue, PROXY_AUTHORIZATION};
use reqwest::{Client, Method, RequestBuilder, StatusCode, Url};
use secrecy::SecretString;

use super::auth::AuthSection;
use super::finding::ServerFinding;
use super::open::OpenServer;
use crate::error::ToolsError;
use crate::http;

/// How long a server may take to show that it is there.
const REACHED: Duration = Duration::from_secs(10);

/// The address of a server, checked as it is read.
#[derive(Debug)]
pub(crate) struct ServerUrl(Option<Url>);

impl ServerUrl {
    /// The address; nothing where it could not be read.
    pub(crate) fn get(&self) -> Option<&Url> {
        self.0.as_ref()
    }
}

impl FromYaml for ServerUrl {
    /// No message shows the address: it may hold a password.
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        const HINT: &str = "write one such as `http://127.0.0.1:9090`";
        let text = String::read(node, log)?;
        let url =
            Url::parse(text.trim()).map_err(|error| log.report(node.place, format!("not an address: {error}"), HINT));
        let url = url.ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            log.report(node.place, "the address is neither http nor https", HINT);
            return None;
        }
        if !url.username().is_empty() || url.password().is_some() {
            let hint = "write `auth: {basic: {user: NAME, password: {credential: ID}}}`";
            log.report(node.place, "the address holds a user's name or a password", hint);
            return None;
        }
        if url.fragment().is_some() {
            log.report(node.place, "the address has a part after `#`, which is never sent", "remove it");
            return None;
        }
        Some(Self(Some(url)))
    }

    fn blank() -> Self {
        Self(None)
    }
}

table! {
    /// How the server is known, and how it knows us.
    #[derive(Debug)]
    struct TlsSection {
        /// A PEM file with the authority of the server's certificate.
        ca: Option<PathBuf> = None,
        /// A PEM file with the certificate by which the server knows us.
        cert: Option<PathBuf> = None,
        /// Where the key of that certificate is.
        key: Option<SecretPlace> = None,
    }
}

/// The keys of a server that is reached over HTTP.
#[derive(Debug)]
pub(crate) struct RemoteSection {
    url: ServerUrl,
    auth: Option<AuthSection>,
    headers: HeaderMap,
    tls: Option<TlsSection>,
}

/// Headers that hold secrets, or that the client itself writes.
const NOT_WRITTEN: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];
const OF_THE_CLIENT: [&str; 4] = ["host", "content-length", "transfer-encoding", "connection"];

impl RemoteSection {
    pub(crate) const KEYS: &'static [&'static str] = &["url", "auth", "headers", "tls"];

    pub(crate) fn read(table: &Table<'_>, log: &mut ErrorLog) -> Self {
        let url: At<ServerUrl> = table.required("url", log);
        let auth: Option<AuthSection> = table.optional("auth", log);
        let tls: Option<At<TlsSection>> = table.optional("tls", log);
        if let Some(At { value: TlsSection { cert, key, .. }, place }) = &tls
            && cert.is_some() != key.is_some()
        {
            log.report(*place, "`cert` and `key` belong together", "write both, or neither");
        }
        let clear = url.value.0.as_ref().is_some_and(is_in_the_clear);
        if clear && auth.is_some() {
            let hint = "use https; http is for this machine only";
            log.report(url.place, "the secret under `auth` would cross the network in the clear", hint);
        }
        let headers = table.get("headers").map(|node| headers(node, log)).unwrap_or_default();
        Self { url: url.value, auth, headers, tls: tls.map(|tls| tls.value) }
    }

    /// Refuses an address with parameters: requests write their own.
    pub(crate) fn without_parameters(self, table: &Table<'_>, log: &mut ErrorLog) -> Self {
        if self.url.0.as_ref().is_some_and(|url| url.query().is_some()) {
            let place = table.get("url").map(|node| node.place).unwrap_or_default();
            log.report(place, "the address has parameters, which requests would lose", "remove what follows the `?`");
        }
        self
    }

    pub(crate) fn secrets(&self) -> Vec<&SecretPlace> {
        let key = self.tls.as_ref().and_then(|tls| tls.key.as_ref());
        self.auth.iter().map(AuthSection::place).chain(key).collect()
    }

    /// The other forms in which its secrets cross the network.
    pub(super) fn derived(&self, server: &OpenServer<'_>) -> Option<SecretString> {
        let auth = self.auth.as_ref()?;
        auth.derived(server.secret(auth.place())?)
    }
}

/// Whether a header holds secrets, or is written by the client itself.
pub(crate) fn is_for_auth_or_client(name: &HeaderName) -> bool {
    NOT_WRITTEN.contains(name) || OF_THE_CLIENT.contains(&name.as_str())
}

fn headers(node: &YamlNode, log: &mut ErrorLog) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if !node.is_table() {
        log.expected("a table of headers", node, "write {X-Scope-OrgID: ops}");
    }
    for (name, value) in node.entries() {
        let Some(text) = String::read(value, log) else { continue };
        let Ok(parsed) = HeaderName::from_bytes(name.as_bytes()) else {
            log.report(name.place, "not the name of a header", "write one such as `X-Scope-OrgID`");
            continue;
        };
        if NOT_WRITTEN.contains(&parsed) {
            log.report(name.place, format!("`{}` holds a secret", name.value), "write it under `auth`, by its place");
        } else if OF_THE_CLIENT.contains(&parsed.as_str()) {
            log.report(name.place, format!("`{}` is written by the client itself", name.value), "remove it");
        } else if let Ok(mut value) = HeaderValue::from_str(&text) {
            // It may come from the environment.
            value.set_sensitive(true);
            headers.insert(parsed, value);
        } else {
            log.report(value.place, "the value cannot stand in a header", "write visible ASCII characters on one line");
        }
    }
    headers
}

/// A server with all that requests to it carry.
#[derive(Debug, Clone)]
pub(crate) struct RemoteServer {
    client: Client,
    base: Url,
    /// Its secrets are marked as sensitive and never printed.
    headers: HeaderMap,
}

impl RemoteServer {
    /// A server of a section without authentication, of today's presets.
    pub(crate) fn plain(client: Client, endpoint: &str, tool: &'static str) -> Result<Self, ToolsError> {
        Ok(Self { client, base: http::base(endpoint, tool)?, headers: HeaderMap::new() })
    }

    pub(crate) fn open(section: &RemoteSection, server: &OpenServer<'_>) -> Result<Self, ToolsError> {
        let wrong = |detail: &str| server.wrong(detail);
        let base = section.url.0.clone().ok_or_else(|| wrong("it has no address; write `url:`"))?;
        let mut headers = section.headers.clone();
        if let Some(auth) = &section.auth
            && let Some(secret) = server.secret(auth.place())
        {
            let header = auth.header(secret);
            let (name, value) = header.ok_or_else(|| wrong("the secret under `auth` cannot stand in a header"))?;
            headers.insert(name, value);
        }
        Ok(Self { client: client(section.tls.as_ref(), server)?, base, headers })
    }

    /// A path under the address, with parameters.
    pub(crate) fn get(&self, path: &str, parameters: &[(&str, &str)]) -> RequestBuilder {
        self.request(Method::GET, http::under(&self.slashed(), path, parameters))
    }

    /// A request for the very page that the address names.
    pub(crate) fn page(&self) -> RequestBuilder {
        self.page_with(Method::GET)
    }

    /// The same by another method.
    pub(crate) fn page_with(&self, method: Method) -> RequestBuilder {
        self.request(method, self.base.clone())
    }

    /// Whether the server answers at its address. What it answers says little: the address may name no page.
    pub(super) async fn reached(&self) -> ServerFinding {
        let answer = match tokio::time::timeout(REACHED, self.page().send()).await {
            Err(_elapsed) => return ServerFinding::bad(format!("no answer within {REACHED:?}")),
            Ok(Err(error)) => return ServerFinding::bad(http::describe(&error).1),
            Ok(Ok(answer)) => answer.status(),
        };
        let refused = [StatusCode::UNAUTHORIZED, StatusCode::FORBIDDEN].contains(&answer);
        if refused {
            return ServerFinding::bad(format!("it answers HTTP {answer}: check `auth`"));
        }
        if answer.is_server_error() {
            return ServerFinding::bad(format!("it answers HTTP {answer}"));
        }
        ServerFinding::good(format!("it answers at its address (HTTP {answer})"))
    }

    /// A path that may have parameters, under the address; nothing where it would lead elsewhere.
    pub(crate) fn under(&self, path: &str) -> Option<Url> {
        let base = self.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}{path}")).ok()?;
        let own = self.base.path().trim_end_matches('/');
        let below = url.path().strip_prefix(own).is_some_and(|rest| rest.starts_with('/'));
        (url.origin() == self.base.origin() && below).then_some(url)
    }

    /// A request to an address of this server.
    pub(crate) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.client.request(method, url).headers(self.headers.clone())
    }

    /// The address with a slash at its end: a path without one would lose its last part when something is put under it.
    fn slashed(&self) -> Url {
        let mut base = self.base.clone();
        if !base.path().ends_with('/') {
            base.set_path(&format!("{}/", base.path()));
        }
        base
    }
}

/// The client of a server: one of its own where it has TLS settings of its own.
fn client(tls: Option<&TlsSection>, server: &OpenServer<'_>) -> Result<Client, ToolsError> {
    let Some(tls) = tls.filter(|_| server.has_secrets()) else { return Ok(server.parts().client.clone()) };
    let key = tls.key.as_ref().and_then(|place| server.secret(place));
    let identity = tls.cert.as_deref().zip(key);
    let client = http::client_for(tls.ca.as_deref(), identity);
    client.map_err(|source| ToolsError::ServerTls { server: server.name().to_owned(), source })
}
