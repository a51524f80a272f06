//! Commands in a sandbox. These tests need bubblewrap.

use std::fs;
use std::path::Path;

use provost_domain::tool::Happened;
use serde_json::{Value, json};

use crate::{call, content, happened, tools};

#[tokio::test]
async fn a_sandbox_shows_what_is_named_and_has_no_network() {
    assert!(Path::new("/usr/bin/bwrap").exists(), "this test needs bubblewrap: apt-get install bubblewrap");
    let folder = tempfile::tempdir().unwrap();
    let (open, shut) = (folder.path().join("open"), folder.path().join("shut"));
    for path in [&open, &shut] {
        fs::create_dir(path).unwrap();
        fs::write(path.join("file"), "text").unwrap();
    }
    let entry = |argv: Value| json!({"about": "Looks.", "args": {"path": "string"}, "argv": argv});
    let tools =
        tools(&json!({"box": {"kind": "command", "run": {"bubblewrap": {"read": [open]}}, "cwd": open, "tools": {
            "read": entry(json!(["cat", "{{ args.path }}"])),
            "write": entry(json!(["touch", "{{ args.path }}"])),
            "net": {"about": "Lists.", "argv": ["cat", "/proc/net/dev"]},
            "processes": {"about": "Lists.", "argv": ["ls", "/proc"]},
        }}}));
    let read = async |path: &Path| call(&tools, "box:read", json!({ "path": path })).await;
    assert_eq!(content(read(&open.join("file")).await)["stdout"], "text");
    assert_eq!(content(read(Path::new("file")).await)["stdout"], "text");
    assert_eq!(happened(read(&shut.join("file")).await).0, Happened::Answered);
    let written = call(&tools, "box:write", json!({ "path": open.join("new") })).await;
    assert_eq!(happened(written).0, Happened::Answered);
    let net = content(call(&tools, "box:net", json!({})).await)["stdout"].as_str().unwrap().to_owned();
    assert_eq!(net.lines().filter(|line| line.contains(':')).count(), 1, "loopback alone: {net}");
    let listed = content(call(&tools, "box:processes", json!({})).await)["stdout"].as_str().unwrap().to_owned();
    let own = std::process::id().to_string();
    assert!(!listed.lines().any(|line| line == own), "{listed}");
    assert_eq!(tools.notices(), Vec::<String>::new());
}
