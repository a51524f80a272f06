//! Servers of the protocol's own authors, from npm: installed once beside the build. These tests need node, npm and bubblewrap.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use provost_domain::tool::Happened;
use provost_tools::ToolSet;
use serde_json::{Value, json};
use tokio::process::{Child, Command as Running};

use crate::command::{is_running, until};
use crate::{Noon, call, content, happened, prepared, tools};

const PACKAGES: [&str; 3] = [
    "@modelcontextprotocol/server-everything@2026.8.31",
    "@modelcontextprotocol/server-filesystem@2026.8.31",
    "@modelcontextprotocol/server-memory@2026.8.31",
];

/// The folder with the servers.
fn installed() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("mcp-servers");
    let whole = folder.join("whole");
    fs::create_dir_all(&folder).unwrap();
    // Each test is a process of its own: one of them installs, the others wait for it.
    let lock = fs::File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    if !whole.exists() {
        let mut npm = Command::new("npm");
        npm.args(["install", "--no-audit", "--no-fund", "--prefix"]).arg(&folder).args(PACKAGES);
        let done = npm.stdout(Stdio::null()).output();
        let done = done.unwrap_or_else(|error| panic!("this test needs npm, which was not started: {error}"));
        let said = String::from_utf8_lossy(&done.stderr);
        assert!(done.status.success(), "this test needs {PACKAGES:?} from npm, which cannot be had: {said}");
        fs::write(whole, "").unwrap();
    }
    folder.canonicalize().unwrap()
}

fn main_of(folder: &Path, server: &str) -> PathBuf {
    folder.join(format!("node_modules/@modelcontextprotocol/server-{server}/dist/index.js"))
}

async fn accepted(written: &Value) -> ToolSet {
    let clock: std::sync::Arc<dyn provost_domain::port::Clock> = std::sync::Arc::new(Noon);
    let findings = tools(written).accept(&clock).await.unwrap();
    assert!(findings.iter().all(|finding| finding.ok), "{findings:?}");
    let checked = tools(written).check(&clock).await.unwrap();
    assert!(checked.iter().all(|finding| finding.ok), "{checked:?}");
    tools(written)
}

fn everything() -> Value {
    let read = json!({"effect": "read", "risk": "low"});
    json!({"echo": read, "sum": {"name": "get-sum", "effect": "read", "fix": {"b": 4}},
        "structured": {"name": "get-structured-content", "effect": "read"},
        "image": {"name": "get-tiny-image", "effect": "read"}, "env": {"name": "get-env", "effect": "read"}})
}

async fn works(tools: &ToolSet) {
    assert_eq!(content(call(tools, "e:echo", json!({"message": "a \"b\""})).await), json!({"text": "Echo: a \"b\""}));
    let sum = content(call(tools, "e:sum", json!({"a": 3})).await);
    assert_eq!(sum["text"], "The sum of 3 and 4 is 7.");
    let structured = content(call(tools, "e:structured", json!({"location": "Chicago"})).await);
    assert!(structured["structured"]["temperature"].is_number(), "{structured}");
    let image = content(call(tools, "e:image", json!({})).await)["text"].as_str().unwrap().to_owned();
    assert!(image.contains("[image image/png, ") && image.len() < 500, "{image}");
}

#[tokio::test]
async fn everything_works_as_a_child_in_a_sandbox() {
    let (folder, own) = (installed(), tempfile::tempdir().unwrap());
    let run = json!({"command": ["node", main_of(&folder, "everything")], "bubblewrap": {"read": [folder]}});
    let accepted_file = own.path().join("e.json");
    let written = json!({"e": {"kind": "mcp", "run": run, "accepted": accepted_file, "tools": everything()}});
    let tools = accepted(&written).await;
    works(&tools).await;
    let env = content(call(&tools, "e:env", json!({})).await)["text"].as_str().unwrap().to_owned();
    let env: Value = serde_json::from_str(&env).unwrap();
    let mut names: Vec<&String> = env.as_object().unwrap().keys().filter(|name| *name != "PWD").collect();
    names.sort();
    assert_eq!(names, ["PATH", "PROVOST_CHILD"]);
}

