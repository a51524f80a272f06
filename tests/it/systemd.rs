//! The shipped units inside a real systemd. Needs root and systemd-nspawn: `cargo xtask test` leaves these tests out where
//! that cannot be, and says so.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use provost_tests::binary;
use provost_tests::daemon::{Daemon, ROLES, answered};
use provost_tests::machine::{Disk, Machine};
use provost_tests::shop::Shop;
use reqwest::Method;
use serde_json::json;

const UNIT: &str = "provost.service";
/// Where the store is, as seen from outside of the machine.
const STORE: &str = "var/lib/private/provost/provost.db";
/// Worst exposure allowed, in tenths, of `systemd-analyze security`.
const EXPOSURE_MAX: &str = "--threshold=25";

fn repository(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path).canonicalize().unwrap()
}

/// However often it fails, and always after the same pause: a disk that is full for a while is no reason to stay away.
#[test]
fn the_unit_never_gives_up() {
    let unit = fs::read_to_string(repository("config/systemd").join(UNIT)).unwrap();
    let (head, rest) = unit.split_once("[Service]").unwrap();
    assert!(head.lines().any(|line| line == "StartLimitIntervalSec=0"), "{head}");
    let restarts: Vec<&str> = rest.lines().filter(|line| line.starts_with("Restart")).collect();
    assert_eq!(restarts, ["Restart=on-failure", "RestartSec=5s"]);
}

/// The shop's configuration, as the daemon in the machine needs it.
fn configuration(shop: &Shop) -> String {
    let text = fs::read_to_string(shop.path("provost.yaml")).unwrap();
    let pack = repository("skills/incident").display().to_string();
    let store = shop.path("provost.db").display().to_string();
    let text = text.replace(&pack, "/etc/provost/incident").replace(&store, "/var/lib/provost/provost.db");
    let text = text.replace("shop: shop.log", "shop: /srv/shop/shop.log");
    let tokens = ROLES.map(|role| format!("{{name: {role}, role: {role}, credential: {role}-token}}")).join(", ");
    format!("{text}server: {{tokens: [{tokens}]}}\n")
}

