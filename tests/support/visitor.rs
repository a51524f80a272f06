//! A browser without a screen or script: keeps its cookie, follows nothing by itself, sends a page's forms.

use reqwest::header::{HeaderMap, LOCATION, SET_COOKIE};

use reqwest::{Client, Method, RequestBuilder, StatusCode};

/// An answered page.
#[derive(Debug, Clone)]
pub struct Seen {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The text.
    pub text: String,
}

impl Seen {
    /// A header, or nothing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map(|value| value.to_str().unwrap()).unwrap_or_default()
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.header(LOCATION.as_str())
    }

    /// What stands between two texts, the first time.
    pub fn between(&self, before: &str, after: &str) -> &str {
        let (_, rest) = self.text.split_once(before).unwrap_or_else(|| panic!("no {before:?}: {}", self.text));
        rest.split_once(after).unwrap().0
    }
}

/// Somebody at a page.
#[derive(Debug, Clone)]
pub struct Visitor {
    url: String,
    client: Client,
    /// The `Cookie` header; empty before a login.
    pub cookie: String,
}

impl Visitor {
    /// Somebody who is not logged in.
    pub fn new(url: &str) -> Self {
        let client = provost_http::client(None).unwrap().build().unwrap();
        Self { url: url.to_owned(), client, cookie: String::new() }
    }

    /// Somebody who logged in with a token.
    pub async fn logged_in(url: &str, secret: &str) -> Self {
        let mut visitor = Self::new(url);
        let seen = visitor.post("/login", &[("token", secret)]).await;
        assert_eq!((seen.status, seen.location()), (StatusCode::SEE_OTHER, "/sessions"), "{seen:?}");
        let pair = seen.header(SET_COOKIE.as_str()).split(';').next().unwrap();
        pair.clone_into(&mut visitor.cookie);
        visitor
    }

    /// A request as a browser makes it.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.client.request(method, format!("{}{path}", self.url)).header("accept", "text/html,*/*");
        if self.cookie.is_empty() { request } else { request.header("cookie", &self.cookie) }
    }

    /// Opens a page.
    pub async fn get(&self, path: &str) -> Seen {
        seen(self.request(Method::GET, path)).await
    }

    /// Sends a form as it is.
    pub async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        seen(self.request(Method::POST, path).form(fields)).await
    }

    /// Sends a form with what every form of this login carries.
    pub async fn send(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let csrf = self.csrf().await;
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        self.post(path, &fields).await
    }

    /// Sends a form as the page's script does; the answer is a line of the page.
    pub async fn send_by_script(&self, path: &str, fields: &[(&str, &str)]) -> Seen {
        let csrf = self.csrf().await;
        let fields: Vec<_> = fields.iter().copied().chain([("csrf", csrf.as_str())]).collect();
        seen(self.request(Method::POST, path).header("hx-request", "true").form(&fields)).await
    }

    /// What every form of this login carries.
    pub async fn csrf(&self) -> String {
        self.get("/tools").await.between("name=\"csrf\" value=\"", "\"").to_owned()
    }
}

/// Sends a request and reads all of the answer.
pub async fn seen(request: RequestBuilder) -> Seen {
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status(), response.headers().clone());
    Seen { status, headers, text: response.text().await.unwrap() }
}
