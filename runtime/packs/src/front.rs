//! The front matter of a prompt. It is for people and other programs: the model does not see it, and nothing here depends on
//! it. So what others write into it never refuses a file; whoever checks the pack is told.

use provost_form::{ErrorLog, FormError, Position, Table, TextFile, parse};

/// The keys of the open format of a `SKILL.md`.
const KEYS: [&str; 6] = ["name", "description", "license", "compatibility", "metadata", "allowed-tools"];

/// What some editors put in front of a text.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// A prompt or a fragment without what may stand around it.
pub(crate) fn plain(text: &str) -> &str {
    text.trim_start_matches(BYTE_ORDER_MARK).trim()
}

/// A prompt in its two parts.
struct SkillParts<'a> {
    front: &'a str,
    /// The lines before the front matter, its fence included.
    above: usize,
    body: &'a str,
}

/// What a file's beginning is.
enum Beginning<'a> {
    Text,
    FrontMatter(SkillParts<'a>),
    /// It is opened and not closed; where.
    Open(usize),
}

/// The prompt without its front matter. One that is not closed is a mistake; what is odd in it is a warning.
pub(crate) fn body<'a>(skill: &'a TextFile, errors: &mut Vec<FormError>, warnings: &mut Vec<FormError>) -> &'a str {
    match beginning(&skill.text) {
        Beginning::Text => plain(&skill.text),
        Beginning::FrontMatter(parts) => {
            check(skill, &parts, warnings);
            parts.body.trim()
        }
        Beginning::Open(at) => {
            let message = "the front matter has no end";
            let place = Position::of(&skill.text, at);
            errors.push(FormError::at(&skill.path, place, message, "close it with a line `---`"));
            plain(&skill.text)
        }
    }
}

fn beginning(text: &str) -> Beginning<'_> {
    let start = text.find(|letter: char| !letter.is_whitespace() && letter != BYTE_ORDER_MARK).unwrap_or(text.len());
    let rest = text.get(start..).unwrap_or_default();
    let mut lines = rest.split_inclusive('\n');
    let Some(fence) = lines.next().filter(|line| line.trim_end() == "---") else { return Beginning::Text };
    let opened = start + fence.len();
    let mut at = opened;
    for line in lines {
        if ["---", "..."].contains(&line.trim_end()) {
            let front = text.get(opened..at).unwrap_or_default();
            let above = text.get(..opened).unwrap_or_default().matches('\n').count();
            return Beginning::FrontMatter(SkillParts {
                front,
                above,
                body: text.get(at + line.len()..).unwrap_or_default(),
            });
        }
        at += line.len();
    }
    Beginning::Open(start)
}

/// The front matter is read behind empty lines that stand for what is above it, so that its places are the file's.
fn check(skill: &TextFile, parts: &SkillParts<'_>, warnings: &mut Vec<FormError>) {
    let mut log = ErrorLog::new(skill.path.clone());
    let text = format!("{}{}", "\n".repeat(parts.above), parts.front);
    match parse(&text, &mut log) {
        Some(tree) => {
            if let Some(table) = Table::open(&tree, &KEYS, &mut log) {
                for key in ["name", "description"] {
                    drop(table.optional::<String>(key, &mut log));
                }
            }
        }
        None => by_lines(skill, parts, &mut log),
    }
    warnings.append(&mut log.errors);
}

/// Front matter that is not YAML is read as other programs do: a key up to the first colon, and the rest of the line.
fn by_lines(skill: &TextFile, parts: &SkillParts<'_>, log: &mut ErrorLog) {
    log.errors.clear();
    let mut line_at = Position { line: parts.above as u64, column: 1 };
    for line in parts.front.lines() {
        line_at.line += 1;
        let Some((key, value)) = line.split_once(':').filter(|(key, _)| !key.starts_with([' ', '\t', '#', '-'])) else {
            continue;
        };
        let whole = format!("{key}:{value}");
        if parse(&whole, &mut ErrorLog::new(skill.path.clone())).is_none() {
            let hint = format!("put the value of `{}` in quotes", key.trim());
            log.report(line_at, "this line is not YAML; it is read up to its end", hint);
        }
    }
    if log.errors.is_empty() {
        let place = Position { line: parts.above as u64, column: 1 };
        log.report(place, "the front matter is not YAML; nothing of it is read", "write `key: value` in each line");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The body, and the warnings as `line: message`.
    #[track_caller]
    fn check(text: &str, body_of: &str, expect: &[&str]) {
        let skill = TextFile { path: "SKILL.md".into(), text: text.to_owned() };
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        assert_eq!(body(&skill, &mut errors, &mut warnings), body_of, "{text}");
        assert_eq!(errors, [], "{text}");
        let told: Vec<String> =
            warnings.iter().map(|warning| format!("{}: {}", warning.line, warning.message)).collect();
        assert!(
            told.len() == expect.len() && told.iter().zip(expect).all(|(a, b)| a.starts_with(b)),
            "{text}: {told:?}"
        );
    }

    #[test]
    fn front_matter_as_others_write_it_is_taken_off() {
        check("Look.\n", "Look.", &[]);
        check("---\nname: a\ndescription: b\n---\nLook.\n", "Look.", &[]);
        check("\u{feff}---\r\nname: a\r\n---\r\nLook.\r\n", "Look.", &[]);
        check("\n\n---\nname: a\n...\nLook.", "Look.", &[]);
        check("---\n---\nLook.", "Look.", &["2: expected a table"]);
        check("\u{feff}Look.", "Look.", &[]);
        check(
            "---\nname: a\nversion: 1.0\ntags: [x]\n---\nLook.",
            "Look.",
            &["3: unknown key `version`", "4: unknown key `tags`"],
        );
        check("---\nname: [a]\n---\nLook.", "Look.", &["2: expected a text"]);
        check(
            "---\nname: a\ndescription: Looks at disks. Triggers: full, slow\n---\nLook.",
            "Look.",
            &["3: this line is not YAML"],
        );
        check(
            "---\nname: a\ndescription: @all `code` rest\nhint: [host\n---\nLook.",
            "Look.",
            &["3: this line", "4: this line"],
        );
        check("---\nname: a\n\tdescription: b\n: : :\n---\nLook.", "Look.", &["4: this line"]);
        check("---\njust words: and: more\n  \"open\n---\nLook.", "Look.", &["2: this line"]);
    }

    #[test]
    fn one_that_is_not_closed_is_a_mistake() {
        let skill = TextFile { path: "SKILL.md".into(), text: "\n---\nname: a\nLook.".to_owned() };
        let (mut errors, mut warnings) = (Vec::new(), Vec::new());
        body(&skill, &mut errors, &mut warnings);
        assert_eq!((errors.len(), errors[0].line, warnings.len()), (1, 2, 0));
    }
}
