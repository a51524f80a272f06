//! What a sender's word means by a table of words. Capitals, blanks and signs make no difference: `SEV-1`, `Sev 1` and `sev1`
//! are one word, and `P1 - Critical` has a meaning if all its words are in the table and mean the same.

/// The meaning of what was written, by a table of words and what each stands for. An exact match counts before one without
/// regard to capitals, and that before one without regard to signs; two meanings are none.
pub(super) fn meaning<'a>(written: &str, table: &[(&str, &'a str)]) -> Option<&'a str> {
    let written = written.trim();
    let exact = table.iter().find(|(word, _)| *word == written).map(|(_, stands_for)| *stands_for);
    let lower = written.to_lowercase();
    let alike =
        || only(table.iter().filter(|(word, _)| word.to_lowercase() == lower).map(|(_, stands_for)| *stands_for));
    exact.or_else(alike).or_else(|| without_signs(&letters(&lower), table)).or_else(|| of_parts(&lower, table))
}

/// The one meaning of all words that are written with the same letters.
fn without_signs<'a>(letters_of: &str, table: &[(&str, &'a str)]) -> Option<&'a str> {
    let same = table.iter().filter(|(word, _)| !letters_of.is_empty() && letters(&word.to_lowercase()) == letters_of);
    only(same.map(|(_, stands_for)| *stands_for))
}

/// The one meaning of all parts of a text.
fn of_parts<'a>(written: &str, table: &[(&str, &'a str)]) -> Option<&'a str> {
    let parts = written.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty());
    let meanings: Option<Vec<&str>> = parts.map(|part| without_signs(part, table)).collect();
    only(meanings?.into_iter())
}

fn letters(word: &str) -> String {
    word.chars().filter(|letter| letter.is_alphanumeric()).collect()
}

/// The one that all of them are.
fn only<'a>(mut found: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let first = found.next()?;
    found.all(|other| other == first).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: [(&str, &str); 9] = [
        ("critical", "critical"),
        ("page", "critical"),
        ("p1", "critical"),
        ("severity 1", "critical"),
        ("warn", "medium"),
        ("p3", "medium"),
        ("eu-west", "west"),
        ("euwest", "other"),
        ("Production", "Production"),
    ];

    #[test]
    fn capitals_and_signs_make_no_difference() {
        for (written, expect) in [
            ("critical", Some("critical")),
            (" CRITICAL ", Some("critical")),
            ("P-1", Some("critical")),
            ("severity: 1", Some("critical")),
            ("Severity1", Some("critical")),
            ("P1 - Critical", Some("critical")),
            ("critical (page)", Some("critical")),
            ("production", Some("Production")),
            ("EU-West", Some("west")),
        ] {
            assert_eq!(meaning(written, &TABLE), expect, "{written}");
        }
    }

    #[test]
    fn what_has_no_meaning_or_two_has_none() {
        for written in ["", "-", "purple", "1", "P1/P3", "critical or not", "pre-production", "non-critical", "eu west"]
        {
            assert_eq!(meaning(written, &TABLE), None, "{written}");
        }
    }
}
