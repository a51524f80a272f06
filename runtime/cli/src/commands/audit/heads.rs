//! Where logs stand, to be kept elsewhere: a log that was cut is whole in itself, and only shows against what it once was.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::path::Path;

use anyhow::{Context as _, Result, anyhow};
use provost_domain::ids::{Digest, Seq, SessionId};
use provost_domain::invariant::Head;
use provost_domain::port::{Reads, SessionFilter, SessionRow};
use provost_store::Heads;
use serde::Deserialize;
use serde_json::json;

use crate::output::Output;
use crate::wiring;

/// Sessions read at a time.
const PAGE: u32 = 500;

/// One line of the file, as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    session: SessionId,
    seq: Seq,
    hash: Digest,
}

/// Prints one line per session, newest first.
pub(super) async fn print(reads: &dyn Reads, session: Option<&str>, output: Output) -> Result<()> {
    if let Some(session) = session {
        let id = wiring::session(reads, session).await?;
        say(&reads.session(id).await?, output);
        return Ok(());
    }
    let mut filter = SessionFilter { limit: PAGE, ..SessionFilter::default() };
    loop {
        let rows = reads.sessions(&filter).await?;
        for row in &rows {
            say(row, output);
        }
        let Some(last) = rows.last() else { return Ok(()) };
        filter.before = Some(last.id);
    }
}

fn say(row: &SessionRow, output: Output) {
    let SessionRow { id, head_seq, head_hash, .. } = row;
    output.result(&json!({"session": id, "seq": head_seq, "hash": head_hash}), &format!("{id} {head_seq} {head_hash}"));
}

/// Reads what [`print()`] printed, in either form.
pub(super) fn read(path: &Path) -> Result<Heads> {
    let file = File::open(path).with_context(|| format!("{} cannot be opened; check the path", path.display()))?;
    let mut heads = Heads::new();
    for (line, number) in BufReader::new(file).lines().zip(1_u64..) {
        let place = || format!("{}:{number}", path.display());
        let line = line.with_context(place)?;
        if line.trim().is_empty() {
            continue;
        }
        let Line { session, seq, hash } = parse(&line).with_context(place)?;
        heads.insert(session, Head { seq, hash });
    }
    Ok(heads)
}

fn parse(line: &str) -> Result<Line> {
    let form = || anyhow!("this is not a line of `provost audit head`; name a file that it wrote");
    if line.starts_with('{') {
        return serde_json::from_str(line).map_err(|error| form().context(error));
    }
    let mut words = line.split_whitespace();
    let mut word = || words.next().ok_or_else(form);
    Ok(Line { session: word()?.parse()?, seq: Seq(word()?.parse()?), hash: word()?.parse()? })
}
