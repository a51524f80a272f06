//! Many readers of one session's stream, in a process of their own: what they cost is not the server's cost.
//!
//! They speak HTTP by hand and look only for the ids, so that little of the machine is spent on them.

use std::net::SocketAddr;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use clap::Args;
use memchr::memchr;
use provost_domain::ids::{Seq, SessionId};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::TcpStream;
use tokio::process::{Child, ChildStdout, Command};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::face::Face;
use crate::machine;

/// What a reader takes at once, in bytes.
const BUFFER: usize = 64 * 1024;
/// An id's line fits.
const LINE_MAX: usize = 32;
/// How far behind the readers may be in the end.
const CATCH_UP: Duration = Duration::from_mins(2);

/// Who reads what.
#[derive(Debug, Clone, Args)]
pub(crate) struct Orders {
    #[arg(long)]
    address: SocketAddr,
    #[arg(long)]
    session: String,
    /// They begin after this event.
    #[arg(long)]
    after: u64,
    /// How many there are.
    #[arg(long)]
    count: usize,
    /// They never read.
    #[arg(long)]
    silent: bool,
}

/// What a crowd saw.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Events of one reader; all have the same.
    pub(crate) events: u64,
    /// Bytes of all readers.
    pub(crate) bytes: u64,
    /// How long the last one took to have everything, once the session's head was known.
    pub(crate) lag_ms: u64,
    /// Processor time of all readers together.
    pub(crate) cpu_ms: u64,
}

/// A crowd that is there.
pub(crate) struct Crowd {
    child: Child,
    answers: Lines<BufReader<ChildStdout>>,
}

impl Crowd {
    /// Lets readers of a session come, after its present end. Returns when all have their stream.
    pub(crate) async fn come(face: &Face, session: SessionId, after: Seq, count: usize, silent: bool) -> Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.args(["crowd", "--address", &face.address.to_string(), "--session", &session.to_string()]);
        command.args(["--after", &after.to_string(), "--count", &count.to_string()]);
        if silent {
            command.arg("--silent");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn()?;
        let answers = BufReader::new(child.stdout.take().context("it is piped")?).lines();
        let mut crowd = Self { child, answers };
        crowd.say(&face.secret).await?;
        crowd.hear().await?;
        Ok(crowd)
    }

    /// Lets them go, those that read once they have seen everything up to `head`.
    pub(crate) async fn leave(mut self, head: Seq) -> Result<Seen> {
        self.say(&head.to_string()).await?;
        let seen = serde_json::from_str(&self.hear().await?)?;
        ensure!(self.child.wait().await?.success(), "the readers failed");
        Ok(seen)
    }

    async fn say(&mut self, line: &str) -> Result<()> {
        let stdin = self.child.stdin.as_mut().context("it is piped")?;
        Ok(stdin.write_all(format!("{line}\n").as_bytes()).await?)
    }

    async fn hear(&mut self) -> Result<String> {
        self.answers.next_line().await?.context("the readers failed")
    }
}

/// The other process: connects, says `ready`, and when told the head says what it saw.
pub(crate) async fn attend(orders: Orders) -> Result<()> {
    let mut told = BufReader::new(tokio::io::stdin()).lines();
    let secret = told.next_line().await?.context("no secret")?;
    let (head, mut readers) = (watch::channel(None), JoinSet::new());
    let mut streams = Vec::new();
    for _ in 0..orders.count {
        streams.push(open(&orders, &secret).await?);
    }
    for stream in streams.drain(..) {
        if orders.silent {
            readers.spawn(silent(stream, head.1.clone()));
        } else {
            let reader = Reader { last: orders.after, ..Reader::default() };
            readers.spawn(reader.read(stream, head.1.clone()));
        }
    }
    println!("ready");
    let cpu = machine::cpu()?;
    let until: u64 = told.next_line().await?.context("no head")?.parse()?;
    let began = Instant::now();
    head.0.send_replace(Some(until));
    let mut seen = Seen::default();
    while let Some(reader) = timeout(CATCH_UP, readers.join_next()).await.context("they do not catch up")? {
        let reader = reader??;
        ensure!(orders.silent || reader.last >= until, "a stream ended after {}, before {until}", reader.last);
        seen.events = seen.events.max(reader.last.min(until).saturating_sub(orders.after));
        seen.bytes += reader.bytes;
    }
    seen.lag_ms = u64::try_from(began.elapsed().as_millis())?;
    seen.cpu_ms = u64::try_from(machine::cpu()?.saturating_sub(cpu).as_millis())?;
    println!("{}", serde_json::to_string(&seen)?);
    Ok(())
}

/// Asks for the stream and sees that it was granted, without taking anything from the socket.
async fn open(orders: &Orders, secret: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(orders.address).await?;
    let request = format!(
        "GET /v1/sessions/{}/events?after={} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {secret}\r\n\
         accept: text/event-stream\r\n\r\n",
        orders.session, orders.after
    );
    stream.write_all(request.as_bytes()).await?;
    let mut status = [0; 12];
    while stream.peek(&mut status).await? < status.len() {}
    ensure!(&status == b"HTTP/1.1 200", "refused: {}", String::from_utf8_lossy(&status));
    Ok(stream)
}

async fn silent(stream: TcpStream, mut head: watch::Receiver<Option<u64>>) -> Result<Reader> {
    head.wait_for(Option::is_some).await?;
    drop(stream);
    Ok(Reader::default())
}

/// One reader of a stream.
#[derive(Debug, Default)]
struct Reader {
    last: u64,
    bytes: u64,
    /// The beginning of a line whose end has not come yet.
    line: Vec<u8>,
}

impl Reader {
    /// Reads until it has seen the head it is told; fails on a gap or a repetition.
    async fn read(mut self, mut stream: TcpStream, mut head: watch::Receiver<Option<u64>>) -> Result<Self> {
        let mut buffer = vec![0; BUFFER];
        while head.borrow_and_update().is_none_or(|head| self.last < head) {
            let count = tokio::select! {
                count = stream.read(&mut buffer) => count?,
                changed = head.changed() => { changed?; continue }
            };
            if count == 0 {
                break;
            }
            self.take(buffer.get(..count).unwrap_or_default())?;
        }
        Ok(self)
    }

    fn take(&mut self, mut bytes: &[u8]) -> Result<()> {
        self.bytes += bytes.len() as u64;
        while let Some(end) = memchr(b'\n', bytes) {
            let (line, rest) = bytes.split_at(end + 1);
            self.keep(line);
            self.end_of_line()?;
            bytes = rest;
        }
        self.keep(bytes);
        Ok(())
    }

    /// As much of a line as an id can have.
    fn keep(&mut self, part: &[u8]) {
        let room = LINE_MAX.saturating_sub(self.line.len());
        self.line.extend(part.iter().take(room));
    }

    fn end_of_line(&mut self) -> Result<()> {
        if let Some(id) = self.line.strip_prefix(b"id: ") {
            let id: u64 = std::str::from_utf8(id)?.trim().parse()?;
            ensure!(id == self.last + 1, "event {id} came after {}", self.last);
            self.last = id;
        }
        self.line.clear();
        Ok(())
    }
}
