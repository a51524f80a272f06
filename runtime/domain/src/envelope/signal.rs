//! The signal: which route a reply names. Its first word counts, alone: not where the reply also says no, or names a second.

use super::dash::{is_dash, is_hyphen};

/// Most bytes of a signal: one word of a route.
pub(super) const SIGNAL_MAX: usize = 64;
/// Most characters kept of what names no route.
const UNMATCHED_MAX: usize = 200;
/// What is written where there is no signal.
const NOTHING: [&str; 9] = ["", "none", "n_a", "na", "null", "nil", "nothing", "no_signal", "not_applicable"];
/// Words that turn another one round, in the languages models answer in most.
const NEGATIONS: [&str; 14] = [
    "not", "no", "never", "neither", "nor", "without", "cannot", "hardly", "nicht", "kein", "keine", "nie", "kaum",
    "pas",
];

/// What stands where a signal belongs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct SignalReading {
    /// The route's word.
    pub(super) word: Option<String>,
    /// What names no route, as written.
    pub(super) unmatched: Option<String>,
}

/// Reads a section's body. Without any known routes every first word may be one.
pub(super) fn read(body: &str, routes: &[&str]) -> SignalReading {
    let line = unlabelled(body.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default());
    if NOTHING.contains(&word(line).as_str()) || NOTHING.contains(&word(phrase(line)).as_str()) {
        return SignalReading::default();
    }
    match matched(line, body, routes) {
        Some(word) => SignalReading { word: Some(word), unmatched: None },
        None => SignalReading { word: None, unmatched: Some(line.chars().take(UNMATCHED_MAX).collect()) },
    }
}

/// The route a line names.
fn matched(line: &str, body: &str, routes: &[&str]) -> Option<String> {
    let is_route = |word: &str| routes.contains(&word);
    let whole = word(line);
    if is_route(&whole) && !names_another(body, line, &whole, routes) {
        return Some(whole);
    }
    if line.starts_with('<') || line.contains('|') {
        return None;
    }
    let phrase = phrase(line);
    let first = word(phrase);
    // A word may say no only once marks around it are gone.
    let says_no = is_negated(phrase) || is_negated(&first);
    let known = if routes.is_empty() { !first.is_empty() && !says_no } else { is_route(&first) };
    let rest = line.get(phrase.len()..).unwrap_or_default();
    (known && !is_negated(rest) && !names_another(body, line, &first, routes)).then_some(first)
}

/// Whether the signal's paragraph, or the beginning of a later one, names another route, or says no.
fn names_another(body: &str, line: &str, own: &str, routes: &[&str]) -> bool {
    let mut paragraphs = body.trim().split("\n\n");
    let first = paragraphs.next().unwrap_or_default();
    let below: Vec<&str> = first.lines().skip_while(|other| !other.contains(line)).skip(1).collect();
    let below = below.join("\n");
    let said = line.to_owned() + "\n" + &below;
    let words = words(&said);
    let others = || routes.iter().filter(|route| **route != own);
    let named = |route: &str| {
        let parts: Vec<&str> = route.split('_').collect();
        words.windows(parts.len()).any(|window| window == parts.as_slice()) && !own.contains(route)
    };
    let starts = |route: &str| body.split("\n\n").skip(1).any(|paragraph| word(phrase(paragraph.trim())) == *route);
    is_negated(&below) || others().any(|route| named(route) || starts(route))
}

fn is_negated(text: &str) -> bool {
    // `x_not_y` is a name of its own.
    let apart = |c: char| !c.is_alphanumeric() && c != '_';
    let says_no = |word: &str| NEGATIONS.contains(&word.trim_matches('_').to_lowercase().as_str());
    text.contains("n't") || text.contains("n’t") || text.split(apart).any(says_no)
}

fn words(text: &str) -> Vec<String> {
    let plain = |c: char| !c.is_alphanumeric();
    text.split(plain).filter(|word| !word.is_empty()).map(str::to_lowercase).collect()
}

/// Without `Signal:` before it and list marks.
fn unlabelled(line: &str) -> &str {
    let line =
        line.trim_start_matches(|c: char| matches!(c, '-' | '*' | '+' | '>' | '#' | '_' | '`') || c.is_whitespace());
    let Some(rest) = line.get(..6).filter(|word| word.eq_ignore_ascii_case("signal")).and(line.get(6..)) else {
        return line;
    };
    let rest = rest.trim_start_matches(['*', '_', '`']).trim_start();
    match rest.chars().next() {
        Some(c) if is_dash(c) || matches!(c, ':' | '=' | '\u{FF1A}') => rest
            .get(c.len_utf8()..)
            .unwrap_or_default()
            .trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '*' | '_' | '`')),
        Some(_) | None => line,
    }
}

/// What stands before a line end, a dash, a colon or a full stop. A hyphen separates only before a gap: it joins words.
fn phrase(line: &str) -> &str {
    let mut before = None;
    for (at, c) in line.char_indices() {
        let next = line.get(at + c.len_utf8()..).and_then(|rest| rest.chars().next());
        let gap = before.is_none_or(char::is_whitespace) || next.is_none_or(char::is_whitespace);
        let ends = match c {
            '\n' | ':' | '.' | '\u{FF1A}' | '\u{3002}' => at > 0,
            _ if is_hyphen(c) => at > 0 && gap,
            _ => at > 0 && is_dash(c),
        };
        if ends {
            return line.get(..at).unwrap_or_default();
        }
        before = Some(c);
    }
    line
}

