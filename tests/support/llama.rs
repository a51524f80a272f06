//! A real model server: that of `llama-cpp-python`, with a model from a file.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::process::{Child, Command};

use crate::eventually::eventually;

/// Loading a small file takes less than importing what the server is made of.
const STARTS_WITHIN: Duration = Duration::from_mins(2);

/// The running server; it ends with the handle.
#[derive(Debug)]
pub struct LlamaServer {
    /// Where it answers, up to and with `/v1`.
    pub base_url: String,
    _process: Child,
}

impl LlamaServer {
    /// Starts it with this Python and these more arguments, and waits until it answers.
    pub async fn start(python: &str, model: &Path, more: &[&str]) -> Self {
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port().to_string();
        let mut command = Command::new(python);
        command
            .args(["-m", "llama_cpp.server", "--host", "127.0.0.1", "--port", &port, "--model"])
            .arg(model)
            .args(more);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let process = command.spawn().unwrap();
        let base_url = format!("http://127.0.0.1:{port}/v1");
        let client = provost_http::client(None).unwrap().build().unwrap();
        let up = eventually("the model server", STARTS_WITHIN, || async {
            client.get(format!("{base_url}/models")).send().await.ok().filter(|answer| answer.status().is_success())
        });
        up.await.unwrap();
        Self { base_url, _process: process }
    }
}
