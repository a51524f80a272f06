//! `provost audit`: everything that must hold of a store, checked from the outside while others may write.

mod heads;

use std::process::ExitCode;

use anyhow::Result;
use provost_domain::invariant::{Fault, Problem};
use provost_store::{Examination, Examined, Heads, StoreReads, StoreUrl, examine, open_read_only};
use serde_json::json;

use crate::args::Audit;
use crate::output::{BAD, GOOD, Output};
use crate::progress::Progress;
use crate::wiring;

pub(super) async fn run(command: Audit, output: Output) -> Result<ExitCode> {
    match command {
        Audit::Verify { session, heads, config } => {
            let url = wiring::config(&config)?.store;
            let reads = open_read_only(&url).await?;
            let heads = heads.as_deref().map(heads::read).transpose()?.unwrap_or_default();
            let mut audit = Verification::new(&url, output);
            match session {
                Some(session) => audit.one(&reads, &session, &heads).await?,
                None => audit.all(&reads, heads).await,
            }
            Ok(audit.conclude())
        }
        Audit::Head { session, config } => {
            let reads = wiring::reads(&wiring::config(&config)?).await?;
            heads::print(&*reads.sessions, session.as_deref(), output).await?;
            Ok(ExitCode::SUCCESS)
        }
    }
}

/// Checks a whole store and prints what does not hold. Whether all does.
pub(super) async fn verify(url: &StoreUrl, output: Output) -> Result<Verification> {
    let reads = open_read_only(url).await?;
    let mut audit = Verification::new(url, output);
    audit.all(&reads, Heads::new()).await;
    reads.close().await;
    Ok(audit)
}

/// What was found so far.
#[derive(Debug)]
pub(super) struct Verification {
    /// The store's name for people: its file, where it is one.
    place: String,
    output: Output,
    pub(super) sessions: u64,
    records: u64,
    pub(super) problems: u64,
    /// Sessions of which only the tombstone is left.
    erased: u64,
    /// Sessions with problems.
    bad: u64,
}

impl Verification {
    fn new(url: &StoreUrl, output: Output) -> Self {
        let place = url.file().map_or_else(|| url.to_string(), |file| file.display().to_string());
        Self { place, output, sessions: 0, records: 0, problems: 0, erased: 0, bad: 0 }
    }

    async fn one(&mut self, reads: &StoreReads, session: &str, heads: &Heads) -> Result<()> {
        let id = wiring::session(&*reads.sessions, session).await?;
        let examined = examine(&*reads.examine, id, heads.get(&id).copied()).await?;
        self.take(&examined);
        Ok(())
    }

    async fn all(&mut self, reads: &StoreReads, mut heads: Heads) {
        let pages = Progress::waiting("checking the file's pages");
        for line in reads.examine.damage().await {
            pages.aside(|| self.say(None, &Problem { record: None, fault: Fault::Log, what: line }));
        }
        drop(pages);
        self.rows(reads).await;
        let progress = Progress::of(reads.examine.count().await.unwrap_or_default(), "verifying sessions");
        let mut examination = Examination::of(&*reads.examine);
        while let Some(examined) = examination.next(&mut heads).await {
            progress.aside(|| self.take(&examined));
            progress.step();
        }
        drop(progress);
        for (session, head) in heads {
            let what = format!("the whole session is missing; its log once ended at event {}", head.seq);
            self.bad += 1;
            self.say(Some((&session.to_string(), None)), &Problem { record: None, fault: Fault::Log, what });
        }
    }

    /// What waits beside the logs.
    async fn rows(&mut self, reads: &StoreReads) {
        for what in reads.examine.shared_targets().await {
            self.say(None, &Problem { record: None, fault: Fault::Shared, what });
        }
        let mut lines = reads.examine.unreadable_rows().await;
        // What cannot be read at all is told already.
        for (group, _) in reads.deliveries.waiting().await.unwrap_or_default() {
            let plan = reads.deliveries.work(group, 1).await.ok().and_then(|work| work.plan);
            if let Some(error) = plan.as_deref().and_then(provost_mail::unreadable_plan) {
                lines.push(format!("the plan of group {group} of deliveries cannot be read: {error}"));
            }
        }
        for what in lines {
            self.say(None, &Problem { record: None, fault: Fault::Row, what });
        }
    }

    fn take(&mut self, examined: &Examined) {
        self.sessions += u64::from(examined.row.is_some());
        self.records += examined.records;
        self.erased += u64::from(examined.row.as_ref().is_some_and(|row| row.erased_at.is_some()));
        self.bad += u64::from(!examined.problems.is_empty());
        let row = examined.row.as_ref().map(|row| (row.id.to_string(), row.handle.as_str()));
        let name = row.as_ref().map_or((examined.place.as_str(), None), |(id, handle)| (id.as_str(), Some(*handle)));
        for problem in &examined.problems {
            self.say(Some(name), problem);
        }
    }

    /// Prints one problem, of a session (its id, and its handle) or of the file.
    fn say(&mut self, session: Option<(&str, Option<&str>)>, problem: &Problem) {
        self.problems += 1;
        let Problem { record, fault, what } = problem;
        let (id, handle) = session.unzip();
        let (handle, file) = (handle.flatten(), &self.place);
        let value = json!({
            "file": file, "session": id, "handle": handle, "record": record, "problem": what, "next": fault.next(),
        });
        let name = handle.or(id).unwrap_or(file);
        let at = record.map(|record| format!(" record {record}:")).unwrap_or_default();
        let place = id.map(|id| format!("\n    {id} in {file}")).unwrap_or_default();
        self.output.result(&value, &format!("{BAD}{name}{BAD:#}:{at} {what}{place}\n    {}", fault.next()));
    }

    fn conclude(&self) -> ExitCode {
        let Self { place, output, sessions, records, problems, erased, bad } = self;
        let verdict = match problems {
            0 => format!("{GOOD}clean{GOOD:#}"),
            _ => format!("{BAD}{problems} problems{BAD:#} in {bad} sessions"),
        };
        let value = json!({
            "file": place, "sessions": sessions, "records": records, "problems": problems,
            "bad_sessions": bad, "erased": erased,
        });
        let gone = if *erased == 0 { String::new() } else { format!(" ({erased} erased)") };
        output.result(&value, &format!("{sessions} sessions{gone}, {records} records: {verdict}"));
        if *problems == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }
}
