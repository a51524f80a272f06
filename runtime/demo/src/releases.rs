//! The releases the shop knows, and which of them is live.

use std::collections::VecDeque;

use jiff::Timestamp;
use serde::Serialize;

/// Releases kept; the oldest goes first. More than any demonstration deploys, and an answer of a few kilobytes.
const RELEASES_MAX: usize = 64;

/// The release that fails. The shop never says so: its callers have to find out.
const FAULTY: &str = "2.4.1";

/// The release that ran before it.
const SOUND: &str = "2.4.0";

/// Oldest first; the live one is a position in this order, so that a rollback leaves the list as it was.
#[derive(Debug)]
pub(crate) struct Releases {
    deployed: VecDeque<Release>,
    live: usize,
}

#[derive(Clone, Debug)]
struct Release {
    version: String,
    at: Timestamp,
}

/// One release as `GET /admin/releases` shows it.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct Listed {
    version: String,
    at: Timestamp,
    current: bool,
}

/// What a change of the live release did.
#[derive(Debug, PartialEq, Serialize)]
pub(crate) struct ReleaseChange {
    /// The release that is live now.
    pub(crate) version: String,
    /// The release that was live before.
    pub(crate) previous: String,
}

impl Releases {
    /// A shop on its sound release, deployed at `at`.
    pub(crate) fn sound(at: Timestamp) -> Self {
        let version = SOUND.to_owned();
        Self { deployed: VecDeque::from([Release { version, at }]), live: 0 }
    }

    /// A shop that was just moved from its sound release to the faulty one.
    pub(crate) fn faulty(at: Timestamp) -> Self {
        let mut releases = Self::sound(at);
        releases.deploy(FAULTY.to_owned(), at);
        releases
    }

    /// The version that is live.
    pub(crate) fn live(&self) -> &str {
        self.deployed.get(self.live).map_or(SOUND, |release| &release.version)
    }

    /// Whether the live release is the one that fails.
    pub(crate) fn is_faulty(&self) -> bool {
        self.live() == FAULTY
    }

    /// Puts `version` live as the newest release.
    pub(crate) fn deploy(&mut self, version: String, at: Timestamp) -> ReleaseChange {
        let previous = self.live().to_owned();
        self.deployed.push_back(Release { version: version.clone(), at });
        if self.deployed.len() > RELEASES_MAX {
            self.deployed.pop_front();
        }
        self.live = self.deployed.len() - 1;
        ReleaseChange { version, previous }
    }

    /// Puts the release before the live one live; `None` when there is none.
    pub(crate) fn roll_back(&mut self) -> Option<ReleaseChange> {
        let earlier = self.live.checked_sub(1)?;
        let previous = self.live().to_owned();
        self.live = earlier;
        Some(ReleaseChange { version: self.live().to_owned(), previous })
    }

    /// Every release kept, oldest first.
    pub(crate) fn list(&self) -> Vec<Listed> {
        self.deployed
            .iter()
            .enumerate()
            .map(|(position, release)| Listed {
                version: release.version.clone(),
                at: release.at,
                current: position == self.live,
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(version: &str, previous: &str) -> ReleaseChange {
        ReleaseChange { version: version.to_owned(), previous: previous.to_owned() }
    }

    #[test]
    fn a_rollback_goes_one_release_back_and_stops_at_the_first() {
        let mut releases = Releases::faulty(Timestamp::UNIX_EPOCH);
        assert!(releases.is_faulty());
        assert_eq!(releases.roll_back(), Some(change(SOUND, FAULTY)));
        assert!(!releases.is_faulty());
        assert_eq!(releases.roll_back(), None);
        assert_eq!(releases.live(), SOUND);
    }

    #[test]
    fn deploying_makes_the_newest_release_current() {
        let mut releases = Releases::sound(Timestamp::UNIX_EPOCH);
        let deployed = releases.deploy("2.5.0".to_owned(), Timestamp::UNIX_EPOCH);
        assert_eq!(deployed, change("2.5.0", SOUND));
        let current: Vec<_> = releases.list().iter().map(|one| one.current).collect();
        assert_eq!(current, [false, true]);
    }

    #[test]
    fn the_list_is_bounded() {
        let mut releases = Releases::sound(Timestamp::UNIX_EPOCH);
        for nth in 0..=RELEASES_MAX {
            releases.deploy(format!("3.0.{nth}"), Timestamp::UNIX_EPOCH);
        }
        assert_eq!(releases.list().len(), RELEASES_MAX);
        assert_eq!(releases.live(), format!("3.0.{RELEASES_MAX}"));
    }
}