/// A text as a word of `[a-z0-9_]`; empty if it has no usable character.
pub(super) fn word(text: &str) -> String {
    let mut word = String::new();
    for c in text.trim_matches(|c: char| !c.is_ascii_alphanumeric()).chars() {
        if word.len() == SIGNAL_MAX {
            break;
        }
        if c.is_ascii_alphanumeric() || c == '_' {
            word.push(c.to_ascii_lowercase());
        } else if !word.ends_with('_') {
            word.push('_');
        }
    }
    word.truncate(word.trim_end_matches('_').len());
    word
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROUTES: [&str; 5] = ["success", "failed", "needs_input", "recovered", "not_recovered"];

    #[track_caller]
    fn check(body: &str, expect: Option<&str>) {
        let read = read(body, &ROUTES);
        assert_eq!(read.word.as_deref(), expect, "{body}");
        assert_eq!(read.unmatched.is_some(), expect.is_none(), "{body}");
    }

    #[test]
    fn without_known_routes_a_name_is_a_signal_and_a_no_is_none() {
        for (body, expect) in [
            ("found", Some("found")),
            ("no_cause", Some("no_cause")),
            ("x0_pas", Some("x0_pas")),
            ("no", None),
            ("_no_", None),
            ("\u{10400}No®", None),
            ("not found", None),
        ] {
            assert_eq!(read(body, &[]).word.as_deref(), expect, "{body}");
        }
    }

    #[test]
    fn the_first_word_names_the_route() {
        for body in [
            "success",
            "Success",
            "SUCCESS.",
            "`success`",
            "**success**",
            "- success",
            "Signal: success",
            "**Signal:** success",
            "success — the cause is clear",
            "success - the cause is clear",
            "success: the cause is clear",
            "success. The cause is clear.",
            "**success** – the cause is clear",
            "success\n\nLet me know if you need anything else!",
            "success\nThe cause is clear.",
            "\"success\"",
            "✅ success",
        ] {
            check(body, Some("success"));
        }
        for body in ["needs_input", "Needs-Input", "needs input", "Needs input — which region?", "NEEDS_INPUT."] {
            check(body, Some("needs_input"));
        }
        check("not recovered", Some("not_recovered"));
        check("Not recovered — still at 5 %", Some("not_recovered"));
    }

    #[test]
    fn a_negation_or_a_second_route_names_none() {
        for body in [
            "not success",
            "no success",
            "success — not yet",
            "success: no",
            "success or failed",
            "success / failed",
            "success — failed in one zone",
            "success\nfailed",
            "success\n\nfailed",
            "success, because it works",
            "success if the cache is warm",
            "successful",
            "done",
            "<one of: success | failed>",
            "success | failed",
            "recovered — isn't it?",
            "I think success",
        ] {
            check(body, None);
        }
    }

    #[test]
    fn nothing_is_no_signal() {
        for body in ["", "none", "None.", "N/A", "n/a", "null", "-", "—", "none — nothing fits", "nil", "(none)"] {
            assert_eq!(read(body, &ROUTES), SignalReading::default(), "{body}");
        }
    }

    #[test]
    fn without_routes_every_first_word_counts() {
        for (body, expect) in [
            ("Needs Input", Some("needs_input")),
            ("fix_applied — it works", Some("fix_applied")),
            ("a__b", Some("a__b")),
            ("_x_", Some("x")),
            ("not yet", None),
            ("a | b", None),
        ] {
            assert_eq!(read(body, &[]).word.as_deref(), expect, "{body}");
        }
        let edge = "a".repeat(SIGNAL_MAX - 1);
        assert_eq!(word(&format!("{edge} b")), edge, "no word ends in a gap");
    }

    proptest! {
        #[test]
        fn a_route_with_any_separator(route in 0..4_usize, sign in "(\n|\\.| — | – | - |: )", reason in "[a-z ]{0,20}", caps: bool) {
            let route = ROUTES[route];
            let spoken = words(&reason);
            prop_assume!(!is_negated(&reason) && !ROUTES.iter().any(|route| spoken.contains(&(*route).to_owned())));
            prop_assume!(!reason.contains("needs input"));
            let written = if caps { route.to_uppercase() } else { route.to_owned() };
            let one = read(&format!("{written}{sign}{reason}"), &ROUTES).word;
            prop_assert_eq!(one.as_deref(), Some(route));
            prop_assert_eq!(read(&format!("not {written}"), &ROUTES[..3]).word, None);
            let other = if route == "success" { "failed" } else { "success" };
            prop_assert_eq!(read(&format!("{written} or {other}"), &ROUTES).word, None);
        }

        #[test]
        fn any_text_is_survived(body in "\\PC{0,60}") {
            let read = read(&body, &ROUTES);
            prop_assert!(read.word.is_none_or(|word| ROUTES.contains(&word.as_str())));
        }
    }
}
