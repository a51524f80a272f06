//! What still burns: what a report that an alert fires leads to, by the state of the session that its case is with. This is
//! the table of the page on deliveries.
//!
//! | the session | fires, not reported before or again after its end | still fires |
//! |---|---|---|
//! | none | opens one | – |
//! | works or waits | is told | nothing |
//! | reached an outcome | opens its child | opens its child, once it has been over for [`STILL`] |
//! | was handed to people, or stopped by one | opens its child | nothing: a person has it |
//! | needs review, or failed | is told and tried again | is tried again after a pause |
//! | the same, tried again often enough | is told; people are told | people are told, once |
//! | can no longer be read | opens its child | opens its child |

use std::time::Duration;

use provost_domain::pack::OutcomeKind;

/// How long after an outcome an alert may still be reported before that counts: an alert ends some minutes after what it
/// measures, and its end is reported with a delay.
pub(super) const STILL: Duration = Duration::from_mins(15);
/// The pauses before a session is tried again because of alerts, one after the other; then people are told.
const PAUSES: [Duration; 3] = [Duration::from_secs(10), Duration::from_mins(5), Duration::from_hours(1)];

/// How a session stands, as far as its alerts are concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum CaseStanding {
    /// It works, or waits for a person.
    Live,
    /// It reached an outcome of this kind.
    Reached(OutcomeKind),
    /// A person stopped it.
    Stopped,
    /// It needs review, or failed.
    Stuck,
    /// It cannot be read any more.
    Lost,
}

/// How an alert is reported as firing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AlertReport {
    /// It was not reported before, or it is reported again after its end.
    Fires,
    /// It was reported before, and its end was not.
    StillFires,
}

/// What a report leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reaction {
    /// A session is opened, child of the one there was.
    Open,
    /// The session is told.
    Tell,
    /// The session is tried again, and told what is new.
    Retry,
    /// People are told that it burns and nobody works on it.
    Alarm,
    Nothing,
}

/// What a report leads to. `quiet` is how long nothing was recorded in the session, `retries` how often it was tried again
/// because of alerts.
pub(super) fn reaction(
    session: Option<CaseStanding>,
    report: AlertReport,
    quiet: Duration,
    retries: usize,
) -> Reaction {
    let Some(standing) = session else {
        return match report {
            AlertReport::Fires => Reaction::Open,
            AlertReport::StillFires => Reaction::Nothing,
        };
    };
    match (standing, report) {
        (CaseStanding::Live, AlertReport::Fires) => Reaction::Tell,
        (CaseStanding::Live, AlertReport::StillFires) => Reaction::Nothing,
        (CaseStanding::Reached(_) | CaseStanding::Stopped | CaseStanding::Lost, AlertReport::Fires)
        | (CaseStanding::Lost, AlertReport::StillFires) => Reaction::Open,
        (
            CaseStanding::Reached(OutcomeKind::Success | OutcomeKind::Failure | OutcomeKind::Neutral),
            AlertReport::StillFires,
        ) if quiet >= STILL => Reaction::Open,
        (CaseStanding::Reached(_) | CaseStanding::Stopped, AlertReport::StillFires) => Reaction::Nothing,
        (CaseStanding::Stuck, report) => match (PAUSES.get(retries), report) {
            (None, _) => Reaction::Alarm,
            (Some(_), AlertReport::Fires) => Reaction::Retry,
            (Some(pause), AlertReport::StillFires) if quiet >= *pause => Reaction::Retry,
            (Some(_), AlertReport::StillFires) => Reaction::Nothing,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(session: Option<CaseStanding>, quiet: Duration, retries: usize, fires: Reaction, still: Reaction) {
        let found =
            [AlertReport::Fires, AlertReport::StillFires].map(|report| reaction(session, report, quiet, retries));
        assert_eq!(found, [fires, still], "{session:?} {quiet:?} {retries}");
    }

    #[test]
    fn the_table() {
        use Reaction::{Alarm, Nothing, Open, Retry, Tell};
        let (soon, late) = (Duration::from_secs(9), Duration::from_hours(2));
        check(None, late, 0, Open, Nothing);
        check(Some(CaseStanding::Live), late, 9, Tell, Nothing);
        for kind in [OutcomeKind::Success, OutcomeKind::Failure, OutcomeKind::Neutral] {
            check(Some(CaseStanding::Reached(kind)), soon, 0, Open, Nothing);
            check(Some(CaseStanding::Reached(kind)), late, 0, Open, Open);
        }
        check(Some(CaseStanding::Reached(OutcomeKind::Escalation)), late, 0, Open, Nothing);
        check(Some(CaseStanding::Stopped), late, 0, Open, Nothing);
        check(Some(CaseStanding::Lost), soon, 0, Open, Open);
        check(Some(CaseStanding::Stuck), soon, 0, Retry, Nothing);
        check(Some(CaseStanding::Stuck), PAUSES[0], 0, Retry, Retry);
        check(Some(CaseStanding::Stuck), PAUSES[0], 1, Retry, Nothing);
        check(Some(CaseStanding::Stuck), PAUSES[1], 1, Retry, Retry);
        check(Some(CaseStanding::Stuck), late, PAUSES.len(), Alarm, Alarm);
    }
}
