//! Debian's Chromium, driven over `WebDriver`.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::webdriver::{Element, Fault, WebDriver};

/// Only how long a failing test takes.
const PATIENCE: Duration = Duration::from_mins(2);
/// What Chromium is started with. By the pipe it notices when its driver ends, and ends too, however that came.
const ARGUMENTS: [&str; 6] = [
    "--headless=new",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-gpu",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
];
/// Who logs what a page does wrong. A lost connection is logged too, by `network`.
const FAULTS: [&str; 2] = ["security", "javascript"];
/// The key, as `WebDriver` writes it.
pub const TAB: &str = "\u{e004}";
/// The key, as `WebDriver` writes it.
pub const ENTER: &str = "\u{e007}";

/// A browser with one page.
#[derive(Debug)]
pub struct Browser {
    page: WebDriver,
    /// Killed when dropped, and the browser with it.
    _driver: Child,
    _profile: TempDir,
}

impl Browser {
    /// Starts one with a fresh profile.
    pub async fn start() -> Self {
        let profile = TempDir::new().unwrap();
        let mut command = Command::new("chromedriver");
        command.arg("--port=0").stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
        let Ok(mut driver) = command.spawn() else {
            panic!("chromedriver is missing; install it (Debian: apt-get install chromium chromium-driver)");
        };
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        let port = loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if let Some((_, port)) = line.split_once("started successfully on port ") {
                break port.trim_end_matches('.').to_owned();
            }
        };
        let own = [format!("--user-data-dir={}", profile.path().display())];
        let arguments: Vec<_> = ARGUMENTS.into_iter().map(str::to_owned).chain(own).collect();
        let page = WebDriver::begin(&format!("http://127.0.0.1:{port}"), json!({"args": arguments}), PATIENCE).await;
        Self { page, _driver: driver, _profile: profile }
    }

    /// Opens an address.
    pub async fn open(&self, url: &str) {
        self.page.post("/url", json!({"url": url})).await.unwrap();
    }

    /// The first element of a CSS selector, if it is there and visible.
    async fn visible(&self, css: &str) -> Option<Element> {
        let element = self.page.element(css).await.ok()?;
        self.page.displayed(&element).await.ok()?.then_some(element)
    }

    /// Waits until the first element of a CSS selector is there and visible.
    pub async fn find(&self, css: &str) {
        self.until(css, || self.visible(css)).await;
    }

    /// Waits until it is gone or hidden.
    pub async fn gone(&self, css: &str) {
        self.until(&format!("no {css}"), || async { self.visible(css).await.is_none().then_some(()) }).await;
    }

    /// Clicks on it as a person does: by the pointer, where it is, once. A page that changes meanwhile is looked at again.
    pub async fn click(&self, css: &str) {
        let clicked = async || {
            let element = self.visible(css).await?;
            self.page.with(&element, "click", json!({})).await.ok()
        };
        self.until(css, clicked).await;
    }

    /// Types into it.
    pub async fn write(&self, css: &str, text: &str) {
        let written = async || {
            let element = self.visible(css).await?;
            self.page.with(&element, "value", json!({"text": text})).await.ok()
        };
        self.until(css, written).await;
    }

    async fn until<T>(&self, what: &str, probe: impl AsyncFnMut() -> Option<T>) {
        let mut probe = probe;
        let waited = tokio::time::timeout(PATIENCE, async {
            let mut pauses = tokio::time::interval(Duration::from_millis(50));
            while probe().await.is_none() {
                pauses.tick().await;
            }
        });
        let Ok(()) = waited.await else {
            panic!("waited for {what} in vain: {}", self.page.get("/source").await.unwrap());
        };
    }

    /// Presses keys one after another, wherever the focus is.
    pub async fn press(&self, keys: &str) {
        let strokes = keys
            .chars()
            .flat_map(|key| [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]);
        let source = json!({"type": "key", "id": "keys", "actions": strokes.collect::<Vec<_>>()});
        self.page.post("/actions", json!({"actions": [source]})).await.unwrap();
    }

    /// What a script returns.
    pub async fn run(&self, script: &str) -> Value {
        self.page.post("/execute/sync", json!({"script": script, "args": []})).await.unwrap()
    }

    async fn size(&self, width: u32, height: u64) -> Result<(), Fault> {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600});
        self.page.devtools("Emulation.setDeviceMetricsOverride", size).await.map(|_| ())
    }

    /// Makes the page so wide, and as high as a screen.
    pub async fn width(&self, width: u32) {
        self.size(width, 900).await.unwrap();
    }

    /// What the person prefers, dark or light.
    pub async fn scheme(&self, scheme: &str) {
        let features = json!({"features": [{"name": "prefers-color-scheme", "value": scheme}]});
        self.page.devtools("Emulation.setEmulatedMedia", features).await.unwrap();
    }

    /// Takes a picture of the whole page at a width, which must hold all of it.
    pub async fn picture(&self, name: &str, width: u32) {
        self.width(width).await;
        let needed = self.run("return document.documentElement.scrollWidth").await;
        assert!(needed.as_u64().unwrap() <= u64::from(width), "{name} is {needed} wide at {width}");
        let height = self.run("return Math.max(700, document.body.scrollHeight)").await.as_u64().unwrap();
        self.size(width, height).await.unwrap();
        let shot = self.page.devtools("Page.captureScreenshot", json!({"format": "png"})).await.unwrap();
        let png = base64::Engine::decode(&base64::prelude::BASE64_STANDARD, shot["data"].as_str().unwrap()).unwrap();
        std::fs::write(pictures().join(format!("{name}-{width}.png")), png).unwrap();
        self.width(width).await;
    }

    /// What the page logged of its own faults: nothing, if all is well.
    pub async fn faults(&self) -> Vec<String> {
        let log = self.page.post("/se/log", json!({"type": "browser"})).await.unwrap();
        let own = log.as_array().unwrap().iter().filter(|entry| FAULTS.iter().any(|from| entry["source"] == *from));
        own.map(|entry| entry["message"].as_str().unwrap().to_owned()).collect()
    }

    /// Ends it in order.
    pub async fn quit(self) {
        self.page.end().await.unwrap();
    }
}

/// Where the pictures lie.
fn pictures() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/screenshots");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}
