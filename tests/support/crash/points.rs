//! Points: every crossing of a port has a name, `port.method#n`, counted anew by each process. A strike makes one go wrong.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

/// How much later a delayed call is made: more than the runtime's own beats, less than a tool's timeout.
pub const DELAY: Duration = Duration::from_secs(5);
/// After its strike a process lives on until nothing of it can go on by itself, and this much longer.
const SOON: Duration = Duration::from_millis(1);

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The call fails, and nothing was done.
    Before,
    /// All was done, and the answer is lost.
    After,
    /// It is done twice; the second answer is heard.
    Duplicate,
    /// It is done much later.
    Delay,
    /// It is never answered, and nothing is done.
    Hang,
    /// It fails, and says that what is stored is damaged.
    Damaged,
}

/// When the process dies of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Death {
    /// There, in place of the answer.
    AtOnce,
    /// As soon as nothing goes on by itself any more.
    Soon,
    /// Not at all.
    Never,
}

/// One thing that goes wrong in one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strike {
    /// The point.
    pub at: String,
    /// What goes wrong there.
    pub fault: Fault,
    /// What the process makes of it.
    pub death: Death,
}

/// The points of a run.
#[derive(Debug)]
pub struct Points {
    /// Those of each process, in order; those after the last are not struck.
    strikes: Vec<Vec<Strike>>,
    now: Mutex<Now>,
    struck: watch::Sender<Option<Death>>,
}

#[derive(Debug, Default)]
struct Now {
    process: usize,
    counts: BTreeMap<String, u64>,
    /// Of each process so far.
    crossed: Vec<Vec<String>>,
    exercised: Vec<BTreeSet<String>>,
}

/// Says when it goes that the strike has had its effect, also where the call was given up meanwhile.
struct Landing<'a>(&'a Points, &'a Strike);

impl Drop for Landing<'_> {
    fn drop(&mut self) {
        let Self(points, strike) = self;
        points.now.lock().unwrap().exercised.last_mut().unwrap().insert(strike.at.clone());
        points.struck.send_replace(Some(strike.death));
    }
}

impl Points {
    /// For processes that are struck so.
    pub fn new(strikes: Vec<Vec<Strike>>) -> Self {
        Self { strikes, now: Mutex::default(), struck: watch::Sender::new(None) }
    }

    /// The next process begins.
    pub fn begin(&self) {
        let mut now = self.now.lock().unwrap();
        now.counts.clear();
        now.crossed.push(Vec::new());
        now.exercised.push(BTreeSet::new());
        now.process = now.crossed.len();
        self.struck.send_replace(None);
    }

    /// The points that a process crossed, in order.
    pub fn crossed(&self, process: usize) -> Vec<String> {
        self.now.lock().unwrap().crossed.get(process).cloned().unwrap_or_default()
    }

    /// The points of a process at which something went wrong.
    pub fn exercised(&self, process: usize) -> BTreeSet<String> {
        self.now.lock().unwrap().exercised.get(process).cloned().unwrap_or_default()
    }

    /// Waits until the process must die.
    pub async fn death(&self) {
        let mut struck = self.struck.subscribe();
        let death = *struck.wait_for(|death| !matches!(death, None | Some(Death::Never))).await.unwrap();
        if death == Some(Death::Soon) {
            sleep(SOON).await;
        }
    }

    /// Makes a call through a point. `failed` is the answer to one that went wrong.
    pub async fn through<T, F: Future<Output = T>>(
        &self,
        method: &str,
        call: impl Fn() -> F,
        failed: impl Fn(Fault) -> T,
    ) -> T {
        let Some(strike) = self.cross(method) else { return call().await };
        let landing = Landing(self, strike);
        match strike.fault {
            Fault::Before | Fault::Damaged => {}
            Fault::Hang => std::future::pending().await,
            Fault::After => drop(call().await),
            Fault::Duplicate => {
                drop(call().await);
                return call().await;
            }
            Fault::Delay => {
                sleep(DELAY).await;
                return call().await;
            }
        }
        drop(landing);
        if strike.death == Death::AtOnce { std::future::pending().await } else { failed(strike.fault) }
    }

    fn cross(&self, method: &str) -> Option<&Strike> {
        let mut now = self.now.lock().unwrap();
        let count = now.counts.entry(method.to_owned()).or_default();
        *count += 1;
        let name = format!("{method}#{count}");
        let process = now.process.checked_sub(1)?;
        now.crossed[process].push(name.clone());
        self.strikes.get(process)?.iter().find(|strike| strike.at == name)
    }
}
