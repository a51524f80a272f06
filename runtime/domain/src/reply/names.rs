//! The tool a model means by a name.

/// What models write before a name: namespaces of chat templates.
const PREFIXES: [&str; 13] = [
    "to=",
    "functions.",
    "functions:",
    "functions/",
    "function.",
    "function:",
    "tools.",
    "tools:",
    "tool.",
    "tool:",
    "default_api.",
    "default_api:",
    "multi_tool_use.",
];

/// The offered name that a model means, if it can mean only one: the name itself, the `server:tool` of prompts, other signs
/// between the two, other letters in size, marks of a channel behind it, a namespace before it.
pub fn resolve<'a>(written: &str, offered: &[&'a str]) -> Option<&'a str> {
    let exact = |name: &str| offered.iter().copied().find(|own| *own == name);
    let mut name = bare(written);
    loop {
        if let Some(own) = exact(name).or_else(|| like(name, offered)) {
            return Some(own);
        }
        let stripped = PREFIXES.iter().find_map(|prefix| name.strip_prefix(prefix));
        // A counter behind the name: `functions.read:0`.
        let counted = || name.rsplit_once(':').filter(|(_, n)| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()));
        name = stripped.or_else(|| counted().map(|(name, _)| name))?;
    }
}

/// The name without what surrounds it.
fn bare(written: &str) -> &str {
    let end = written.find(['<', '(', '{', '[', '｜']).unwrap_or(written.len());
    let name = written
        .get(..end)
        .unwrap_or_default()
        .trim_matches(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '*'));
    // Words behind the name are of the template: `read commentary`, `read json`.
    name.split_whitespace().next().unwrap_or_default()
}

/// The one offered name with the same letters, whatever stands between them.
fn like<'a>(name: &str, offered: &[&'a str]) -> Option<&'a str> {
    let wanted = key(name);
    let mut same = offered.iter().copied().filter(|own| !wanted.is_empty() && key(own) == wanted);
    let first = same.next()?;
    same.next().is_none().then_some(first)
}

fn key(name: &str) -> String {
    let mut key = String::with_capacity(name.len());
    for c in name.chars() {
        match c {
            ':' | '.' | '/' | '-' | '_' => {
                if !key.ends_with('_') && !key.is_empty() {
                    key.push('_');
                }
            }
            _ => key.extend(c.to_lowercase()),
        }
    }
    key.truncate(key.trim_end_matches('_').len());
    key
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const OFFERED: [&str; 4] = ["gauges__read", "notes__add", "add", "finish_turn"];

    #[test]
    fn a_name_that_means_one_tool_is_that_tool() {
        for written in [
            "gauges__read",
            "gauges:read",
            "gauges.read",
            "gauges/read",
            "gauges::read",
            "gauges_read",
            "gauges-read",
            "Gauges__Read",
            " gauges__read ",
            "`gauges:read`",
            "gauges__read()",
            "functions.gauges__read",
            "functions.gauges:read",
            "functions.gauges__read:0",
            "default_api.gauges__read",
            "tools.functions.gauges__read",
            "gauges__read<|channel|>commentary",
            "gauges__read<|channel|>json",
            "to=functions.gauges__read<|constrain|>json",
            "gauges__read commentary",
        ] {
            assert_eq!(resolve(written, &OFFERED), Some("gauges__read"), "{written}");
        }
        assert_eq!(resolve("functions.finish_turn", &OFFERED), Some("finish_turn"));
        assert_eq!(resolve("add", &OFFERED), Some("add"));
    }

    #[test]
    fn a_name_that_means_none_or_several_stays() {
        for written in
            ["read", "gauges", "gauges__write", "", "<|channel|>", "functions.", "gauges__read__now", "ga uges__read"]
        {
            assert_eq!(resolve(written, &OFFERED), None, "{written}");
        }
        assert_eq!(resolve("a.b", &["a__b", "a_b"]), None);
        assert_eq!(resolve("a_b", &["a__b", "a_b"]), Some("a_b"));
    }

    proptest! {
        #[test]
        fn any_sign_between_and_any_prefix(
            server in "[a-z]{2,8}", tool in "[a-z]{2,8}", sign in "[:./_-]{1,2}", prefix in "(functions\\.|tools:|to=)?",
            mark in "(<\\|[a-z]{1,9}\\|>[a-z]{0,9})?",
        ) {
            let own = format!("{server}__{tool}");
            let written = format!("{prefix}{server}{sign}{tool}{mark}");
            prop_assert_eq!(resolve(&written, &[&own, "finish_turn"]), Some(own.as_str()));
        }

        #[test]
        fn any_text_ends(text in "\\PC{0,40}") {
            let _any = resolve(&text, &OFFERED);
        }
    }
}
