//! The configuration that is changed: every section and every kind of thing in it.

use std::path::Path;

use provost_domain::access::Secret;

use crate::shipped;

const CONFIG: &str = "\
store: sqlite://provost.db
packs: [incident]
models:
  default: {provider: scripted, script: incident/demo.script.yaml}
  far:
    provider: openai_compatible
    base_url: \"http://127.0.0.1:9/v1\"
    model: some-model
    api_key: {file: model.key}
    request_timeout: 60s
    connect_timeout: 5s
tools:
  metrics: {endpoint: \"http://127.0.0.1:9/metrics\"}
  prometheus: {endpoint: \"http://127.0.0.1:9\"}
  alertmanager: {endpoint: \"http://127.0.0.1:9\"}
  service: {admin: \"http://127.0.0.1:9/admin\"}
  http: {allow: [\"127.0.0.1:9\"]}
  logs: {files: {shop: shop.log}}
  notify:
    oncall: {kind: webhook, url: \"http://127.0.0.1:9/oncall\", secret: {file: oncall.key}}
    pager: {kind: pagerduty, url: \"https://127.0.0.1:9/v2/enqueue\", routing_key: {file: pager.key}, outbox: false}
engine:
  sessions_max: 256
  drain: 30s
intake:
  alertmanager: {pack: incident}
  pagerduty: {pack: incident, routing_keys: {shop: {file: routing.key}}}
  waiting_max: 10000
outbox:
  give_up_after: 24h
retention:
  sessions: 400d
  deliveries: 90d
  outbox: off
  every: 24h
server:
  listen: 127.0.0.1:0
  tokens:
    - {name: admin, role: admin, file: admin.token}
    - {name: desk, role: viewer, env: PROVOST_TOKEN_NOBODY_SETS, file: desk.token}
log:
  filter: info
";

/// Writes it.
pub(super) fn write(folder: &Path) {
    std::fs::write(folder.join("provost.yaml"), CONFIG).unwrap();
    shipped::copy(&folder.join("incident"), &|_, text| text);
    for name in ["model.key", "oncall.key", "pager.key", "routing.key"] {
        std::fs::write(folder.join(name), format!("key-of-{name}\n")).unwrap();
    }
    for (name, byte) in [("admin.token", 1), ("desk.token", 2)] {
        std::fs::write(folder.join(name), Secret::generate(&[byte; 38]).reveal()).unwrap();
    }
    std::fs::write(folder.join("shop.log"), "a line\n").unwrap();
}
