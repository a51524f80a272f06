//! How long a server asks to wait, in every form that servers say it in.

use std::time::{Duration, SystemTime};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

/// Longest wait that is read from a number with a fraction: a day. What asks for more has said something else.
const WAIT_MAX: f64 = 86_400.0;

/// How long to wait: milliseconds in a header of their own, seconds with or without a fraction, a span such as `1m30s`, or a
/// date, which is read against the server's own clock (its `Date` header).
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = |name: &str| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |said: &str| said.parse::<f64>().ok().filter(|number| (0.0..=WAIT_MAX * 1000.0).contains(number));
    if let Some(wait) = text("retry-after-ms").and_then(number) {
        return Some(Duration::from_secs_f64(wait / 1000.0));
    }
    let said = text(RETRY_AFTER.as_str())?;
    if let Ok(seconds) = said.parse::<u64>() {
        return Some(Duration::from_secs(seconds));
    }
    if let Some(seconds) = number(said).filter(|seconds| *seconds <= WAIT_MAX) {
        return Some(Duration::from_secs_f64(seconds));
    }
    if let Ok(span) = humantime::parse_duration(said) {
        return Some(span);
    }
    let (at, now): (SystemTime, SystemTime) =
        (httpdate::parse_http_date(said).ok()?, httpdate::parse_http_date(text(DATE.as_str())?).ok()?);
    Some(at.duration_since(now).unwrap_or_default())
}

/// Whole milliseconds.
pub(crate) fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_read_in_every_form_it_is_given_in() {
        for (name, said, expect) in [
            ("retry-after", "7", Some(7_000)),
            ("retry-after", "7.5", Some(7_500)),
            ("retry-after", "1m30s", Some(90_000)),
            ("retry-after-ms", "1500", Some(1_500)),
            ("retry-after", "-1", None),
            ("retry-after", "soon", None),
            ("retry-after", "NaN", None),
        ] {
            let headers = HeaderMap::from_iter([(name.parse().unwrap(), said.parse().unwrap())]);
            assert_eq!(retry_after(&headers).map(millis), expect, "{name}: {said}");
        }
    }

    #[track_caller]
    fn check_pause(after: &str, date: Option<&str>, expect: Option<u64>) {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, after.parse().unwrap());
        if let Some(date) = date {
            headers.insert(DATE, date.parse().unwrap());
        }
        assert_eq!(retry_after(&headers).map(millis), expect);
    }

    #[test]
    fn retry_after_in_seconds_or_as_a_date() {
        let now = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        check_pause("2", None, Some(2000));
        check_pause(" 0 ", now, Some(0));
        check_pause("Sun, 06 Nov 1994 08:49:47 GMT", now, Some(10_000));
        check_pause("Sun, 06 Nov 1994 08:00:00 GMT", now, Some(0));
        check_pause("Sun, 06 Nov 1994 08:49:47 GMT", None, None);
        check_pause("soon", now, None);
        check_pause("-1", now, None);
        check_pause("18446744073709551615", None, Some(u64::MAX));
    }
}
