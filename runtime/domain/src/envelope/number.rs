//! A confidence as people and models write it: `0.85 — reason`, `85 %`, `0,85`, `0.85/1.0`, `8/10`. Only a number that stands
//! first is one, and only where nothing beside it could be meant instead: a range, a count or a word is none.

use super::dash::is_dash;
use crate::confidence::Confidence;

/// What may stand between a number and the reason for it, where a word follows.
const REASONS: [&str; 16] = [
    "because",
    "since",
    "as",
    "based",
    "given",
    "due",
    "considering",
    "confident",
    "confidence",
    "sure",
    "certain",
    "certainty",
    "weil",
    "da",
    "denn",
    "for",
];
/// What may stand before a number without changing it.
const HEDGES: [&str; 9] = ["about", "approximately", "approx.", "approx", "around", "roughly", "circa", "ca.", "c."];
/// Words that repeat what the number is.
const LABELS: [&str; 10] =
    ["confidence", "score", "level", "value", "rating", "estimate", "my", "overall", "final", "is"];
/// Words for a confidence that a number in brackets may follow.
const LEVELS: [&str; 9] = ["very", "quite", "fairly", "high", "medium", "moderate", "low", "strong", "reasonably"];
/// Words for `%`.
const PERCENT: [&str; 4] = ["percent", "pct", "prozent", "per cent"];

/// A number of a text, with its unit and what follows it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Figure<'a> {
    value: f64,
    percent: bool,
    /// Written with a point or a comma.
    fraction: bool,
    rest: &'a str,
}

impl Figure<'_> {
    fn confidence(&self) -> Option<Confidence> {
        // 0.85 % is more likely 0.85 than 0.0085: nobody can tell.
        let odd = self.percent && self.value > 0.0 && self.value < 1.0;
        let value = if self.percent { self.value / 100.0 } else { self.value };
        Confidence::new(value).ok().filter(|_| !odd)
    }
}

/// The confidence a text begins with, and the reason that follows it.
pub(super) fn read(text: &str) -> Option<(Confidence, &str)> {
    let text = unlabelled(plain(text));
    if let Some(found) = after_level(text) {
        return Some(found);
    }
    let figure = figure(hedged(text))?;
    let figure = percent(scaled(figure)?);
    let confidence = figure.confidence()?;
    reason(&figure).map(|reason| (confidence, reason))
}

/// Without the marks that only set a text off.
fn plain(text: &str) -> &str {
    text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`' | '[' | '"'))
}

/// Without words before a colon that only repeat what the number is.
fn unlabelled(text: &str) -> &str {
    let Some((label, rest)) = text.split_once([':', '=', '\u{FF1A}']) else { return text };
    let mut words = label.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    let labels = words.peek().is_some() && words.all(|word| LABELS.contains(&word.to_ascii_lowercase().as_str()));
    if labels { plain(rest) } else { text }
}

/// Without a word or sign that says the number is not exact.
fn hedged(text: &str) -> &str {
    let text =
        text.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '~' | '≈' | '∼' | '≃' | '*' | '_' | '`'));
    let word = text.split_whitespace().next().unwrap_or_default();
    if HEDGES.contains(&word.to_ascii_lowercase().as_str()) {
        plain(text.get(word.len()..).unwrap_or_default())
    } else {
        text
    }
}

/// `High (0.9)`: the number in brackets, if it stands there alone.
fn after_level(text: &str) -> Option<(Confidence, &str)> {
    let (words, rest) = text.split_once('(')?;
    let mut words = words.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).peekable();
    words.peek()?;
    if !words.all(|word| LEVELS.contains(&word.to_ascii_lowercase().as_str())) {
        return None;
    }
    let (inside, after) = rest.split_once(')')?;
    let figure = percent(scaled(figure(hedged(inside))?)?);
    let confidence = figure.confidence().filter(|_| figure.rest.trim().is_empty())?;
    Some((
        confidence,
        after.trim_start_matches(|c: char| c.is_whitespace() || is_dash(c) || matches!(c, ':' | ',' | ';' | '.' | '*')),
    ))
}

/// Digits, perhaps with a point or comma and more digits.
fn figure(text: &str) -> Option<Figure<'_>> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let whole = digits(text);
    let after = text.get(whole..)?;
    let tail = after.strip_prefix(['.', ',']).map_or(0, digits);
    if whole == 0 && (tail == 0 || !after.starts_with('.')) {
        return None;
    }
    let fraction = tail > 0;
    let length = if fraction { whole + 1 + tail } else { whole };
    let value = text.get(..length)?.replace(',', ".").parse().ok()?;
    let rest = text.get(length..)?;
    // `1.2.3`, `0.85x` and `1e3` are none.
    let ends = !rest.starts_with(|c: char| c.is_alphanumeric());
    let dotted = rest.strip_prefix(['.', ',']).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    (ends && !dotted && length <= 24).then_some(Figure { value, percent: false, fraction, rest })
}

