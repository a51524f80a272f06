//! The chaos campaign: the real daemon under kill -9, SIGSTOP, restarts and a full disk, with many sessions at once, people
//! who answer, and a witness outside that counts every effect. Afterwards everything that was acknowledged is looked for.
//!
//! | file | what |
//! |---|---|
//! | `plan` | what befalls the daemon and who the cases are, from the seed |
//! | `site`, `disk` | the daemon's folder, its process, its disk |
//! | `witness`, `outside` | the service outside, a process of its own, which no fault touches |
//! | `strike` | kills at instants that only the witness knows |
//! | `caller`, `stream`, `case`, `ledger` | requests that survive crashes, one task per session, what was acknowledged |
//! | `meeting` | two daemons on one store |
//! | `verdict`, `report` | what must hold, what was seen |
//! | `controls` | the same without one of the mechanisms: then it must not hold |
//! | `recovery` | how long a start takes when many sessions were at work |

mod caller;
mod case;
mod controls;
mod disk;
mod ledger;
mod meeting;
mod outside;
mod plan;
mod recovery;
mod report;
mod site;
mod stream;
mod strike;
mod verdict;
mod witness;

use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::eventually::eventually;
use caller::Caller;
use case::Case;
pub use controls::{CONTROLS, Control, Shown, control};
use ledger::Ledger;
use meeting::Held;
use outside::Outside;
pub use outside::witness;
use plan::{Life, Persona, Round, Trouble};
pub use recovery::{Herd, recovery};
pub use report::{Report, Troubles};
use site::{Process, Site};
use strike::{CallInstant, Strike};

/// Sessions opened for each kill: enough for many to be at work whenever one strikes.
const SESSIONS_PER_KILL: usize = 8;
/// Sessions opened for each meeting of two daemons: it takes longer, and each should find the other at work on many.
const SESSIONS_PER_MEETING: usize = 24;
/// Sessions a person waits for at once.
const LIVE_MAX: usize = 48;
/// How long a start may take on a loaded machine.
const START_MAX: Duration = Duration::from_secs(30);
/// How long the witness waits for a call to kill the daemon in.
const CALL_COMES_WITHIN: Duration = Duration::from_secs(2);
/// Starts in a row that may fail, a disk being full or not.
const FAILED_STARTS_MAX: u32 = 5;
/// How long the daemon may need until it is quiet once the faults have stopped: only how long a failing campaign takes.
pub const QUIET_MAX: Duration = Duration::from_mins(3);

/// How a campaign is run.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The program under test.
    pub program: PathBuf,
    /// How often it is killed.
    pub kills: u32,
    /// Chooses what happens; the kernel's timing it does not choose.
    pub seed: u64,
    /// Whether the store lies on a small file system of its own, which is filled now and then. Needs root.
    pub fill_disk: bool,
    /// How long the daemon may need until it is quiet once the faults have stopped.
    pub quiet: Duration,
    /// Whether two daemons have the store at once, in place of all other trouble. Only a program that can do without its
    /// lock can be run like that.
    pub meetings: bool,
    /// Variables for the daemon's environment.
    pub environment: Vec<(String, String)>,
}

/// How far a campaign is.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Kills so far.
    pub kills: u32,
    /// Kills wanted.
    pub of: u32,
    /// Sessions opened so far.
    pub sessions: usize,
    /// Events seen so far.
    pub seen: usize,
}

/// Runs a campaign.
pub async fn run(settings: Settings, progress: impl Fn(Progress)) -> Report {
    let began = Instant::now();
    let witness = Arc::new(Outside::start(!settings.meetings).await);
    let site = Site::build(&settings, &witness.url).await;
    let (up, url) = watch::channel(None);
    let ledger = Arc::new(Ledger::default());
    let caller = Caller::new(url, site.secret(site::OPERATOR));
    let driver = Driver {
        site,
        up,
        caller: caller.clone(),
        witness: Arc::clone(&witness),
        ledger: Arc::clone(&ledger),
        troubles: Troubles::default(),
        failed: 0,
    };
    let cases = Cases {
        caller,
        approver: driver.site.secret(site::APPROVER).to_owned(),
        witness: Arc::clone(&witness),
        ledger: Arc::clone(&ledger),
        tickets: Arc::new(Semaphore::new(0)),
        seed: settings.seed,
    };
    let (held, store) = (Held::default(), driver.site.store());
    let watching = async { if settings.meetings { held.watch(&store).await } else { std::future::pending().await } };
    let driver = tokio::select! {
        driver = driver.campaign(&settings, cases, &progress) => driver,
        never = watching => match never {},
    };
    let mut report = verdict::verdict(&driver.site, &ledger, &witness, &held).await;
    report.seed = settings.seed;
    report.troubles = driver.troubles;
    report.disk_full_skipped = driver.site.disk_never_full(&settings);
    report.took = began.elapsed();
    if !report.is_clean() {
        report.kept = Some(driver.site.keep());
    }
    report
}

/// Whoever opens sessions.
struct Cases {
    caller: Caller,
    approver: String,
    witness: Arc<Outside>,
    ledger: Arc<Ledger>,
    /// How many may still be opened: the campaign adds to it as it goes.
    tickets: Arc<Semaphore>,
    seed: u64,
}

