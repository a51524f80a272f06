//! Debian's Prometheus and Alertmanager on free ports, watching a shop.

use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::task::JoinSet;

use crate::desk::PATIENCE;

/// A running server, killed when dropped.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub url: String,
    folder: TempDir,
    _child: Child,
    /// Reads what it logs, so that it never waits for a reader.
    _log: JoinSet<()>,
}

impl Running {
    /// Starts a program in a folder with files and reads from its log where it listens.
    async fn start(program: &str, files: &[(&str, Value)], arguments: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        for (name, content) in files {
            write(folder.path(), name, content);
        }
        let mut command = Command::new(program);
        command.args(arguments).arg("--web.listen-address=127.0.0.1:0").current_dir(folder.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let Ok(mut child) = command.spawn() else {
            panic!("{program} is missing; install it (Debian: apt-get install prometheus prometheus-alertmanager)");
        };
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let listening = async {
            while let Some(line) = lines.next_line().await.unwrap() {
                if let Some((_, address)) = line.split_once("msg=\"Listening on\" address=") {
                    return address.split_whitespace().next().unwrap_or_default().to_owned();
                }
            }
            panic!("{program} ended before it listened");
        };
        let address = tokio::time::timeout(PATIENCE, listening).await.unwrap();
        let mut log = JoinSet::new();
        log.spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        Self { url: format!("http://{address}"), folder, _child: child, _log: log }
    }
}

/// JSON is YAML.
fn write(folder: &Path, name: &str, content: &Value) {
    std::fs::write(folder.join(name), content.to_string()).unwrap();
}

/// An Alertmanager that tells nobody yet.
pub async fn alertmanager() -> Running {
    let quiet = json!({"route": {"receiver": "nobody"}, "receivers": [{"name": "nobody"}]});
    let arguments = ["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="];
    Running::start("prometheus-alertmanager", &[("alertmanager.yml", quiet)], &arguments).await
}

/// Lets it tell this address, with a token, from now on.
pub async fn tell(alertmanager: &Running, hook: &str, token: &str) {
    let webhook = json!({"url": hook, "send_resolved": true, "http_config": {"authorization": {"credentials": token}}});
    let config = json!({
        "route": {"receiver": "provost", "group_by": ["alertname"], "group_wait": "100ms", "group_interval": "500ms"},
        "receivers": [{"name": "provost", "webhook_configs": [webhook]}],
    });
    write(alertmanager.folder.path(), "alertmanager.yml", &config);
    let client = provost_http::client(None).unwrap().build().unwrap();
    let reloaded = client.post(format!("{}/-/reload", alertmanager.url)).send().await.unwrap();
    assert!(reloaded.status().is_success(), "{reloaded:?}");
}

/// A Prometheus that scrapes pages of a server, each as a job of its own, and keeps the labels that stand on them.
pub async fn prometheus_of_pages(server: &str, pages: &[String]) -> Running {
    let host = server.strip_prefix("http://").unwrap();
    let job = |page: &String| {
        json!({"job_name": page, "metrics_path": format!("/{page}"), "honor_labels": true,
            "static_configs": [{"targets": [host], "labels": {"provost_page": page}}]})
    };
    let jobs: Vec<Value> = pages.iter().map(job).collect();
    let config = json!({"global": {"scrape_interval": "1s"}, "scrape_configs": jobs});
    let files = [("prometheus.yml", config)];
    Running::start("prometheus", &files, &["--config.file=prometheus.yml", "--storage.tsdb.path=data"]).await
}

/// A Prometheus that scrapes a shop twice a second and alerts when too many of its answers are errors.
pub async fn prometheus(shop: &str, alertmanager: &Running) -> Running {
    let host = |url: &str| url.strip_prefix("http://").unwrap().to_owned();
    let labels = json!({"service": "shop", "environment": "production"});
    let config = json!({
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [host(&alertmanager.url)]}]}]},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "shop", "static_configs": [{"targets": [host(shop)], "labels": labels}]}],
    });
    let rule = json!({
        "alert": "ShopErrors", "expr": "http_errors_ratio > 0.05", "labels": {"severity": "critical"},
        "annotations": {"summary": "checkout of the shop fails"},
    });
    let rules = json!({"groups": [{"name": "shop", "rules": [rule]}]});
    let files = [("prometheus.yml", config), ("rules.yml", rules)];
    Running::start("prometheus", &files, &["--config.file=prometheus.yml", "--storage.tsdb.path=data"]).await
}

/// A Prometheus with rules, which scrapes the page `/metrics` of a server as that of an exporter on Kubernetes: its job and its
/// service are the exporter's, and what the page says of a series counts before that. No series has an environment.
pub async fn prometheus_of_exporter(server: &str, alertmanager: &Running, rules: &[Value]) -> Running {
    let host = |url: &str| url.strip_prefix("http://").unwrap().to_owned();
    let labels = json!({"job": "kube-state-metrics", "service": "stack-kube-state-metrics", "namespace": "monitoring"});
    let config = json!({
        "global": {"scrape_interval": "500ms", "evaluation_interval": "500ms"},
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": [host(&alertmanager.url)]}]}]},
        "rule_files": ["rules.yml"],
        "scrape_configs": [{"job_name": "exporter", "honor_labels": true,
            "static_configs": [{"targets": [host(server)], "labels": labels}]}],
    });
    let rules = json!({"groups": [{"name": "stock", "rules": rules}]});
    let files = [("prometheus.yml", config), ("rules.yml", rules)];
    Running::start("prometheus", &files, &["--config.file=prometheus.yml", "--storage.tsdb.path=data"]).await
}
