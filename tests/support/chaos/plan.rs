//! What befalls the daemon, and who the cases are: a function of the seed.

use std::time::Duration;

use fastrand::Rng;

use super::strike::CallInstant;

/// One life of the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Round {
    /// The kill strikes while the daemon still starts.
    pub(super) early: bool,
    /// What comes before the kill.
    pub(super) troubles: Vec<Trouble>,
    /// How long after the start, or the last trouble, the kill strikes.
    pub(super) kill_after: Duration,
    /// The instant of a call, some time after that, at which the kill strikes instead.
    pub(super) at: Option<CallInstant>,
}

/// What does not kill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trouble {
    /// SIGSTOP, and SIGCONT later.
    Halt { after: Duration, length: Duration },
    /// The disk is full for a while.
    Full { after: Duration, length: Duration },
    /// SIGTERM: it ends in order and starts again.
    Restart { after: Duration },
}

/// How a case behaves.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Persona {
    /// `open`: every call runs by itself; `guarded`: an unsafe one waits for an approval; `crowded`: two calls at once do,
    /// and both are answered almost at once.
    pub(super) environment: &'static str,
    /// How the script ends it: `resolve` or `escalate`.
    pub(super) ending: &'static str,
    /// What is said to an approval.
    pub(super) answer: Reply,
    /// How fast approvals that come by twos are answered.
    pub(super) haste: Haste,
    /// What is said to a doubt.
    pub(super) doubt: Doubt,
    /// After which event somebody stops it.
    pub(super) stop_at: Option<u64>,
}

/// What a person does about an approval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reply {
    Approve,
    Edit,
    Reject,
    Respond,
    /// Nobody answers: it stays parked.
    Never,
}

/// How two approvals are answered: the second answer comes while the session, having taken the first, is about to park.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Haste {
    /// Before the first answer: the calls beside the two may have returned by then, or not.
    pub(super) first: Duration,
    /// From the first answer to the second.
    pub(super) second: Duration,
}

/// What a person does about a call in doubt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Asks the witness and says what is true.
    Settle,
    GiveUp,
    /// Nobody looks: it stays in doubt.
    Never,
}

/// Two daemons on one store, the second of which takes the first's sessions over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Meeting {
    /// How long the first works alone.
    pub(super) alone: Duration,
    /// How long after the start of the second the first is halted.
    pub(super) halt_after: Duration,
    /// How long the second works while the first stands still.
    pub(super) apart: Duration,
    /// How long both work, until the first is killed.
    pub(super) together: Duration,
    /// How long the second goes on, until it is killed.
    pub(super) after: Duration,
}

/// What happens between two fresh starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    /// One daemon has the store.
    Single(Round),
    /// Two have.
    Double(Meeting),
}

/// The lives of a campaign: all single, or all double. A double one has two kills.
pub(super) fn lives(seed: u64, kills: u32, meetings: bool) -> Vec<Life> {
    if meetings {
        self::meetings(seed, kills.div_ceil(2)).into_iter().map(Life::Double).collect()
    } else {
        rounds(seed, kills).into_iter().map(Life::Single).collect()
    }
}

/// The meetings of a campaign.
fn meetings(seed: u64, count: u32) -> Vec<Meeting> {
    let mut random = Rng::with_seed(seed);
    let mut span = |range| millis(&mut random, range);
    let meeting = |_| Meeting {
        alone: span(100..500),
        halt_after: span(0..150),
        apart: span(50..600),
        together: span(300..1200),
        after: span(50..400),
    };
    (0..count).map(meeting).collect()
}

fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

/// The rounds of a campaign, one kill in each.
fn rounds(seed: u64, kills: u32) -> Vec<Round> {
    let mut random = Rng::with_seed(seed);
    (0..kills).map(|_| round(&mut random)).collect()
}

fn round(random: &mut Rng) -> Round {
    if random.u8(0..100) < 12 {
        return Round { early: true, troubles: Vec::new(), kill_after: millis(random, 0..120), at: None };
    }
    let mut troubles = Vec::new();
    if random.u8(0..100) < 35 {
        troubles.push(Trouble::Halt { after: millis(random, 0..300), length: millis(random, 10..400) });
    }
    if random.u8(0..100) < 10 {
        troubles.push(Trouble::Full { after: millis(random, 20..300), length: millis(random, 50..400) });
    }
    if random.u8(0..100) < 8 {
        troubles.push(Trouble::Restart { after: millis(random, 0..300) });
    }
    random.shuffle(&mut troubles);
    let at = (random.u8(0..100) < 45).then(|| random.choice(CallInstant::ALL)).flatten();
    // While a witness waits for a call there must be some to come.
    let kill_after = millis(random, if at.is_some() { 0..150 } else { 10..900 });
    Round { early: false, troubles, kill_after, at }
}

impl Persona {
    /// The case of this number.
    pub(super) fn of(seed: u64, index: u64) -> Self {
        let mut random = Rng::with_seed(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(index));
        let answer = match random.u8(0..100) {
            ..55 => Reply::Approve,
            55..70 => Reply::Edit,
            70..82 => Reply::Reject,
            82..94 => Reply::Respond,
            _ => Reply::Never,
        };
        let doubt = match random.u8(0..100) {
            ..80 => Doubt::Settle,
            80..92 => Doubt::GiveUp,
            _ => Doubt::Never,
        };
        let environment = match random.u8(0..100) {
            ..40 => "open",
            40..65 => "guarded",
            _ => "crowded",
        };
        let micros = |random: &mut Rng, max| Duration::from_micros(random.u64(0..max));
        Self {
            environment,
            haste: Haste { first: micros(&mut random, 150_000), second: micros(&mut random, 15_000) },
            ending: if random.u8(0..3) == 0 { "escalate" } else { "resolve" },
            answer,
            doubt,
            stop_at: (random.u8(0..100) < 8).then(|| random.u64(2..30)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_seed_decides_and_every_kind_of_trouble_comes() {
        let planned = rounds(7, 200);
        assert_eq!(planned, rounds(7, 200));
        assert_ne!(planned, rounds(8, 200));
        let has = |wanted: fn(&Trouble) -> bool| planned.iter().any(|round| round.troubles.iter().any(wanted));
        assert!(planned.iter().any(|round| round.early));
        assert!(has(|trouble| matches!(trouble, Trouble::Halt { .. })));
        assert!(has(|trouble| matches!(trouble, Trouble::Full { .. })));
        assert!(has(|trouble| matches!(trouble, Trouble::Restart { .. })));
        for at in CallInstant::ALL {
            assert!(planned.iter().any(|round| round.at == Some(at)), "{at:?}");
        }
        assert_eq!(meetings(7, 9), meetings(7, 9));
        assert_ne!(meetings(7, 9), meetings(8, 9));
        assert_eq!(Persona::of(7, 3), Persona::of(7, 3));
        assert_ne!(Persona::of(7, 3), Persona::of(7, 4));
    }
}
