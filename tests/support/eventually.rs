//! Waiting for a condition instead of for a time.

use std::time::Duration;

use tokio::time::{interval, timeout};

/// How often the condition is looked at.
const PAUSE: Duration = Duration::from_millis(20);

/// A condition that did not come true in time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct NotInTime {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub within: Duration,
}

/// Calls `probe` until it gives a value and returns that, or gives up after `within`.
/// The deadline only decides how long a failing test takes: a passing one ends as soon as the condition holds.
pub async fn eventually<T, P, F>(what: &str, within: Duration, mut probe: P) -> Result<T, NotInTime>
where
    P: FnMut() -> F,
    F: Future<Output = Option<T>>,
{
    let poll = async {
        let mut pauses = interval(PAUSE);
        loop {
            pauses.tick().await;
            if let Some(value) = probe().await {
                return value;
            }
        }
    };
    let in_time = timeout(within, poll).await;
    in_time.map_err(|_elapsed| NotInTime { what: what.to_owned(), within })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_first_value_is_returned() {
        let mut calls = 0;
        let value = eventually("the third call", Duration::from_secs(10), || {
            calls += 1;
            std::future::ready((calls == 3).then_some(calls))
        });
        assert_eq!(value.await, Ok(3));
    }

    #[tokio::test]
    async fn what_never_comes_is_named() {
        let within = Duration::from_millis(30);
        let never = eventually("godot", within, || std::future::ready(None::<()>));
        let what = "godot".to_owned();
        assert_eq!(never.await, Err(NotInTime { what, within }));
    }
}
