//! Words that every pack shares: whether an alert fires, and which of two severities is the worse.

/// How bad it is, from low to high: the words of the field by which cases are compared.
const SEVERITIES: [&str; 4] = ["low", "medium", "high", "critical"];

/// Words by which an alert fires, and those by which it is over.
const FIRING: [&str; 7] = ["firing", "alerting", "active", "triggered", "trigger", "open", "problem"];
const OVER: [&str; 8] = ["resolved", "resolve", "ok", "normal", "inactive", "recovered", "recovery", "closed"];

/// The worse of two severities.
pub(super) fn worse<'a>(one: Option<&'a str>, other: Option<&'a str>) -> Option<&'a str> {
    let rank = |level: &str| SEVERITIES.iter().position(|own| *own == level);
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
    fn no_word_means_two_things() {
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
