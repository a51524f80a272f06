//! What follows a try to send a message.

use std::time::Duration;

use provost_domain::port::{Carried, PAUSE_MAX, Then};
use provost_domain::time::Timestamp;
use provost_engine::Backoff;

/// The longest pause that nobody asked for; a target may ask for [`PAUSE_MAX`].
const OWN_MAX: Duration = Duration::from_mins(5);
/// The pauses after tries that did not work: a second, then twice as long each time.
const PAUSES: Backoff = Backoff::doubling(Duration::from_secs(1), OWN_MAX);
/// Longest note, in characters.
const NOTE_MAX: usize = 500;

/// What follows a try, the last one no later than `end`.
pub(super) fn follow(carried: Carried, tries: u64, now: Timestamp, end: Timestamp) -> (Then, String) {
    let (why, after) = match carried {
        Carried::Taken => return (Then::Sent, String::new()),
        Carried::Refused { why } => return (Then::Failed, short(&why)),
        Carried::NotYet { why, after } => (why, after),
    };
    let failures = u32::try_from(tries.saturating_add(1)).unwrap_or(u32::MAX);
    let next = now.plus(PAUSES.after(failures).max(after.unwrap_or_default().min(PAUSE_MAX)));
    if next > end {
        return (Then::Failed, short(&format!("tried for long enough; last: {why}")));
    }
    (Then::Again { at: next }, short(&why))
}

fn short(note: &str) -> String {
    note.chars().take(NOTE_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn later(after: Option<Duration>) -> Carried {
        Carried::NotYet { why: "busy".to_owned(), after }
    }

    #[test]
    fn pauses_double_up_to_a_bound_and_are_as_long_as_asked() {
        let (now, end) = (Timestamp::default(), Timestamp::default().plus(Duration::from_hours(24)));
        let pause = |tries, after| match follow(later(after), tries, now, end) {
            (Then::Again { at }, note) => {
                assert_eq!(note, "busy");
                at.since(now)
            }
            other => panic!("{other:?}"),
        };
        let seconds: Vec<u64> = (0..11).map(|tries| pause(tries, None).as_secs()).collect();
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]);
        assert_eq!(pause(u64::MAX, None), OWN_MAX);
        assert_eq!(pause(0, Some(Duration::from_secs(90))).as_secs(), 90);
        assert_eq!(pause(3, Some(Duration::from_secs(2))).as_secs(), 8);
        assert_eq!(pause(0, Some(Duration::from_hours(900))), PAUSE_MAX);
    }

    #[test]
    fn a_refusal_and_old_age_are_final() {
        let (now, end) = (Timestamp::from_micros(0), Timestamp::from_micros(1_000_000));
        assert_eq!(follow(Carried::Taken, 9, now, now), (Then::Sent, String::new()));
        let refused = Carried::Refused { why: "x".repeat(900) };
        assert_eq!(follow(refused, 0, now, end), (Then::Failed, "x".repeat(NOTE_MAX)));
        assert_eq!(follow(later(None), 0, now, end).0, Then::Again { at: end });
        let (then, note) = follow(later(None), 1, now, end);
        assert_eq!((then, note.as_str()), (Then::Failed, "tried for long enough; last: busy"));
    }
}