impl Cases {
    /// Opens cases as tickets and places allow, for ever.
    async fn open(&self, tasks: &mut JoinSet<()>) {
        let places = Arc::new(Semaphore::new(LIVE_MAX));
        for index in 0_u64.. {
            self.tickets.acquire().await.unwrap().forget();
            let place = Arc::clone(&places).acquire_owned().await.unwrap();
            let case = Case {
                index,
                persona: Persona::of(self.seed, index),
                operator: self.caller.clone(),
                approver: self.caller.as_other(&self.approver),
                witness: Arc::clone(&self.witness),
                ledger: Arc::clone(&self.ledger),
                postponed: Mutex::default(),
                asked: AtomicU64::new(0),
            };
            tasks.spawn(async move {
                case.run().await;
                drop(place);
            });
        }
    }
}

/// Whoever does harm.
struct Driver {
    site: Site,
    up: watch::Sender<Option<String>>,
    caller: Caller,
    witness: Arc<Outside>,
    ledger: Arc<Ledger>,
    troubles: Troubles,
    /// Starts in a row that failed.
    failed: u32,
}

impl Driver {
    /// Does all the harm, waits until it is quiet, and ends the daemon in order.
    async fn campaign(mut self, settings: &Settings, cases: Cases, progress: &impl Fn(Progress)) -> Self {
        let lives = plan::lives(settings.seed, settings.kills, settings.meetings);
        let mut tasks = JoinSet::new();
        let harm = async {
            for life in &lives {
                match life {
                    Life::Single(round) => {
                        cases.tickets.add_permits(SESSIONS_PER_KILL);
                        self.round(round).await;
                    }
                    Life::Double(meeting) => {
                        cases.tickets.add_permits(SESSIONS_PER_MEETING);
                        self.meet(meeting).await;
                    }
                }
                let (sessions, seen) = self.ledger.sizes();
                progress(Progress { kills: self.troubles.kills, of: settings.kills, sessions, seen });
            }
        };
        tokio::select! {
            () = harm => {}
            () = cases.open(&mut tasks) => {}
        }
        self.settle(settings.quiet, &mut tasks).await;
        self
    }

    /// One life of the daemon, or several where it ends before it is killed.
    async fn round(&mut self, round: &Round) {
        if round.early {
            let mut process = self.site.spawn();
            process.for_a_while(round.kill_after).await;
            self.kill(process).await;
            return;
        }
        let mut process = self.start().await;
        for trouble in &round.troubles {
            process = self.trouble(process, *trouble).await;
        }
        process.for_a_while(round.kill_after).await;
        if let Some(at) = round.at {
            self.struck(&mut process, at).await;
        }
        self.kill(process).await;
    }

    /// Lets the witness kill the daemon within a call, if one comes.
    async fn struck(&mut self, process: &mut Process, at: CallInstant) {
        self.witness.strike(Some(Strike { at, group: process.group() })).await;
        process.for_a_while(CALL_COMES_WITHIN).await;
        self.witness.strike(None).await;
        self.troubles.struck += u32::from(process.has_ended());
    }

    /// Starts the daemon until it listens.
    async fn start(&mut self) -> Process {
        loop {
            let mut process = self.site.spawn();
            self.troubles.starts += 1;
            let said = match timeout(START_MAX, process.listening()).await {
                Ok(Ok(url)) => {
                    self.failed = 0;
                    self.up.send_replace(Some(url));
                    return process;
                }
                Ok(Err(said)) => said,
                Err(_) => format!("nothing for {START_MAX:?}"),
            };
            process.kill().await;
            self.failed += 1;
            let log = self.site.log();
            assert!(self.failed < FAILED_STARTS_MAX, "the daemon does not start; it said {said}\n{log}");
        }
    }

    async fn kill(&mut self, process: Process) {
        self.up.send_replace(None);
        process.kill().await;
        self.troubles.kills += 1;
    }

    async fn trouble(&mut self, mut process: Process, trouble: Trouble) -> Process {
        match trouble {
            Trouble::Halt { after, length } => {
                process.for_a_while(after).await;
                process.signal("STOP");
                // A stopped process does not end.
                process.for_a_while(length).await;
                process.signal("CONT");
                self.troubles.halts += 1;
            }
            Trouble::Full { after, length } => {
                process.for_a_while(after).await;
                if !self.site.fill_disk() {
                    return process;
                }
                self.troubles.full += 1;
                process.for_a_while(length).await;
                self.site.free_disk();
            }
            Trouble::Restart { after } => {
                process.for_a_while(after).await;
                process.signal("TERM");
                self.troubles.restarts += 1;
                if timeout(START_MAX, process.ended()).await.is_err() {
                    self.ledger.complain("stuck", "the daemon did not end in order".to_owned());
                }
            }
        }
        if process.has_ended() {
            self.up.send_replace(None);
            if matches!(trouble, Trouble::Full { .. }) {
                self.troubles.died_of_full += 1;
            }
            return self.start().await;
        }
        process
    }

    /// The faults have stopped: every case gets its end.
    async fn settle(&mut self, quiet: Duration, tasks: &mut JoinSet<()>) {
        let mut process = self.start().await;
        let ended = timeout(quiet, async {
            while let Some(done) = tasks.join_next().await {
                done.unwrap();
            }
        });
        if ended.await.is_err() {
            self.ledger.complain("stuck", format!("{} cases have no end after {quiet:?}", tasks.len()));
            tasks.abort_all();
        }
        let told = eventually("every notification to be sent", quiet, || async {
            let (_, waiting) = self.caller.get("/v1/outbox?state=waiting").await;
            waiting["items"].as_array().is_some_and(Vec::is_empty).then_some(())
        });
        if let Err(late) = told.await {
            self.ledger.complain("messages_lost", format!("{late:?}"));
        }
        process.signal("TERM");
        if timeout(START_MAX, process.ended()).await.is_err() {
            self.ledger.complain("stuck", "the daemon did not end in order".to_owned());
            process.kill().await;
        }
    }
}
