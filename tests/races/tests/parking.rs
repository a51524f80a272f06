//! Owners that settle and park against people who submit: no command is left unread, none is settled twice, and nobody
//! writes once the session was taken from him.

use provost_domain::port::StoreError;
use provost_domain::time::Timestamp;
use provost_races::Removed;
use provost_races::memory::MemoryStore;
use provost_races::registry::LockRegistry;
use shuttle::thread;

use crate::in_many_orders;
use crate::owner::Carrier;
use crate::race::{Race, SESSION};

/// What each submitter sends. The first is one command, sent by both.
const COMMANDS: [[&str; 2]; 2] = [["told both", "told one"], ["told both", "refused two"]];

/// The process that people talk to.
const PROCESS: &str = "first";
/// How often another owner looks for work.
const SWEEPS: usize = 3;

/// A command came, or a sweep found one: the process carries the session unless it does so already.
fn wake(race: &Race, registry: &LockRegistry) -> Result<(), StoreError> {
    let Ok(_guard) = registry.try_acquire(SESSION, PROCESS, Timestamp::default()) else { return Ok(()) };
    Carrier::take(race, PROCESS).carry()
}

/// Submits as faces do: first into the inbox, then the hint.
fn people(race: &Race, registry: &LockRegistry, commands: [&str; 2], ended: fn(&Result<(), StoreError>)) {
    for command in commands {
        race.submit(command);
        ended(&wake(race, registry));
    }
}

/// Nothing came between.
fn parked(ended: &Result<(), StoreError>) {
    assert_eq!(*ended, Ok(()));
}

/// One process, woken by two people and by its own sweep: its registry keeps its owners apart, so each of them parks.
fn in_one_process(store: MemoryStore) {
    let (race, registry) = (Race::new(store), LockRegistry::default());
    thread::scope(|scope| {
        let (race, registry) = (&race, &registry);
        for commands in COMMANDS {
            scope.spawn(move || people(race, registry, commands, parked));
        }
        scope.spawn(move || {
            if race.is_runnable(PROCESS) {
                parked(&wake(race, registry));
            }
        });
    });
    assert!(registry.is_empty());
    race.ends();
}

/// Either it parked, or somebody else has the session now.
fn parked_or_fenced(ended: &Result<(), StoreError>) {
    assert!(matches!(ended, Ok(()) | Err(StoreError::Fenced | StoreError::Stale)), "{ended:?}");
}

/// Somebody takes the session away while its owner may be at work, past the owner's registry: the owner learns so at its
/// next write.
fn against(other: &'static str, store: MemoryStore) {
    let (race, registry) = (Race::new(store), LockRegistry::default());
    thread::scope(|scope| {
        let (race, registry) = (&race, &registry);
        for commands in COMMANDS {
            scope.spawn(move || people(race, registry, commands, parked_or_fenced));
        }
        scope.spawn(move || {
            for _ in 0..SWEEPS {
                // What a process took itself its sweeps do not find.
                if other == PROCESS || race.is_runnable(other) {
                    parked_or_fenced(&Carrier::take(race, other).carry());
                }
            }
        });
    });
    race.ends();
}

fn against_a_second_process(store: MemoryStore) {
    against("second", store);
}

/// As a supervisor does that replaces one whose write is still on its way.
fn against_its_own_successor(store: MemoryStore) {
    against(PROCESS, store);
}

#[test]
fn no_wake_up_is_lost_between_reading_and_parking() {
    in_many_orders(|| in_one_process(MemoryStore::new()));
}

#[test]
fn a_second_owner_settles_what_the_first_did_not_and_never_again() {
    in_many_orders(|| against_a_second_process(MemoryStore::new()));
}

#[test]
fn a_replaced_owner_of_the_same_process_is_fenced_too() {
    in_many_orders(|| against_its_own_successor(MemoryStore::new()));
}

#[test]
#[should_panic(expected = "parked over acknowledged commands")]
fn parking_over_a_wake_up_is_found_out() {
    in_many_orders(|| in_one_process(MemoryStore::without(Removed::WakeSeq)));
}

#[test]
#[should_panic(expected = "a fenced owner wrote")]
fn a_fence_that_is_not_checked_is_found_out() {
    in_many_orders(|| against_a_second_process(MemoryStore::without(Removed::Fence)));
}
