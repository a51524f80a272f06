//! What a program answered, and how that is read within bounds.

use std::process::ExitStatus;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use super::group::ChildGroup;

/// How long output is waited for once the program ended: only what left its group may still hold it open.
const REST: Duration = Duration::from_secs(1);

/// Text of which the beginning was kept.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct BoundedText {
    /// What was kept; bytes that are not UTF-8 are U+FFFD.
    pub(crate) text: String,
    /// How many bytes came.
    pub(crate) bytes: u64,
    /// Whether more came than was kept.
    pub(crate) is_cut: bool,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProgramEnd {
    /// By itself, with this code.
    Exit(i32),
    /// By a signal.
    Signal(i32),
    /// It ended, and nobody can tell how.
    Unknown,
}

impl From<Option<ExitStatus>> for ProgramEnd {
    fn from(status: Option<ExitStatus>) -> Self {
        use std::os::unix::process::ExitStatusExt as _;
        let Some(status) = status else { return Self::Unknown };
        match (status.code(), status.signal()) {
            (Some(code), _) => Self::Exit(code),
            (None, Some(signal)) => Self::Signal(signal),
            (None, None) => Self::Unknown,
        }
    }
}

/// What a program answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ProgramAnswer {
    pub(crate) ended: ProgramEnd,
    pub(crate) stdout: BoundedText,
    pub(crate) stderr: BoundedText,
}

/// Bytes of which the beginning is kept.
#[derive(Debug)]
struct OutputBuffer {
    kept: Vec<u8>,
    limit: usize,
    bytes: u64,
}

impl OutputBuffer {
    const fn new(limit: usize) -> Self {
        Self { kept: Vec::new(), limit, bytes: 0 }
    }

    /// Reads to the end, so that the program never waits for a reader.
    async fn read(&mut self, from: Option<impl AsyncRead + Unpin>) {
        let Some(mut from) = from else { return };
        let mut chunk = vec![0; 16 * 1024];
        while let Ok(count @ 1..) = from.read(&mut chunk).await {
            let room = self.limit.saturating_sub(self.kept.len()).min(count);
            self.kept.extend_from_slice(chunk.get(..room).unwrap_or_default());
            self.bytes += count as u64;
        }
    }

    fn cut(self) -> BoundedText {
        let is_cut = self.bytes > self.kept.len() as u64;
        BoundedText { text: String::from_utf8_lossy(&self.kept).into_owned(), bytes: self.bytes, is_cut }
    }
}

/// Writes all of the input; a program that does not read it to the end is not our fault.
async fn feed(to: Option<impl AsyncWrite + Unpin>, input: &[u8]) {
    if let Some(mut to) = to
        && to.write_all(input).await.is_ok()
    {
        drop(to.shutdown().await);
    }
}

impl ProgramAnswer {
    /// Gives a program its input and reads what it answers until it ends, keeping at most `limit` bytes of each output.
    pub(super) async fn of(mut group: ChildGroup, input: &[u8], limit: usize) -> Self {
        let child = group.child();
        let (stdin, stdout, stderr) = (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let (mut out, mut err) = (OutputBuffer::new(limit), OutputBuffer::new(limit));
        let status = {
            let output = async { tokio::join!(out.read(stdout), err.read(stderr)) };
            tokio::pin!(output);
            let fed = feed(stdin, input);
            tokio::pin!(fed);
            let (mut is_read, mut is_fed) = (false, false);
            let status = {
                let ended = group.ended();
                tokio::pin!(ended);
                loop {
                    tokio::select! {
                        status = &mut ended => break status,
                        _ = &mut output, if !is_read => is_read = true,
                        () = &mut fed, if !is_fed => is_fed = true,
                    }
                }
            };
            if !is_read && tokio::time::timeout(REST, &mut output).await.is_err() {
                group.kill_marked();
                // What still holds it open now is not ours; what came is kept.
                drop(tokio::time::timeout(REST, &mut output).await);
            }
            status
        };
        Self { ended: status.into(), stdout: out.cut(), stderr: err.cut() }
    }
}
