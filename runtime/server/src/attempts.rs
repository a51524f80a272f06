//! Wrong logins: after a few of them an address has to wait, longer with each further one. Nothing is looked up meanwhile.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::http::{HeaderMap, HeaderValue};
use tokio::time::Instant;

use crate::connections::Peer;

/// Wrong logins without a wait: people mistype.
const FREE: u32 = 5;
/// The longest wait.
const PAUSE_MAX: Duration = Duration::from_mins(1);
/// After this time without a wrong login an address begins anew.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(15);
/// Most addresses that are remembered. Beyond that, those that waited longest are forgotten.
const ADDRESSES_MAX: usize = 10_000;

/// The wrong logins of each address.
#[derive(Debug, Default)]
pub(crate) struct WrongLogins(Mutex<HashMap<Peer, WrongLoginCount>>);

#[derive(Debug, Clone, Copy)]
struct WrongLoginCount {
    wrong: u32,
    last: Instant,
}

impl WrongLoginCount {
    /// Until when the next attempt is not looked at.
    fn until(self) -> Instant {
        let over = self.wrong.saturating_sub(FREE);
        let pause = if over == 0 { Duration::ZERO } else { Duration::from_secs(1 << (over - 1).min(6)) };
        self.last + pause.min(PAUSE_MAX)
    }
}

impl WrongLogins {
    /// How long this address has to wait before its next attempt is looked at.
    pub(crate) fn pause(&self, peer: Peer, now: Instant) -> Duration {
        let counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        counts.get(&peer).map_or(Duration::ZERO, |count| count.until().saturating_duration_since(now))
    }

    /// A wrong login; how many there were in a row.
    pub(crate) fn wrong(&self, peer: Peer, now: Instant) -> u32 {
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if counts.len() >= ADDRESSES_MAX {
            counts.retain(|_, count| now.duration_since(count.last) < FORGOTTEN_AFTER);
            let oldest = counts.iter().min_by_key(|(_, count)| count.last).map(|(peer, _)| *peer);
            if let Some(oldest) = oldest.filter(|_| counts.len() >= ADDRESSES_MAX) {
                counts.remove(&oldest);
            }
        }
        let count = counts.entry(peer).or_insert(WrongLoginCount { wrong: 0, last: now });
        if now.duration_since(count.last) >= FORGOTTEN_AFTER {
            count.wrong = 0;
        }
        *count = WrongLoginCount { wrong: count.wrong.saturating_add(1), last: now };
        count.wrong
    }

    /// A right login: the address begins anew.
    pub(crate) fn right(&self, peer: Peer) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&peer);
    }
}

/// Whose request it is: a proxy on this machine says for whom it asks. From elsewhere anybody could write so.
pub(crate) fn asker(peer: Peer, headers: &HeaderMap) -> Peer {
    let near = match peer {
        Peer::Local => true,
        Peer::Address(address) => address.is_loopback(),
    };
    let last = |value: &HeaderValue| value.to_str().ok()?.rsplit(',').next()?.trim().parse::<IpAddr>().ok();
    let told = headers.get_all("x-forwarded-for").iter().next_back().and_then(last);
    told.filter(|_| near).map_or(peer, Peer::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> Peer {
        text.parse::<IpAddr>().unwrap().into()
    }

    #[test]
    fn each_further_wrong_login_of_an_address_waits_longer() {
        let (logins, now, peer) = (WrongLogins::default(), Instant::now(), address("10.0.0.1"));
        for _ in 0..FREE {
            logins.wrong(peer, now);
        }
        assert_eq!(logins.pause(peer, now), Duration::ZERO);
        let pauses: Vec<u64> = (0..8)
            .map(|_| {
                logins.wrong(peer, now);
                logins.pause(peer, now).as_secs()
            })
            .collect();
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60]);
        assert_eq!(logins.pause(address("10.0.0.2"), now), Duration::ZERO);
        assert_eq!(logins.pause(peer, now + PAUSE_MAX), Duration::ZERO);
        assert_eq!(logins.wrong(peer, now + FORGOTTEN_AFTER), 1);
        logins.right(peer);
        assert_eq!(logins.wrong(peer, now), 1);
    }

    #[test]
    fn only_a_near_proxy_says_for_whom_it_asks() {
        let told: HeaderMap =
            [("x-forwarded-for".parse().unwrap(), "1.1.1.1, 10.0.0.7".parse().unwrap())].into_iter().collect();
        assert_eq!(asker(address("127.0.0.1"), &told), address("10.0.0.7"), "the last one is the proxy's own word");
        assert_eq!(asker(Peer::Local, &told), address("10.0.0.7"));
        assert_eq!(asker(address("10.0.0.1"), &told), address("10.0.0.1"));
        assert_eq!(asker(Peer::Local, &HeaderMap::new()), Peer::Local);
    }
}
