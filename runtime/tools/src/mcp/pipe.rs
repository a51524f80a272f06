//! A server that is a child of this process: a message is a line.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use provost_domain::failure::FailureKind;
use serde_json::{Value, json};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use super::message::{Era, MESSAGE_MAX, McpMessage, McpRequest, WireFault, WireReply, answer};
use super::wire::McpWire;
use crate::process::ChildGroup;
use crate::redact::redact;

/// Messages that wait to be written. A server that reads none of them is not sent more.
const QUEUE: usize = 64;
/// How much of what a server writes to its error output is kept, in bytes.
const SAID_MAX: usize = 2 * 1024;

/// What the tasks of one connection share.
#[derive(Debug, Default)]
struct PipeState {
    waiting: Mutex<HashMap<u64, oneshot::Sender<WireReply>>>,
    over: AtomicBool,
    changed: AtomicBool,
    /// The end of its error output.
    said: Mutex<Vec<u8>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PipeState {
    /// Nothing more will come: everyone who waits is told.
    fn end(&self, why: &str) {
        self.over.store(true, Ordering::SeqCst);
        for (_, waiting) in locked(&self.waiting).drain() {
            // Who no longer waits needs no answer.
            drop(waiting.send(Err(WireFault::lost(self.with_last_words(why)))));
        }
    }

    fn with_last_words(&self, why: &str) -> String {
        let said = String::from_utf8_lossy(&locked(&self.said)).trim().to_owned();
        if said.is_empty() { why.to_owned() } else { format!("{why}; it said: {}", redact(&said)) }
    }

    /// Takes what came. The answer to a question is returned.
    fn take(&self, line: &[u8]) -> Option<Value> {
        let message: Value = serde_json::from_slice(line).ok()?;
        match McpMessage::of(&message) {
            McpMessage::Reply { id, reply } => {
                if let Some(waiting) = locked(&self.waiting).remove(&id) {
                    drop(waiting.send(reply));
                }
                None
            }
            McpMessage::Question { id, method } => Some(answer(&id, &method)),
            McpMessage::Notice { method } => {
                if method == "notifications/tools/list_changed" {
                    self.changed.store(true, Ordering::SeqCst);
                }
                None
            }
            McpMessage::Odd => None,
        }
    }
}

/// A connection to a child. Dropped, the child and everything it started are killed.
#[derive(Debug)]
pub(super) struct Pipe {
    state: Arc<PipeState>,
    lines: mpsc::Sender<Vec<u8>>,
    _tasks: JoinSet<()>,
    _group: ChildGroup,
}

impl Pipe {
    pub(super) fn new(mut group: ChildGroup) -> Self {
        let state = Arc::new(PipeState::default());
        let (lines, waiting) = mpsc::channel(QUEUE);
        let child = group.child();
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let mut tasks = JoinSet::new();
        tasks.spawn(write(stdin, waiting, Arc::clone(&state)));
        tasks.spawn(read(stdout, lines.clone(), Arc::clone(&state)));
        tasks.spawn(listen(stderr, Arc::clone(&state)));
        Self { state, lines, _tasks: tasks, _group: group }
    }
}

async fn write(to: Option<impl AsyncWrite + Unpin>, mut lines: mpsc::Receiver<Vec<u8>>, state: Arc<PipeState>) {
    let Some(mut to) = to else { return };
    while let Some(line) = lines.recv().await {
        if to.write_all(&line).await.is_err() || to.flush().await.is_err() {
            state.end("the server no longer reads");
            return;
        }
    }
}

async fn read(from: Option<impl AsyncRead + Unpin>, lines: mpsc::Sender<Vec<u8>>, state: Arc<PipeState>) {
    let Some(mut from) = from else { return };
    let (mut line, mut chunk) = (Vec::new(), vec![0; 64 * 1024]);
    loop {
        let Ok(count @ 1..) = from.read(&mut chunk).await else {
            return state.end("the server ended before it answered");
        };
        for part in chunk.get(..count).unwrap_or_default().split_inclusive(|byte| *byte == b'\n') {
            line.extend_from_slice(part);
            if line.len() > MESSAGE_MAX {
                return state.end(&format!("the server sent a message of more than {MESSAGE_MAX} bytes"));
            }
            if part.ends_with(b"\n") {
                if let Some(answer) = state.take(&line) {
                    // A server that asks more than it reads gets no more answers.
                    drop(lines.try_send(framed(&answer)));
                }
                line.clear();
            }
        }
    }
}

/// Keeps the end of what a server says beside its messages.
async fn listen(from: Option<impl AsyncRead + Unpin>, state: Arc<PipeState>) {
    let Some(mut from) = from else { return };
    let mut chunk = vec![0; 4 * 1024];
    while let Ok(count @ 1..) = from.read(&mut chunk).await {
        let mut said = locked(&state.said);
        said.extend_from_slice(chunk.get(..count).unwrap_or_default());
        let excess = said.len().saturating_sub(SAID_MAX);
        said.drain(..excess);
    }
}

fn framed(message: &Value) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

/// A request that is waited for; given up, the server is told.
struct PendingReply<'a> {
    pipe: &'a Pipe,
    id: u64,
}

impl Drop for PendingReply<'_> {
    fn drop(&mut self) {
        if locked(&self.pipe.state.waiting).remove(&self.id).is_some() {
            let params = json!({"requestId": self.id, "reason": "the caller gave up"});
            let message = json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": params});
            // A server whose queue is full is told nothing more.
            drop(self.pipe.lines.try_send(framed(&message)));
        }
    }
}

#[async_trait]
impl McpWire for Pipe {
    async fn exchange(&self, request: &McpRequest, era: &Era) -> WireReply {
        let (sender, reply) = oneshot::channel();
        locked(&self.state.waiting).insert(request.id, sender);
        let _waiting = PendingReply { pipe: self, id: request.id };
        if !self.is_open() {
            let why = self.state.with_last_words("the server ended");
            return Err(WireFault::unsent(FailureKind::Transient, why));
        }
        if self.lines.try_send(framed(&request.message(era))).is_err() {
            return Err(WireFault::unsent(FailureKind::Transient, "the server does not read what is sent to it"));
        }
        reply.await.unwrap_or_else(|_dropped| Err(WireFault::lost("the connection to the server ended")))
    }

    async fn tell(&self, message: Value, _: &Era) {
        drop(self.lines.try_send(framed(&message)));
    }

    fn is_open(&self) -> bool {
        !self.state.over.load(Ordering::SeqCst)
    }

    fn tools_changed(&self) -> bool {
        self.state.changed.swap(false, Ordering::SeqCst)
    }
}
