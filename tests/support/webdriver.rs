//! The few commands of the W3C `WebDriver` protocol that the tests need. The crates for it switch on features of their
//! dependencies that would change the program under test when both are built together.

use std::time::Duration;

use reqwest::{Client, Method};
use serde_json::{Value, json};

/// How the protocol names an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// One session of a driver.
#[derive(Debug)]
pub struct WebDriver {
    client: Client,
    /// Of the session.
    url: String,
}

/// An element of the page as it was when it was found.
#[derive(Debug)]
pub struct Element(String);

/// What went wrong, in the driver's words.
#[derive(Debug)]
pub struct Fault(pub Value);

impl WebDriver {
    /// Begins a session with a driver.
    pub async fn begin(driver: &str, options: Value, patience: Duration) -> Self {
        let client = provost_http::client(None).unwrap().timeout(patience).build().unwrap();
        let mut session = Self { client, url: format!("{driver}/session") };
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": options,
            "goog:loggingPrefs": {"browser": "ALL"}});
        let begun = session.post("", json!({"capabilities": {"alwaysMatch": wanted}})).await.unwrap();
        session.url = format!("{driver}/session/{}", begun["sessionId"].as_str().unwrap());
        session
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value, Fault> {
        let mut request = self.client.request(method, format!("{}{path}", self.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let response = request.send().await.unwrap();
        let good = response.status().is_success();
        let value = response.json::<Value>().await.unwrap()["value"].take();
        if good { Ok(value) } else { Err(Fault(value)) }
    }

    /// Sends a command.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value, Fault> {
        self.send(Method::POST, path, Some(body)).await
    }

    /// Reads something.
    pub async fn get(&self, path: &str) -> Result<Value, Fault> {
        self.send(Method::GET, path, None).await
    }

    /// The first element of a CSS selector.
    pub async fn element(&self, css: &str) -> Result<Element, Fault> {
        let found = self.post("/element", json!({"using": "css selector", "value": css})).await?;
        Ok(Element(found[ELEMENT].as_str().unwrap().to_owned()))
    }

    /// Does something with an element.
    pub async fn with(&self, element: &Element, what: &str, body: Value) -> Result<Value, Fault> {
        self.post(&format!("/element/{}/{what}", element.0), body).await
    }

    /// Whether an element is visible.
    pub async fn displayed(&self, element: &Element) -> Result<bool, Fault> {
        let shown = self.get(&format!("/element/{}/displayed", element.0)).await?;
        Ok(shown == true)
    }

    /// A command of Chromium's own protocol.
    pub async fn devtools(&self, method: &str, parameters: Value) -> Result<Value, Fault> {
        self.post("/goog/cdp/execute", json!({"cmd": method, "params": parameters})).await
    }

    /// Ends the session and with it the browser.
    pub async fn end(self) -> Result<(), Fault> {
        self.send(Method::DELETE, "", None).await.map(|_| ())
    }
}
