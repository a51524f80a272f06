//! How often a tool may be called: the key `rate`.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use provost_form::{ErrorLog, FromYaml, YamlNode};
use tokio::time::Instant;

/// Most calls of a rate: each one's time is remembered.
const CALLS_MAX: usize = 10_000;

/// So many calls within a time: `6/min`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CallRate {
    pub(super) calls: usize,
    pub(super) within: Duration,
}

impl CallRate {
    fn parse(text: &str) -> Option<Self> {
        let (calls, unit) = text.split_once('/')?;
        let within = match unit.trim() {
            "s" => Duration::from_secs(1),
            "min" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            _ => return None,
        };
        let calls = calls.trim().parse().ok().filter(|calls| (1..=CALLS_MAX).contains(calls))?;
        Some(Self { calls, within })
    }
}

impl FromYaml for CallRate {
    fn read(node: &YamlNode, log: &mut ErrorLog) -> Option<Self> {
        let text = String::read(node, log)?;
        let read = Self::parse(&text);
        if read.is_none() {
            let hint = format!("write calls and a time: 10/s, 6/min, 100/h; at most {CALLS_MAX} calls");
            log.report(node.place, "not a rate of calls", hint);
        }
        read
    }

    fn blank() -> Self {
        Self { calls: 1, within: Duration::from_secs(1) }
    }
}

/// Counts the calls of a tool in this process.
#[derive(Debug)]
pub(super) struct RateMeter {
    rate: CallRate,
    calls: Mutex<VecDeque<Instant>>,
}

impl RateMeter {
    pub(super) fn new(rate: CallRate) -> Self {
        Self { rate, calls: Mutex::default() }
    }

    /// Counts a call that begins now.
    ///
    /// # Errors
    /// There were as many as there may be: how long until the next one may begin.
    pub(super) fn count(&self, now: Instant) -> Result<(), Duration> {
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        while calls.front().is_some_and(|first| now.saturating_duration_since(*first) >= self.rate.within) {
            calls.pop_front();
        }
        if let Some(first) = calls.front().filter(|_| calls.len() >= self.rate.calls) {
            return Err(self.rate.within.saturating_sub(now.saturating_duration_since(*first)));
        }
        calls.push_back(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_has_a_number_and_a_time() {
        let read = |text: &str| CallRate::parse(text).map(|rate| (rate.calls, rate.within.as_secs()));
        assert_eq!(["6/min", "10/s", "1 / h"].map(read), [Some((6, 60)), Some((10, 1)), Some((1, 3600))]);
        assert_eq!(["6", "0/s", "-1/s", "6/day", "1.5/s", "10001/s", ""].map(read), [None; 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_window_slides() {
        let second = Duration::from_secs(1);
        let meter = RateMeter::new(CallRate { calls: 2, within: second * 10 });
        let start = Instant::now();
        assert_eq!(meter.count(start), Ok(()));
        assert_eq!(meter.count(start + second * 4), Ok(()));
        assert_eq!(meter.count(start + second * 5), Err(second * 5));
        assert_eq!(meter.count(start + second * 10), Ok(()));
        assert_eq!(meter.count(start + second * 11), Err(second * 3));
    }
}
