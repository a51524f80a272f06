//! Words of senders: how bad an alert is, and whether it fires. Each has one meaning here; a word that is in no table has
//! none, and stays visible where it stands.

/// How bad it is, from low to high, each with the words for it: plain ones, those of syslog, of ticket systems, of
/// monitoring systems.
const SEVERITIES: [(&str, &[&str]); 4] = [
    (
        "low",
        &[
            "low",
            "lowest",
            "info",
            "information",
            "informational",
            "notice",
            "none",
            "debug",
            "trivial",
            "p4",
            "p5",
            "sev4",
            "sev5",
            "s4",
            "s5",
            "severity4",
            "severity5",
            "priority4",
            "priority5",
        ],
    ),
    (
        "medium",
        &[
            "medium",
            "med",
            "moderate",
            "normal",
            "warning",
            "warn",
            "average",
            "minor",
            "p3",
            "sev3",
            "s3",
            "severity3",
            "priority3",
        ],
    ),
    ("high", &["high", "error", "err", "major", "severe", "danger", "p2", "sev2", "s2", "severity2", "priority2"]),
    (
        "critical",
        &[
            "critical",
            "crit",
            "page",
            "pager",
            "fatal",
            "emergency",
            "emerg",
            "alert",
            "panic",
            "disaster",
            "urgent",
            "blocker",
            "highest",
            "p0",
            "p1",
            "sev0",
            "sev1",
            "s0",
            "s1",
            "severity0",
            "severity1",
            "priority0",
            "priority1",
        ],
    ),
];

/// Words by which an alert fires, and those by which it is over.
const FIRING: [&str; 7] = ["firing", "alerting", "active", "triggered", "trigger", "open", "problem"];
const OVER: [&str; 8] = ["resolved", "resolve", "ok", "normal", "inactive", "recovered", "recovery", "closed"];

/// The severity that a word stands for: `low`, `medium`, `high` or `critical`. Capitals, blanks and signs do not count, and
/// several words (`P1 - Critical`) must mean the same.
pub(super) fn severity(written: &str) -> Option<&'static str> {
    let words = || written.split(|letter: char| !letter.is_alphanumeric()).filter(|word| !word.is_empty());
    let whole: String = words().flat_map(str::chars).collect();
    if let Some(level) = level(&whole) {
        return Some(level);
    }
    let mut levels = words().filter_map(level);
    let first = levels.next()?;
    levels.all(|level| level == first).then_some(first)
}

fn level(word: &str) -> Option<&'static str> {
    let is = |own: &&str| own.eq_ignore_ascii_case(word);
    SEVERITIES.iter().find(|(_, words)| words.iter().any(&is)).map(|(level, _)| *level)
}

/// The worse of two severities.
pub(super) fn worse<'a>(one: Option<&'a str>, other: Option<&'a str>) -> Option<&'a str> {
    let rank = |level: &str| SEVERITIES.iter().position(|(own, _)| *own == level);
    one.into_iter().chain(other).max_by_key(|level| rank(level))
}

/// Whether an alert fires, by its own word for it.
pub(super) fn fires(word: &str) -> Option<bool> {
    let is = |words: &[&str]| words.iter().any(|own| own.eq_ignore_ascii_case(word.trim()));
    if is(&FIRING) {
        Some(true)
    } else if is(&OVER) {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_severity_is_read_whatever_its_capitals_and_signs() {
        for (words, expect) in [
            (
                &["critical", "CRITICAL", "Crit", "page", "P1", "p0", "sev1", "SEV-1", "Sev 1", "severity: 1", "fatal"]
                    [..],
                Some("critical"),
            ),
            (&["P1 - Critical", "critical (page)", " Disaster ", "priority 1"], Some("critical")),
            (&["high", "ERROR", "err", "Major", "sev2", "P2", "high priority"], Some("high")),
            (&["warn", "Warning", "medium", "average", "minor", "SEV3", "p3"], Some("medium")),
            (&["info", "Informational", "none", "notice", "p4", "sev5"], Some("low")),
            (&["", "-", "purple", "1", "7", "critical or low", "P1/P3", "unknown", "not classified"], None),
        ] {
            for word in words {
                assert_eq!(severity(word), expect, "{word}");
            }
        }
    }

    #[test]
    fn no_word_means_two_things() {
        let all: Vec<&str> = SEVERITIES.iter().flat_map(|(_, words)| words.iter().copied()).collect();
        for (at, word) in all.iter().enumerate() {
            assert!(!all[at + 1..].contains(word), "{word}");
            assert!(word.chars().all(|letter| letter.is_ascii_lowercase() || letter.is_ascii_digit()), "{word}");
        }
        assert!(FIRING.iter().all(|word| !OVER.contains(word)));
    }

    #[test]
    fn the_worse_of_two_counts() {
        assert_eq!(worse(Some("low"), Some("high")), Some("high"));
        assert_eq!(
            (worse(None, Some("low")), worse(Some("critical"), None), worse(None, None)),
            (Some("low"), Some("critical"), None)
        );
    }

    #[test]
    fn an_alert_says_whether_it_fires() {
        assert_eq!(["firing", "FIRING", " alerting"].map(fires), [Some(true); 3]);
        assert_eq!(["resolved", "Resolved", "OK"].map(fires), [Some(false); 3]);
        assert_eq!(["suppressed", "", "pending"].map(fires), [None; 3]);
    }
}