/// A secret, as `provost tokens generate > FILE` keeps it.
fn generate() -> String {
    let output = Command::new(binary::provost().unwrap()).args(["tokens", "generate"]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap()
}

/// Installs as the book says, with a shorter watchdog, a port of its own and a token per role.
fn install(shop: &Shop, port: u16) -> (Disk, BTreeMap<&'static str, String>) {
    let mut disk = Disk::new();
    // A temporary folder is private; the daemon has a user of its own.
    fs::set_permissions(shop.path(""), fs::Permissions::from_mode(0o755)).unwrap();
    disk.show(&shop.path(""), "/srv/shop");
    disk.show(&binary::provost().unwrap(), "/opt/provost");
    disk.copy(&repository("config/systemd"), "etc/systemd/system");
    disk.copy(&repository("skills/incident"), "etc/provost/incident");
    disk.write("etc/provost/provost.yaml", &configuration(shop));
    let mut secrets = BTreeMap::new();
    let mut service = "[Service]\nWatchdogSec=8s\nExecSearchPath=/opt:/usr/bin\n".to_owned();
    for role in ROLES {
        let secret = generate();
        let file = format!("etc/provost/credentials/{role}-token");
        disk.write(&file, &secret);
        fs::set_permissions(disk.path(&file), fs::Permissions::from_mode(0o600)).unwrap();
        if role != "admin" {
            writeln!(service, "LoadCredential={role}-token:/{file}").unwrap();
        }
        secrets.insert(role, secret.trim().to_owned());
    }
    disk.write("etc/systemd/system/provost.service.d/test.conf", &service);
    let socket = format!("[Socket]\nListenStream=\nListenStream=127.0.0.1:{port}\n");
    disk.write("etc/systemd/system/provost.socket.d/test.conf", &socket);
    (disk, secrets)
}

#[tokio::test]
async fn the_service_starts_is_watched_reloads_and_stops() {
    let shop = Shop::start("heals-on-rollback").await;
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let (disk, secrets) = install(&shop, port);
    let machine = disk.boot().await;
    machine.must(&["systemctl", "start", "provost.socket"]).await;
    assert_eq!(machine.property(UNIT, "ActiveState").await, "inactive");

    let daemon = Daemon::at(shop, format!("http://127.0.0.1:{port}"), secrets);
    starts_with_the_first_connection(&machine, &daemon).await;
    let session = daemon.open().await;
    wedged_it_is_killed_and_started_again(&machine).await;
    let waits = daemon.until(&session, "awaiting_input").await;
    reload_keeps_sessions(&machine, &daemon).await;
    assert_eq!(daemon.until(&session, "awaiting_input").await, waits);

    let path = format!("/v1/approvals/{}/decide", waits["approvals_pending"][0].as_str().unwrap());
    let taken = daemon.ask("approver", Method::POST, &path, Some(json!({"answer": "approve"}))).await;
    assert!(taken.status.is_success(), "{taken:?}");
    stops_in_order(&machine).await;
    daemon.until(&session, "resolved").await;
    assert_eq!(daemon.shop.witness(), (1, 0));
    stops_in_order(&machine).await;

    machine.must(&["systemd-analyze", "security", "--no-pager", EXPOSURE_MAX, UNIT]).await;
    let journal = machine.journal(UNIT).await;
    assert!(ROLES.iter().all(|role| !journal.contains(daemon.secret(role))), "a secret in the journal");
    let disk = machine.end().await;
    let store = disk.path(STORE).display().to_string();
    assert_eq!(daemon.shop.last(&["audit", "verify", "--store", &store]).await["problems"], 0);
}

async fn starts_with_the_first_connection(machine: &Machine, daemon: &Daemon) {
    let connected = daemon.request("admin", Method::GET, "/v1/tokens").send().await;
    let Ok(connected) = connected else { panic!("{connected:?}\n{}", machine.journal(UNIT).await) };
    let listed = answered(connected).await;
    assert!(listed.status.is_success(), "{listed:?}\n{}", machine.journal(UNIT).await);
    assert_eq!(listed.body["items"].as_array().unwrap().len(), ROLES.len());
    assert_eq!(machine.property(UNIT, "ActiveState").await, "active");
    let status = machine.property(UNIT, "StatusText").await;
    assert_eq!(status, format!("listening on {}", daemon.url));
}

async fn wedged_it_is_killed_and_started_again(machine: &Machine) {
    let process = machine.property(UNIT, "MainPID").await;
    machine.must(&["kill", "-STOP", &process]).await;
    machine.until(UNIT, "NRestarts", |count| count == "1").await;
    machine.until(UNIT, "ActiveState", |state| state == "active").await;
    assert_ne!(machine.property(UNIT, "MainPID").await, process);
    let journal = machine.journal(UNIT).await;
    assert!(journal.contains("Watchdog timeout"), "{journal}");
}

async fn reload_keeps_sessions(machine: &Machine, daemon: &Daemon) {
    let process = machine.property(UNIT, "MainPID").await;
    let good = configuration(&daemon.shop);
    let more = good.replace("notify: {oncall:", "notify: {another: {url: \"http://127.0.0.1:9/\"}, oncall:");
    machine.disk.write("etc/provost/provost.yaml", &more);
    machine.must(&["systemctl", "reload", UNIT]).await;
    machine.until(UNIT, "StatusText", |status| status == "the configuration was read again").await;
    let tools = daemon.get("/v1/tools").await.to_string();
    assert!(tools.contains("notify:another"), "{tools}");

    machine.disk.write("etc/provost/provost.yaml", "packs: [\n");
    assert!(!machine.run(&["systemctl", "reload", UNIT]).await.status.success());
    machine.must(&["kill", "-HUP", &process]).await;
    machine.until(UNIT, "StatusText", |status| status.starts_with("the old configuration stays: ")).await;
    machine.until(UNIT, "ActiveState", |state| state == "active").await;
    assert_eq!(daemon.get("/v1/tools").await.to_string(), tools);
    machine.disk.write("etc/provost/provost.yaml", &good);
    assert_eq!(machine.property(UNIT, "MainPID").await, process);
}

async fn stops_in_order(machine: &Machine) {
    machine.must(&["systemctl", "stop", UNIT]).await;
    let ended = (machine.property(UNIT, "Result").await, machine.property(UNIT, "ExecMainStatus").await);
    assert_eq!(ended, ("success".to_owned(), "0".to_owned()), "{}", machine.journal(UNIT).await);
}