/// A server that ends with its test.
async fn over_http(folder: &Path) -> (Child, u16) {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Running::new("node");
    command.arg(main_of(folder, "everything")).arg("streamableHttp").env("PORT", port.to_string());
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
    until(|| {
        assert!(child.try_wait().unwrap().is_none(), "the server ended before it listened");
        std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
    })
    .await;
    (child, port)
}

#[tokio::test]
async fn everything_works_over_http() {
    let (folder, own) = (installed(), tempfile::tempdir().unwrap());
    let (mut child, port) = over_http(&folder).await;
    let written = json!({"e": {"kind": "mcp", "url": format!("http://127.0.0.1:{port}/mcp"),
        "accepted": own.path().join("e.json"), "tools": everything()}});
    let tools = accepted(&written).await;
    works(&tools).await;
    child.kill().await.unwrap();
    let (tool, asked) = prepared(&tools, "e:echo", json!({"message": "x"}));
    assert_eq!(happened(tool.call(&asked).await).0, Happened::No);
}

#[tokio::test]
async fn files_are_read_within_the_sandbox_and_nowhere_else() {
    let (folder, own) = (installed(), tempfile::tempdir().unwrap());
    let shown = own.path().join("shown");
    fs::create_dir(&shown).unwrap();
    fs::write(shown.join("a.txt"), "hello").unwrap();
    fs::write(own.path().join("secret.txt"), "hush").unwrap();
    let run =
        json!({"command": ["node", main_of(&folder, "filesystem"), shown], "bubblewrap": {"read": [folder, shown]}});
    let entries = json!({"read_text_file": {"effect": "read", "risk": "low"}, "write_file": {}});
    let written = json!({"f": {"kind": "mcp", "run": run, "accepted": own.path().join("f.json"), "tools": entries}});
    let tools = accepted(&written).await;
    let read = async |path: &Path| call(&tools, "f:read_text_file", json!({ "path": path })).await;
    assert_eq!(content(read(&shown.join("a.txt")).await)["text"], "hello");
    assert_eq!(happened(read(&own.path().join("secret.txt")).await).0, Happened::No);
    let args = json!({"path": shown.join("b.txt"), "content": "x"});
    assert_eq!(happened(call(&tools, "f:write_file", args).await).0, Happened::Answered, "the sandbox is read-only");
    let mut loose = written;
    loose["f"]["tools"]["write_file"]["effect"] = json!("read");
    let error = crate::built(&super::tools(&loose)).unwrap_err().to_string();
    assert!(error.contains("does not only read (readOnlyHint: false)"), "{error}");
}

#[tokio::test]
async fn a_memory_is_written_and_a_killed_server_is_started_again() {
    let (folder, own) = (installed(), tempfile::tempdir().unwrap());
    let run = json!({"command": ["node", main_of(&folder, "memory")], "none": "its ids are looked up"});
    let graph = own.path().join("graph.json");
    let written = json!({"m": {"kind": "mcp", "run": run, "env": {"MEMORY_FILE_PATH": graph},
        "accepted": own.path().join("m.json"), "tools": {"create_entities": {}, "search_nodes": {"effect": "read"}}}});
    let tools = accepted(&written).await;
    let entity = json!({"entities": [{"name": "web-1", "entityType": "host", "observations": ["is slow"]}]});
    let (create, asked) = prepared(&tools, "m:create_entities", entity);
    assert!(content(create.call(&asked).await)["text"].as_str().unwrap().contains("web-1"));
    let of_graph = |pid: &str| {
        let environment = fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
        String::from_utf8_lossy(&environment).contains(graph.to_str().unwrap())
    };
    let running = || -> Vec<String> {
        let all = fs::read_dir("/proc").unwrap().flatten().map(|entry| entry.file_name().into_string().unwrap());
        all.filter(|pid| of_graph(pid) && is_running(pid)).collect()
    };
    let [pid] = running().try_into().unwrap();
    assert!(Command::new("kill").args(["-9", &pid]).status().unwrap().success());
    until(|| !is_running(&pid)).await;
    let found = async || {
        let (search, asked) = prepared(&tools, "m:search_nodes", json!({"query": "web-1"}));
        search.call(&asked).await
    };
    assert!(content(found().await)["text"].as_str().unwrap().contains("is slow"));
    drop((create, tools));
    until(|| running().is_empty()).await;
}
