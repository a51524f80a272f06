//! A server of the Model Context Protocol as a script: what it answers to each method, and how it misbehaves.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// A server that reads lines and answers. It keeps every line it gets in `log`, and reads its tools from `tools.json` each time
/// it is asked, so that a test changes them.
const SERVER: &str = r#"
import json, os, sys, time
folder, mode = sys.argv[1], sys.argv[2]
log = open(os.path.join(folder, "log"), "a", buffering=1)
def say(message):
    sys.stdout.write(json.dumps(message) + "\n"); sys.stdout.flush()
def answer(asked, result): say({"jsonrpc": "2.0", "id": asked["id"], "result": result})
def refuse(asked, code, why): say({"jsonrpc": "2.0", "id": asked["id"], "error": {"code": code, "message": why}})
print("begins", file=sys.stderr, flush=True)
open(os.path.join(folder, "pids"), "a").write(f"{os.getpid()}\n")
for line in sys.stdin:
    asked = json.loads(line)
    log.write(line)
    method, params = asked.get("method"), asked.get("params", {})
    if method == "server/discover":
        if mode == "modern": answer(asked, {"resultType": "complete", "supportedVersions": ["2026-07-28"]})
        else: refuse(asked, -32601, "Method not found")
    elif method == "initialize":
        version = "1999-01-01" if mode == "unknown" else "2025-11-25"
        answer(asked, {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": {"name": "s", "version": "1"}})
    elif method == "tools/list":
        if mode == "asks": say({"jsonrpc": "2.0", "id": "q1", "method": "roots/list"})
        tools = json.load(open(os.path.join(folder, "tools.json")))
        half = len(tools) // 2
        if "cursor" in params: answer(asked, {"tools": tools[half:]})
        else: answer(asked, {"tools": tools[:half], "nextCursor": "more"})
    elif method == "tools/call":
        how = params["arguments"].get("how", "echo")
        if how == "echo": answer(asked, {"content": [{"type": "text", "text": json.dumps(params["arguments"])}]})
        elif how == "structured": answer(asked, {"content": [], "structuredContent": {"n": 1}})
        elif how == "fails": answer(asked, {"isError": True, "content": [{"type": "text", "text": "the disk is full"}]})
        elif how == "refuses": refuse(asked, -32602, "unknown argument")
        elif how == "breaks": refuse(asked, -32603, "internal")
        elif how == "dies": print("out of memory token=abcdefgh", file=sys.stderr, flush=True); os._exit(3)
        elif how == "floods": sys.stdout.write("x" * 5000000); sys.stdout.flush(); time.sleep(600)
        elif how == "noise": sys.stdout.write("not json\n{}\n[1]\n"); answer(asked, {"content": [{"type": "text", "text": "still here"}]})
        elif how == "changes":
            say({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
            answer(asked, {"content": [{"type": "text", "text": "changed"}]})
        elif how == "silent": pass
"#;

/// A scripted server in a folder of its own.
pub(super) struct Script {
    pub(super) folder: tempfile::TempDir,
    pub(super) mode: &'static str,
}

/// A tool as a server lists it.
pub(super) fn listed(name: &str, about: &str, more: &Value) -> Value {
    let schema = json!({"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object",
        "properties": {"how": {"type": "string"}, "path": {"type": "string"}}, "required": ["path"]});
    let mut tool = json!({"name": name, "description": about, "inputSchema": schema});
    tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    tool
}

impl Script {
    pub(super) fn new(mode: &'static str) -> Self {
        let script = Self { folder: tempfile::tempdir().unwrap(), mode };
        fs::write(script.file("server.py"), SERVER).unwrap();
        script.lists(&[listed("act", "Does it.", &json!({})), listed("look.at", "Looks.", &json!({}))]);
        script
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(super) fn lists(&self, tools: &[Value]) {
        fs::write(self.file("tools.json"), json!(tools).to_string()).unwrap();
    }

    /// The section of the server.
    pub(super) fn section(&self) -> Value {
        let folder = self.folder.path();
        json!({"s": {"kind": "mcp", "accepted": folder.join("accepted.json"),
            "run": {"command": ["python3", folder.join("server.py"), folder, self.mode], "none": "a test"},
            "tools": {"act": {"fix": {"path": "/srv"}}, "look": {"name": "look.at", "effect": "read", "risk": "low"}}}})
    }

    /// Every message that the server got.
    pub(super) fn came(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.file("log")).unwrap_or_default();
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    pub(super) fn calls(&self) -> usize {
        self.came().iter().filter(|message| message["method"] == "tools/call").count()
    }

    /// The ids of all processes it ran as.
    pub(super) fn pids(&self) -> Vec<String> {
        pids(&self.file("pids"))
    }
}

fn pids(path: &Path) -> Vec<String> {
    fs::read_to_string(path).unwrap_or_default().lines().map(str::to_owned).collect()
}
