//! Reasons, effects, numbers and times for reading.

use std::time::Duration;

use provost_domain::gate::GateReason;
use provost_domain::time::Timestamp;
use provost_domain::tool::EffectClass;
use serde_json::Value;

/// A wire word for reading: `no_progress` becomes `no progress`.
pub fn word(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), |word| word.replace('_', " "))
}

/// Why a gate asks; fits after "because".
pub fn gate_reason(reason: GateReason) -> &'static str {
    match reason {
        GateReason::HighRiskTool => "this tool is high risk",
        GateReason::GatedEnvironment => "the environment is gated for this tool",
        GateReason::LowConfidence => "the agent's confidence is too low to act alone",
        GateReason::Rule => "a rule of the policy asks for it here",
        GateReason::Effect => "closing the case this way runs this tool, and the policy asks for it",
        GateReason::PolicyDenied => "the policy denies it",
        GateReason::Auto => "nothing asks for a person",
    }
}

/// What a repetition of a call would mean.
pub fn effect(effect: EffectClass) -> &'static str {
    match effect {
        EffectClass::Read => "reads only",
        EffectClass::Idempotent => "changes something; safe to repeat",
        EffectClass::Probe => "changes something; its tool is asked before it is repeated",
        EffectClass::Unsafe => "changes something; never repeated by itself",
    }
}

/// How something waits for a server; fits after what it waits for. The times are when it failed first, when it is tried next
/// and when its budget ends.
pub(super) fn waiting(attempt: u32, since: Timestamp, (next, until): (Timestamp, Timestamp)) -> String {
    let [since, next, until] = [since, next, until].map(clock);
    format!("since {since} (attempt {attempt}, next at {next}, until {until} UTC)")
}

/// The time of day, UTC, to the millisecond.
pub fn clock(at: Timestamp) -> String {
    at.to_string().get(11..23).unwrap_or_default().to_owned()
}

/// Date and minute, UTC.
pub fn minute(at: Timestamp) -> String {
    at.to_string().get(..16).unwrap_or_default().replace('T', " ")
}

/// A span in its largest unit.
pub fn span(span: Duration) -> String {
    match span.as_secs() {
        0 => format!("{} ms", span.as_millis()),
        seconds @ 1..60 => format!("{seconds} s"),
        seconds @ 60..3600 => format!("{} min", seconds / 60),
        seconds @ 3600..172_800 => format!("{} h", seconds / 3600),
        seconds => format!("{} d", seconds / 86_400),
    }
}

/// How long ago.
pub fn ago(now: Timestamp, at: Timestamp) -> String {
    let since = now.since(at);
    if since < Duration::from_secs(5) { "just now".to_owned() } else { format!("{} ago", span(since)) }
}

/// How long until.
pub fn until(now: Timestamp, at: Timestamp) -> String {
    if at <= now { "now".to_owned() } else { format!("in {}", span(at.since(now))) }
}

/// A number with thin spaces between its thousands.
pub fn number(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// Millionths of a US dollar as dollars and cents.
pub fn dollars(micros: u64) -> String {
    format!("${}.{:02}", micros / 1_000_000, micros % 1_000_000 / 10_000)
}

/// A cost of which only this part, in millionths of a dollar, has a known price.
pub fn unknown_cost(priced: u64) -> String {
    if priced == 0 { "unknown".to_owned() } else { format!("{}, the rest unknown", dollars(priced)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_numbers_are_short() {
        let at = Timestamp::from_micros(0);
        assert_eq!(ago(at.plus(Duration::from_secs(200)), at), "3 min ago");
        assert_eq!(until(at, at.plus(Duration::from_mins(90))), "in 1 h");
        assert_eq!(number(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(dollars(1_234_567), "$1.23");
    }
}
