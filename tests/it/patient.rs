//! The patient as its callers meet it: the built binary over HTTP, its log and its witness file.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use provost_tests::binary;
use provost_tests::eventually::eventually;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::{Child, Command};

/// Only how long a failing test takes.
const PATIENCE: Duration = Duration::from_secs(30);

/// No load of its own and a long window: every figure is exactly what the test asked for.
const QUIET: [&str; 2] = ["--rate=0", "--window=60s"];
/// Load, and a short window: figures follow a change within half a second.
const LIVELY: [&str; 2] = ["--rate=200", "--window=500ms"];

struct Patient {
    child: Child,
    url: String,
    client: Client,
    folder: TempDir,
}

fn command(folder: &TempDir) -> Command {
    let mut command = Command::new(binary::provost().unwrap());
    command
        .arg("patient")
        .arg("--log")
        .arg(folder.path().join("shop.log"))
        .arg("--witness")
        .arg(folder.path().join("witness.json"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Patient {
    async fn start(variant: &str, flags: &[&str]) -> Self {
        let folder = TempDir::new().unwrap();
        let mut child = command(&folder).args(["--with-parent", "--variant", variant]).args(flags).spawn().unwrap();
        let mut line = String::new();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let reading = stdout.read_line(&mut line);
        tokio::time::timeout(PATIENCE, reading).await.unwrap().unwrap();
        let announced: Value = serde_json::from_str(&line).unwrap();
        let log = folder.path().join("shop.log");
        assert_eq!(announced.get("log").unwrap(), log.to_str().unwrap());
        Self {
            child,
            url: announced.get("listening").unwrap().as_str().unwrap().to_owned(),
            client: provost_http::client(None).unwrap().build().unwrap(),
            folder,
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    async fn get(&self, path: &str) -> Response {
        self.request(Method::GET, path).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    async fn post(&self, path: &str, key: &str, body: Value) -> (u16, Value) {
        let request = self.request(Method::POST, path);
        let request = request.header("Idempotency-Key", key).json(&body);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// Samples of `/metrics` in order, as `(name with labels, value)`.
    async fn metrics(&self) -> Vec<(String, f64)> {
        let page = self.get("/metrics").await.text().await.unwrap();
        page.lines()
            .filter(|line| !line.starts_with('#'))
            .map(|line| line.rsplit_once(' ').unwrap())
            .map(|(name, value)| (name.to_owned(), value.parse().unwrap()))
            .collect()
    }

    async fn metric(&self, name: &str) -> f64 {
        let metrics = self.metrics().await;
        metrics.iter().find(|(named, _)| named == name).unwrap().1
    }

    async fn until_ratio(&self, what: &str, holds: impl Fn(f64) -> bool) {
        let holds = &holds;
        eventually(what, PATIENCE, || async move { holds(self.metric("http_errors_ratio").await).then_some(()) })
            .await
            .unwrap();
    }

    /// Waits until `more` further checkouts were answered.
    async fn until_served(&self, more: f64) {
        let total = async || {
            let succeeded = self.metric("http_requests_total{code=\"200\"}").await;
            succeeded + self.metric("http_requests_total{code=\"500\"}").await
        };
        let goal = total().await + more;
        let total = &total;
        eventually("checkouts", PATIENCE, || async move { (total().await >= goal).then_some(()) }).await.unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn witness_file(&self) -> Value {
        serde_json::from_slice(&std::fs::read(self.path("witness.json")).unwrap()).unwrap()
    }

    fn log(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.path("shop.log")).unwrap();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    fn terminate(&self) {
        let pid = self.child.id().unwrap();
        let sent = std::process::Command::new("sh").args(["-c", &format!("kill -TERM {pid}")]).status().unwrap();
        assert!(sent.success());
    }

    async fn ended(&mut self) -> ExitStatus {
        let ending = self.child.wait();
        tokio::time::timeout(PATIENCE, ending).await.unwrap().unwrap()
    }
}

/// Checks the counts that `expect` names.
#[track_caller]
fn check_counts(witness: &Value, expect: &Value) {
    for (name, count) in expect.as_object().unwrap() {
        assert_eq!(&witness[name], count, "{name} in {witness}");
    }
}

#[tokio::test]
async fn a_bad_release_fails_two_of_five_checkouts_and_slows_all() {
    let patient = Patient::start("heals-on-rollback", &QUIET).await;
    let mut statuses = Vec::new();
    for _ in 0..10 {
        statuses.push(patient.get("/checkout").await.status().as_u16());
    }
    let five = [200, 500, 200, 500, 200];
    assert_eq!(statuses, [five, five].concat());

    let metrics = patient.metrics().await;
    let exact = [
        ("http_requests_total{code=\"200\"}".to_owned(), 6.0),
        ("http_requests_total{code=\"500\"}".to_owned(), 4.0),
        ("http_errors_ratio".to_owned(), 0.4),
    ];
    assert_eq!(metrics[..3], exact);
    assert_eq!(metrics[3].0, "http_latency_p99");
    assert!(metrics[3].1 >= 0.035, "{metrics:?}");

    let log = patient.log();
    assert_eq!(log.len(), 4);
    for line in log {
        assert_eq!(line["level"], "error");
        let exception = line["exception"].as_str().unwrap();
        assert!(exception.contains("release 2.4.1"), "{line}");
    }
}

#[tokio::test]
async fn metrics_name_their_help_and_type() {
    let patient = Patient::start("already-healthy", &QUIET).await;
    let answer = patient.get("/metrics").await;
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(kind.starts_with("text/plain; version=0.0.4"), "{kind}");
    let page = answer.text().await.unwrap();
    for (name, kind) in
        [("http_requests_total", "counter"), ("http_errors_ratio", "gauge"), ("http_latency_p99", "gauge")]
    {
        assert!(page.contains(&format!("# HELP {name} ")), "{page}");
        assert!(page.contains(&format!("# TYPE {name} {kind}\n")), "{page}");
    }
}

#[tokio::test]
async fn the_admin_port_tells_health_and_releases_without_judging_them() {
    let patient = Patient::start("heals-on-rollback", &QUIET).await;
    assert_eq!(patient.get("/healthz").await.status(), 200);
    for _ in 0..5 {
        patient.get("/checkout").await;
    }
    let status = patient.json("/admin/status").await;
    assert_eq!(status["version"], "2.4.1");
    assert_eq!(status["status"], "degraded");
    assert_eq!(status["http_errors_ratio"], 0.4);

    let listed = patient.json("/admin/releases").await;
    let releases = listed["releases"].as_array().unwrap();
    let at = &releases[0]["at"];
    assert!(at.as_str().unwrap().ends_with('Z'), "{at}");
    assert_eq!(
        releases,
        &[
            json!({"version": "2.4.0", "at": at, "current": false}),
            json!({"version": "2.4.1", "at": at, "current": true}),
        ]
    );
    check_counts(
        &patient.json("/admin/witness").await,
        &json!({"admin_reads": 2, "checkouts": 5, "checkouts_failed": 2}),
    );
}

#[tokio::test]
async fn a_release_is_deployed_and_can_bring_the_fault_back() {
    let patient = Patient::start("already-healthy", &QUIET).await;
    let refused = patient.post("/admin/release", "a", json!({})).await;
    assert_eq!(refused.0, 400);
    let deployed = patient.post("/admin/release", "b", json!({"version": "2.4.1"})).await;
    let change = json!({"version": "2.4.1", "previous": "2.4.0"});
    assert_eq!(deployed, (200, change));
    patient.get("/checkout").await;
    assert_eq!(patient.get("/checkout").await.status(), 500);
    check_counts(&patient.json("/admin/witness").await, &json!({"releases": 1, "release_requests": 2}));
}

#[tokio::test]
async fn a_repeated_rollback_answers_the_same_and_acts_once() {
    let patient = Patient::start("heals-on-rollback", &QUIET).await;
    let body = json!({"environment": "production", "service": "shop"});
    let first = patient.post("/admin/rollback", "one", body.clone()).await;
    let change = json!({"version": "2.4.0", "previous": "2.4.1"});
    assert_eq!(first, (200, change));
    let repeat = patient.post("/admin/rollback", "one", body.clone()).await;
    assert_eq!(repeat, first);
    let other = patient.post("/admin/rollback", "two", body).await;
    assert_eq!(other.0, 409);

    let witness = patient.json("/admin/witness").await;
    check_counts(&witness, &json!({"rollbacks": 1, "rollback_requests": 3, "rollback_keys": 2, "rollback_repeats": 1}));
    assert_eq!(patient.witness_file(), witness);
    let keys: Vec<_> =
        patient.log().iter().map(|line| (line["path"].clone(), line["idempotency_key"].clone())).collect();
    let rollback = |key: &str| ("/admin/rollback".into(), key.into());
    assert_eq!(keys, [rollback("one"), rollback("one"), rollback("two")]);
}

#[tokio::test]
async fn the_same_key_sent_at_once_acts_once() {
    let patient = Patient::start("heals-on-rollback", &QUIET).await;
    let post = || patient.post("/admin/rollback", "one", json!({}));
    let (a, b, c, d) = tokio::join!(post(), post(), post(), post());
    assert_eq!([&b, &c, &d], [&a, &a, &a]);
    check_counts(
        &patient.witness_file(),
        &json!({"rollbacks": 1, "rollback_requests": 4, "rollback_keys": 1, "rollback_repeats": 3}),
    );
}

#[tokio::test]
async fn an_unusable_key_is_refused_and_does_nothing() {
    let patient = Patient::start("heals-on-rollback", &QUIET).await;
    for key in ["", &"k".repeat(256)] {
        let refused = patient.post("/admin/rollback", key, json!({})).await;
        assert_eq!(refused.0, 400);
    }
    check_counts(&patient.witness_file(), &json!({"rollbacks": 0}));
}

#[tokio::test]
async fn oncall_messages_are_kept_and_repeats_counted_apart() {
    let patient = Patient::start("heals-on-rollback", &QUIET).await;
    let body = json!({"team": "payments-oncall", "reason": "rollback was refused"});
    let first = patient.post("/oncall", "page", body.clone()).await;
    assert_eq!(first.0, 202);
    let repeat = patient.post("/oncall", "page", json!("again")).await;
    assert_eq!(repeat, first);
    let text = patient.request(Method::POST, "/oncall").body("no json");
    assert_eq!(text.send().await.unwrap().status(), 202);
    let huge = patient.request(Method::POST, "/oncall");
    let huge = huge.body("x".repeat(1 << 20)).send().await.unwrap();
    assert_eq!(huge.status(), 413);
    check_counts(
        &patient.witness_file(),
        &json!({"oncall": 2, "oncall_repeats": 1, "oncall_bodies": [body, "no json"]}),
    );
}

#[tokio::test]
async fn the_ratio_falls_after_a_rollback_but_not_after_a_restart() {
    let patient = Patient::start("heals-on-rollback", &LIVELY).await;
    patient.until_ratio("the fault", |ratio| ratio > 0.3).await;
    let restarted = patient.post("/admin/restart", "a", json!({})).await;
    let again = patient.post("/admin/restart", "a", json!({})).await;
    assert_eq!(restarted.0, 200);
    assert_eq!(again, restarted);
    patient.until_served(200.0).await;
    assert!(patient.metric("http_errors_ratio").await > 0.3);

    let slow = patient.metric("http_latency_p99").await;
    assert!(slow >= 0.035, "{slow}");
    patient.post("/admin/rollback", "b", json!({})).await;
    patient.until_ratio("health", |ratio| ratio < 0.02).await;
    assert_eq!(patient.json("/admin/status").await["status"], "healthy");
    check_counts(
        &patient.json("/admin/witness").await,
        &json!({"restarts": 1, "restart_requests": 2, "restart_repeats": 1, "rollbacks": 1}),
    );
}

#[tokio::test]
async fn an_already_healthy_shop_serves_without_errors() {
    let patient = Patient::start("already-healthy", &LIVELY).await;
    patient.until_served(100.0).await;
    assert!(patient.metric("http_requests_total{code=\"500\"}").await < f64::EPSILON);
    assert!(patient.metric("http_errors_ratio").await < f64::EPSILON);
    assert_eq!(patient.json("/admin/status").await["version"], "2.4.0");
}

#[tokio::test]
async fn a_rollback_that_does_not_help_leaves_the_errors() {
    let patient = Patient::start("rollback-does-not-help", &LIVELY).await;
    let rolled_back = patient.post("/admin/rollback", "a", json!({})).await;
    assert_eq!(rolled_back.0, 200);
    patient.until_served(200.0).await;
    assert!(patient.metric("http_errors_ratio").await > 0.3);
    assert_eq!(patient.json("/admin/status").await["version"], "2.4.0");
}

#[tokio::test]
async fn a_failing_admin_port_refuses_changes_but_is_read_and_pages() {
    let patient = Patient::start("admin-failing", &QUIET).await;
    for path in ["/admin/rollback", "/admin/restart", "/admin/release"] {
        let body = json!({"version": "2.4.0"});
        assert_eq!(patient.post(path, "a", body).await.0, 503, "{path}");
    }
    assert_eq!(patient.json("/admin/status").await["version"], "2.4.1");
    assert_eq!(patient.post("/oncall", "a", json!({})).await.0, 202);
    check_counts(
        &patient.witness_file(),
        &json!({"refused": 3, "rollbacks": 0, "rollback_requests": 1, "restarts": 0, "releases": 0, "oncall": 1}),
    );
}

#[tokio::test]
async fn the_witness_file_outlives_a_kill() {
    let mut patient = Patient::start("heals-on-rollback", &LIVELY).await;
    check_counts(&patient.witness_file(), &json!({"rollbacks": 0}));
    patient.post("/admin/rollback", "a", json!({})).await;
    patient.child.start_kill().unwrap();
    assert!(!patient.ended().await.success());
    check_counts(&patient.witness_file(), &json!({"rollbacks": 1}));
}

#[tokio::test]
async fn it_ends_with_its_parent() {
    let mut patient = Patient::start("heals-on-rollback", &LIVELY).await;
    drop(patient.child.stdin.take());
    assert!(patient.ended().await.success());
}

#[tokio::test]
async fn it_ends_on_a_signal_even_when_a_client_does_not() {
    let mut patient = Patient::start("heals-on-rollback", &LIVELY).await;
    let address = patient.url.trim_start_matches("http://").to_owned();
    let mut client = tokio::net::TcpStream::connect(address).await.unwrap();
    client.write_all(b"GET /checkout HTTP/1.1\r\n").await.unwrap();
    patient.get("/healthz").await;
    patient.terminate();
    assert!(patient.ended().await.success());
    drop(client);
}

#[tokio::test]
async fn bad_flags_end_with_one_clear_error() {
    for (flag, value, expect) in [
        ("--window", "1ms", "a window is 100ms to 10m long"),
        ("--rate", "1001", "0..=1000"),
        ("--log", "/absent/shop.log", "failed to open the log /absent"),
        ("--witness", "/absent/w.json", "failed to write the witness"),
    ] {
        let folder = TempDir::new().unwrap();
        let program = binary::provost().unwrap();
        let mut command = Command::new(program);
        command.arg("patient").arg(flag).arg(value);
        if flag != "--log" {
            command.arg("--log").arg(folder.path().join("shop.log"));
        }
        let running = command.kill_on_drop(true).output();
        let output = tokio::time::timeout(PATIENCE, running).await.unwrap().unwrap();
        let message = String::from_utf8(output.stderr).unwrap();
        assert!(!output.status.success());
        assert!(message.contains(expect), "{message}");
        assert!(output.stdout.is_empty());
    }
}
