//! The seeded simulation: whole sessions on the real engine, its supervisors, workers and rules, over the in-memory store,
//! in virtual time on one thread. A seed decides everything: what models say and tools answer, what people do and when,
//! which store calls fail and how, when a node dies, stands still or goes on beside its successor, and how the wall clock
//! jumps. Once the faults stop, everything must come to rest and the promises must hold.
//!
//! ```text
//! dice      all chance, from the seed                 link     a node's way to the store, and its faults
//! world     nodes that come and go                    ledger   the store, and the book kept of every write
//! people    sessions opened, answered, stopped        witness  the tools, and who sees all that reaches them
//! mouth     what models say                           deeds    what truly happened, and what tools said of it
//!                                                     verdict  what must hold at rest
//! ```

mod board;
mod campaign;
mod clock;
mod deeds;
mod dice;
mod erasure;
mod gate;
mod ledger;
mod link;
mod mouth;
mod outbox;
mod packs;
mod people;
mod trace;
mod verdict;
mod witness;
mod world;

use std::cell::Cell;
use std::sync::Arc;
use std::time::Duration;

use provost_domain::ids::Digest;
use tokio::task::JoinSet;

pub use campaign::{Report, run};

use clock::SimClock;
use dice::Dice;
use link::{Storm, Weather};
use mouth::Away;
use people::Someone;
use trace::Trace;
use world::World;

/// Virtual time in which all people must have had their say.
const PEOPLE_MAX: Duration = Duration::from_hours(1);
/// Virtual time in which everything must have come to rest.
const REST_MAX: Duration = Duration::from_hours(2);
/// In how many worlds of a thousand somebody erases sessions.
const ERASES: u64 = 400;
/// In how many worlds of a thousand sessions are erased by age.
const RETAINS: u64 = 80;
/// How long sessions are kept there: at least, and at most so much longer.
const KEPT_LEAST: Duration = Duration::from_secs(10);
const KEPT_MS: u64 = 50_000;
/// The time in which retention looks at what is old: its first look comes after two minutes.
const RETAINED: Duration = Duration::from_mins(5);

/// A mechanism to do without, to see that the simulation finds out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Removed {
    /// One of the store's.
    Store(provost_store::Removed),
    /// Intents are durable before their effects.
    Intent,
    /// An approval is consumed by the call it allows.
    Consumption,
    /// Every attempt at a call comes under the same key.
    Key,
    /// A tool is asked before its call is made again.
    Probe,
    /// A session goes on with the pack it was opened with.
    Pin,
}

impl Removed {
    /// Each of them with its name.
    pub const ALL: [(&'static str, Self); 10] = [
        ("fence", Self::Store(provost_store::Removed::Fence)),
        ("wake-seq", Self::Store(provost_store::Removed::WakeSeq)),
        ("intent", Self::Intent),
        ("consumption", Self::Consumption),
        ("key", Self::Key),
        ("probe", Self::Probe),
        ("noting", Self::Store(provost_store::Removed::Noting)),
        ("at-rest", Self::Store(provost_store::Removed::AtRest)),
        ("claims", Self::Store(provost_store::Removed::Claims)),
        ("pin", Self::Pin),
    ];

    /// The one of this name.
    ///
    /// # Errors
    /// There is none; the names are listed.
    pub fn named(name: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(|(name, _)| name).join(", ");
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        found
            .map(|(_, removed)| removed)
            .ok_or_else(|| format!("nothing of that name can be removed; there are: {}", names()))
    }

    /// Its name.
    pub fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(_, removed)| *removed == self).map_or("", |(name, _)| name)
    }

    fn of_store(self) -> Option<provost_store::Removed> {
        match self {
            Self::Store(removed) => Some(removed),
            Self::Intent | Self::Consumption | Self::Key | Self::Probe | Self::Pin => None,
        }
    }
}

/// How a seed is played.
#[derive(Debug, Clone, Copy, Default)]
pub struct Options {
    /// Without this mechanism.
    pub removed: Option<Removed>,
    /// Whether everything that happens is kept for reading.
    pub trace: bool,
}

/// What a seed came to.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// The seed.
    pub seed: u64,
    /// Everything that is wrong; empty when every promise held.
    pub problems: Vec<String>,
    /// Of all logs, rows, approvals and effects: the same for the same seed.
    pub digest: Digest,
    /// What happened, one line each, if that was asked for.
    pub trace: Vec<String>,
    /// How much happened.
    pub counts: Counts,
}

/// How much happened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions.
    pub sessions: u64,
    /// Events in their logs.
    pub events: u64,
    /// Effects in the world.
    pub effects: u64,
    /// Fences given out beyond each session's first: takeovers, and wake-ups after parking.
    pub fences: u64,
    /// Sessions that were erased.
    pub erased: u64,
    /// Notices that are to arrive outside.
    pub notices: u64,
}

impl Counts {
    /// Both together.
    #[must_use]
    pub fn plus(self, other: Self) -> Self {
        Self {
            sessions: self.sessions + other.sessions,
            events: self.events + other.events,
            effects: self.effects + other.effects,
            fences: self.fences + other.fences,
            erased: self.erased + other.erased,
            notices: self.notices + other.notices,
        }
    }
}

