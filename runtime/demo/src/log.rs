//! The shop's log file: one JSON object per line.

use std::path::{Path, PathBuf};

use anyhow::Context;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::fs::{File, OpenOptions};
use tokio::io::AsyncWriteExt;
use tokio::sync::Mutex;
use tokio::time::{Duration, Instant};

use crate::shop::Checkout;

/// Failed checkouts logged per second at most; the others are counted in the next line's `suppressed`. Enough to read, too few to fill a disk.
const FAILURES_PER_SECOND: u32 = 10;

/// Bytes after which nothing more is logged in this run: days of failing at the rate above.
const FILE_MAX: u64 = 1 << 30;

/// An open log, appended to.
#[derive(Debug)]
pub(crate) struct ShopLog {
    path: PathBuf,
    file: Mutex<Appender>,
}

#[derive(Debug)]
struct Appender {
    file: File,
    written: u64,
    rate: Rate,
}

/// How many failures the current second has admitted.
#[derive(Debug)]
struct Rate {
    second: Instant,
    admitted: u32,
    suppressed: u64,
}

impl ShopLog {
    /// Opens the file to append to, creating it when absent.
    pub(crate) async fn open(path: PathBuf) -> anyhow::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(&path).await.with_context(|| {
            format!("failed to open the log {}: name a file in a folder that can be written to", path.display())
        })?;
        let rate = Rate::new(Instant::now());
        let file = Mutex::new(Appender { file, written: 0, rate });
        Ok(Self { path, file })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Logs a failed checkout as an exception of the release it ran on, unless this second had its share.
    pub(crate) async fn failure(&self, checkout: &Checkout) -> std::io::Result<()> {
        let mut appender = self.file.lock().await;
        let Some(suppressed) = appender.rate.admit(Instant::now()) else {
            return Ok(());
        };
        let release = &checkout.release;
        let line = json!({
            "at": Timestamp::now(),
            "level": "error",
            "message": "checkout failed",
            "path": "/checkout",
            "status": 500,
            "order": checkout.order,
            "release": release,
            "exception": format!("TypeError: discount is undefined in cart.total (cart.js:212, release {release})"),
            "suppressed": suppressed,
        });
        appender.append(&line).await
    }

    /// Logs a line of level `info`, such as an admin request; never suppressed.
    pub(crate) async fn info(&self, message: &str, fields: Value) -> std::io::Result<()> {
        let mut line = json!({"at": Timestamp::now(), "level": "info", "message": message});
        if let (Value::Object(line), Value::Object(fields)) = (&mut line, fields) {
            line.extend(fields);
        }
        self.file.lock().await.append(&line).await
    }
}

impl Appender {
    async fn append(&mut self, line: &Value) -> std::io::Result<()> {
        let text = format!("{line}\n");
        self.written = self.written.saturating_add(text.len() as u64);
        if self.written > FILE_MAX {
            return Ok(());
        }
        self.file.write_all(text.as_bytes()).await?;
        self.file.flush().await
    }
}

impl Rate {
    fn new(now: Instant) -> Self {
        Self { second: now, admitted: 0, suppressed: 0 }
    }

    /// Admits one more line, giving how many were suppressed before it, or suppresses it.
    fn admit(&mut self, now: Instant) -> Option<u64> {
        if now.saturating_duration_since(self.second) >= Duration::from_secs(1) {
            self.second = now;
            self.admitted = 0;
        }
        if self.admitted == FAILURES_PER_SECOND {
            self.suppressed += 1;
            return None;
        }
        self.admitted += 1;
        Some(std::mem::take(&mut self.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_admits_its_share_and_the_next_tells_how_many_were_suppressed() {
        let start = Instant::now();
        let mut rate = Rate::new(start);
        let admitted = (0..FAILURES_PER_SECOND + 3).filter_map(|_| rate.admit(start)).count();
        assert_eq!(admitted, FAILURES_PER_SECOND as usize);
        assert_eq!(rate.admit(start + Duration::from_secs(1)), Some(3));
        assert_eq!(rate.admit(start + Duration::from_secs(1)), Some(0));
    }

    #[tokio::test]
    async fn lines_are_appended_to_what_the_file_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.log");
        for _ in 0..2 {
            let log = ShopLog::open(path.clone()).await.unwrap();
            log.info("started", json!({"release": "2.4.0"})).await.unwrap();
        }
        let text = std::fs::read_to_string(path).unwrap();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1]["release"], "2.4.0");
    }
}
