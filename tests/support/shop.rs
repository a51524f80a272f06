//! A running shop and a desk that cares for it, for tests of the built binary.

use std::ops::Deref;
use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::binary;
use crate::desk::{Desk, PATIENCE};
use crate::eventually::eventually;

/// A shop and the desk beside it.
#[derive(Debug)]
pub struct Shop {
    /// Where it answers.
    pub url: String,
    desk: Desk,
    _patient: Child,
}

impl Deref for Shop {
    type Target = Desk;

    fn deref(&self) -> &Desk {
        &self.desk
    }
}

impl Shop {
    /// Starts a shop with quick figures, and writes configuration and alert beside it.
    pub async fn start(variant: &str) -> Self {
        let desk = Desk::empty();
        let mut patient = Command::new(binary::provost().unwrap())
            .args(["patient", "--with-parent", "--window=300ms", "--rate=200", "--variant", variant])
            .arg("--log")
            .arg(desk.path("shop.log"))
            .arg("--witness")
            .arg(desk.path("witness.json"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(patient.stdout.take().unwrap()).read_line(&mut line).await.unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        let url = announced["listening"].as_str().unwrap();
        desk.furnish(url);
        let shop = Self { url: url.to_owned(), desk, _patient: patient };
        if variant != "already-healthy" {
            eventually("the shop to fall ill", PATIENCE, || is_ill(url)).await.unwrap();
        }
        shop
    }

    /// The same, where whoever starts from now on takes Alertmanager's deliveries.
    #[must_use]
    pub fn with_intake(self) -> Self {
        self.configure("intake: {alertmanager: {pack: incident}}");
        self
    }

    /// What the shop itself counted of rollbacks and notifications.
    pub fn witness(&self) -> (u64, u64) {
        let Ok(text) = std::fs::read_to_string(self.path("witness.json")) else { return (0, 0) };
        let counts: Value = serde_json::from_str(&text).unwrap();
        (counts["rollbacks"].as_u64().unwrap(), counts["oncall"].as_u64().unwrap())
    }
}

/// Whether the shop's own figures show what its alert says.
async fn is_ill(url: &str) -> Option<()> {
    let client = provost_http::client(None).ok()?.build().ok()?;
    let metrics = client.get(format!("{url}/metrics")).send().await.ok()?.text().await.ok()?;
    let ratio = metrics.lines().find_map(|line| line.strip_prefix("http_errors_ratio "))?;
    (ratio.parse::<f64>().ok()? > 0.05).then_some(())
}