thread_local! {
    /// Panics on this thread: a simulation stays on one.
    static PANICS: Cell<u32> = const { Cell::new(0) };
}

/// From now on counts panics instead of printing them: each is a violation of its seed.
pub fn count_panics() {
    std::panic::set_hook(Box::new(|_| PANICS.with(|panics| panics.set(panics.get() + 1))));
}

/// Plays a seed to its end.
///
/// # Errors
/// No runtime could be built.
pub fn play(seed: u64, options: Options) -> std::io::Result<Outcome> {
    let mut builder = tokio::runtime::Builder::new_current_thread();
    let runtime = builder.enable_time().start_paused(true).build()?;
    let panics = PANICS.with(Cell::get);
    let mut outcome = runtime.block_on(simulate(seed, options));
    let panicked = PANICS.with(Cell::get) - panics;
    if panicked > 0 {
        outcome.problems.push(format!("{panicked} panics"));
    }
    Ok(outcome)
}

/// Of a thousand seeds, in so many the model is away for minutes.
const AWAY: u64 = 150;
/// Of so many seeds, one has all its sessions about one service.
const CROWDED: u64 = 4;

fn weather(dice: &Dice) -> Weather {
    let most = dice.pick(&[0, 10, 40, 120]).unwrap_or(0);
    let up_to = |most: u64| dice.below(most + 1);
    Weather { before: up_to(most), after: up_to(most), twice: up_to(most), death: up_to(4), slow: up_to(most) }
}

async fn simulate(seed: u64, options: Options) -> Outcome {
    let dice = Dice::of(seed);
    let clock = Arc::new(SimClock::new());
    let trace = Trace::new(Arc::clone(&clock), options.trace);
    let weather = weather(&dice);
    trace.line(|| format!("{weather:?}"));
    let mut world = World::new(clock, Storm::new(weather), trace.clone(), options.removed);
    world.kept_for = dice.permille(RETAINS).then(|| KEPT_LEAST + dice.millis(KEPT_MS));
    world.is_crowded = seed.is_multiple_of(CROWDED);
    if dice.permille(AWAY) {
        world.away = Away::some_minutes(Arc::clone(&world.clock), &dice);
    }
    let mut people = JoinSet::new();
    for n in 0..=dice.below(4) {
        people.spawn(Someone::new(world.clone(), dice.fork(), n).live());
    }
    if dice.permille(ERASES) {
        people.spawn(erasure::archivist(world.clone(), dice.fork()));
    }
    drop(witness::beside(reloads(world.clone(), dice.fork())));
    drop(witness::beside(jumps(world.clone(), dice.fork())));
    for _ in 0..dice.below(4) {
        world.chapter(&dice).await;
    }
    world.storm.end();
    trace.line(|| "from here on nothing fails".to_owned());
    finish(&world, people, &dice).await;
    let counts = count(&world).await;
    let digest = verdict::digest(&world).await.unwrap_or_default();
    if let Err(error) = verdict::judge(&world).await {
        trace.problem(format!("the store cannot be read: {error}"));
    }
    Outcome { seed, problems: trace.problems(), digest, trace: trace.lines(), counts }
}

/// Somebody changes the packs under running sessions.
async fn reloads(world: World, dice: Dice) {
    for _ in 0..dice.below(3) {
        tokio::time::sleep(dice.millis(30_000)).await;
        world.reload(&dice).await;
    }
}

/// The wall clock is set, forward and back.
async fn jumps(world: World, dice: Dice) {
    for _ in 0..dice.below(3) {
        tokio::time::sleep(dice.millis(30_000)).await;
        let seconds = i64::try_from(dice.below(80)).unwrap_or(0) - 40;
        world.trace.line(|| format!("the clock jumps by {seconds} s"));
        world.clock.jump(seconds);
    }
}

/// The last node: people finish what they do, then everything comes to rest.
async fn finish(world: &World, mut people: JoinSet<()>, dice: &Dice) {
    if let Err(error) = world.start(dice).await {
        return world.trace.problem(format!("the last node does not start: {error}"));
    }
    let all = async { while people.join_next().await.is_some() {} };
    if tokio::time::timeout(PEOPLE_MAX, all).await.is_err() {
        world.trace.problem("somebody waits for an answer for ever".to_owned());
    }
    world.trace.line(|| "people have left".to_owned());
    if world.kept_for.is_some() {
        tokio::time::sleep(RETAINED).await;
    }
    let rest = async {
        while !verdict::is_quiet(world).await {
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
    };
    if tokio::time::timeout(REST_MAX, rest).await.is_err() {
        world.trace.problem("it never comes to rest".to_owned());
    }
}

async fn count(world: &World) -> Counts {
    use provost_domain::port::Reads as _;
    let mut counts = Counts::default();
    for id in world.ledger.ids() {
        counts.sessions += 1;
        if let Ok(row) = world.ledger.session(id).await {
            counts.events += row.head_seq.0;
            counts.fences += row.fence.0.saturating_sub(1);
            counts.erased += u64::from(row.erased_at.is_some());
        }
    }
    counts.notices = world.ledger.notices().len() as u64;
    counts.effects = world.deeds.all().values().map(|deed| u64::from(deed.times)).sum();
    counts
}