/// `/1.0`, `/10`, `out of 100`: the share it says. Other scales are none.
fn scaled(figure: Figure<'_>) -> Option<Figure<'_>> {
    let rest = figure.rest.trim_start_matches(['*', '_', '`']).trim_start();
    let slash = rest.strip_prefix('/');
    let Some(scale) = slash.or_else(|| rest.strip_prefix("out of ")).or_else(|| rest.strip_prefix("of ")) else {
        return Some(figure);
    };
    let scale = self::figure(scale.trim_start())?;
    let is = |whole: f64| (scale.value - whole).abs() < f64::EPSILON;
    let value = if is(1.0) {
        figure.value
    } else if (is(10.0) || is(100.0)) && (figure.value >= 1.0 || !figure.fraction) && figure.value <= scale.value {
        figure.value / scale.value
    } else {
        return None;
    };
    Some(Figure { value, percent: false, fraction: true, rest: scale.rest })
}

/// Takes a sign or word for percent with the number.
fn percent(figure: Figure<'_>) -> Figure<'_> {
    let rest = figure.rest.trim_start_matches(['*', '_', '`']).trim_start();
    let sign = rest.strip_prefix(['%', '\u{FF05}', '\u{FE6A}']);
    let word = || {
        let word =
            PERCENT.iter().find(|word| rest.get(..word.len()).is_some_and(|own| own.eq_ignore_ascii_case(word)))?;
        rest.get(word.len()..).filter(|rest| !rest.starts_with(|c: char| c.is_alphanumeric()))
    };
    match sign.or_else(word) {
        Some(rest) => Figure { percent: true, rest, ..figure },
        None => figure,
    }
}

/// The reason behind a number, if what follows leaves the number alone.
fn reason<'a>(figure: &Figure<'a>) -> Option<&'a str> {
    let marks = |c: char| matches!(c, '*' | '_' | '`' | ']' | '"');
    let rest = figure.rest.trim_start_matches(marks).trim_end_matches(['*', '_', '`']).trim();
    let Some(first) = rest.chars().next() else { return Some("") };
    if first == '(' {
        return bracketed(figure, rest);
    }
    let separates = |c: char| {
        is_dash(c)
            || matches!(
                c,
                ',' | ';' | ':' | '.' | '|' | '…' | '→' | '⇒' | '·' | '•' | '!' | '*' | '>' | '\u{FF1A}' | '\u{3002}'
            )
    };
    if separates(first) && first != '>' {
        let reason = rest.trim_start_matches(|c: char| separates(c) || c.is_whitespace());
        return (!is_range(figure, reason)).then_some(reason);
    }
    let word = rest.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
    (REASONS.contains(&word.as_str()) || (figure.fraction && begins_a_sentence(rest))).then_some(rest)
}

/// Whether a text begins with a word as sentences do, and not with a unit.
fn begins_a_sentence(text: &str) -> bool {
    let mut chars = text.chars();
    let (first, second) = (chars.next(), chars.next());
    first.is_some_and(char::is_uppercase) && second.is_some_and(|c| c.is_lowercase() || c == ' ')
}

/// `0.85 (85 %)` and `0.85 (logs agree)`; another number in brackets takes the first its meaning.
fn bracketed<'a>(figure: &Figure<'a>, rest: &'a str) -> Option<&'a str> {
    let inside = rest.strip_prefix('(')?;
    let same = match self::figure(hedged(inside)) {
        None => true,
        Some(other) => {
            percent(other).confidence() == figure.confidence() || !percent(other).rest.trim_start().starts_with(')')
        }
    };
    let (inside, after) = inside.split_once(')').unwrap_or((inside, ""));
    let after =
        after.trim_matches(|c: char| c.is_whitespace() || is_dash(c) || matches!(c, ',' | ';' | ':' | '.' | '*'));
    same.then_some(if after.is_empty() { inside } else { after })
}

/// Whether another number of the same kind follows: then nobody can tell which counts.
fn is_range(first: &Figure<'_>, reason: &str) -> bool {
    let Some(second) = figure(hedged(plain(reason))).map(percent) else { return false };
    let counted = second.rest.trim_start().starts_with("of ") || second.rest.starts_with('/');
    let alike = if first.percent { second.percent } else { !second.percent && second.value <= 1.0 };
    alike && !counted
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(text: &str, expect: Option<(f64, &str)>) {
        assert_eq!(read(text).map(|(confidence, reason)| (confidence.get(), reason)), expect, "{text}");
    }

    #[test]
    fn a_number_with_its_reason() {
        for (text, value, reason) in [
            ("0.85", 0.85, ""),
            ("0.85.", 0.85, ""),
            (".5", 0.5, ""),
            ("1", 1.0, ""),
            ("0", 0.0, ""),
            ("0.85 — logs agree", 0.85, "logs agree"),
            ("0.85 -- logs agree", 0.85, "logs agree"),
            ("0.85—logs agree", 0.85, "logs agree"),
            ("0,85 – logs agree", 0.85, "logs agree"),
            ("0.85, because logs agree", 0.85, "because logs agree"),
            ("0.85; logs agree", 0.85, "logs agree"),
            ("0.85 because logs agree", 0.85, "because logs agree"),
            ("0.85. Logs agree.", 0.85, "Logs agree."),
            ("**0.85** — logs agree", 0.85, "logs agree"),
            ("`0.85`", 0.85, ""),
            ("[0.85]", 0.85, ""),
            ("\"0.85\"", 0.85, ""),
            ("0.85 The logs agree.", 0.85, "The logs agree."),
            ("0.85 -> logs agree", 0.85, "logs agree"),
            ("0.85 (logs: 0.9, metrics: 0.8)", 0.85, "logs: 0.9, metrics: 0.8"),
            ("85%", 0.85, ""),
            ("85 % — logs agree", 0.85, "logs agree"),
            ("85,5 %", 0.855, ""),
            ("85 percent: logs agree", 0.85, "logs agree"),
            ("0.85/1.0 — logs agree", 0.85, "logs agree"),
            ("0.85 / 1", 0.85, ""),
            ("8/10 - logs agree", 0.8, "logs agree"),
            ("85/100", 0.85, ""),
            ("0.85 out of 1.0", 0.85, ""),
            ("~0.8 — logs agree", 0.8, "logs agree"),
            ("about 0.8, logs agree", 0.8, "logs agree"),
            ("Confidence: 0.85 — logs agree", 0.85, "logs agree"),
            ("**Confidence score:** 0.85", 0.85, ""),
            ("High (0.9) — logs agree", 0.9, "logs agree"),
            ("0.85 (high)", 0.85, "high"),
            ("0.85 (85%) logs agree", 0.85, "logs agree"),
            ("0.85 — 3 of 4 logs agree", 0.85, "3 of 4 logs agree"),
            ("85% — 99% of requests fail", 0.85, "99% of requests fail"),
            ("0.85 — 100% of logs agree", 0.85, "100% of logs agree"),
        ] {
            check(text, Some((value, reason)));
        }
    }

    #[test]
    fn what_is_no_single_number_from_zero_to_one() {
        for text in [
            "",
            "high",
            "High — logs agree",
            "1.05",
            "-0.1",
            "−0.1",
            "- 0.5",
            "85",
            "101%",
            "NaN",
            "inf",
            "%",
            "<float 0.0-1.0>",
            "0.4 or 0.9",
            "0.6-0.8",
            "0.6 – 0.8",
            "0.6 to 0.8",
            "80%-90%",
            "0.7, 0.9",
            "between 0.6 and 0.8",
            "11/10",
            "0.8/10",
            "4/5",
            "0.85%",
            "0.85x",
            "0.8.5",
            "1e-1",
            ">0.8",
            "≥ 0.8",
            "<0.5",
            "1 issue is left",
            "0.5 of the pods",
            "3 logs",
            "high, since 99% of requests fail",
            "High (99% of requests)",
            "0.85 (0.9)",
            "I am 85% sure",
            "0.5 errors per second",
            "0.5 MB are left",
            "1 The first",
            "two thirds",
            "0.8 / 0.9",
            "100",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn every_form_of_a_number(
            cents in 1..100_u32, form in 0..8_usize, dash in "(—|–|-|--|:|;|−)", reason in "[a-z][a-z ]{0,20}[a-z]", bold: bool,
        ) {
            let value = f64::from(cents) / 100.0;
            let number = match form {
                0 => format!("0.{cents:02}"),
                1 => format!("0,{cents:02}"),
                2 => format!("{cents}%"),
                3 => format!("{cents} %"),
                4 => format!("0.{cents:02}/1.0"),
                5 => format!("{cents}/100"),
                6 => format!("~0.{cents:02}"),
                _ => format!("0.{cents:02} out of 1"),
            };
            let number = if bold { format!("**{number}**") } else { number };
            let text = format!("{number} {dash} {reason}");
            let (read, found) = read(&text).unwrap();
            prop_assert!((read.get() - value).abs() < 1e-9);
            prop_assert_eq!(found, reason);
            prop_assert_eq!(super::read(&number).map(|(read, _)| read), Some(read));
        }

        #[test]
        fn no_number_is_made_up(text in "[a-z0-9.,%/()~ —-]{0,24}") {
            if let Some((confidence, _)) = read(&text) {
                // The digits of the number stand in the text.
                let digits: String = text.chars().filter(char::is_ascii_digit).collect();
                prop_assert!(!digits.is_empty(), "{}", confidence);
            }
        }

        #[test]
        fn two_numbers_are_none(one in 0..100_u32, two in 0..100_u32, between in "( - |–|-| to | or | and |, )") {
            prop_assume!(one != two);
            let text = format!("0.{one:02}{between}0.{two:02}");
            prop_assert_eq!(read(&text), None);
        }
    }
}
