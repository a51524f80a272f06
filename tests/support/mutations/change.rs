//! One change of one file, by a seed.

use std::fs;
use std::path::{Path, PathBuf};

use fastrand::Rng;

/// Values that somebody may write for another.
const VALUES: [&str; 34] = [
    "",
    "0",
    "1",
    "-1",
    "7",
    "1.5",
    "99999999999999999999",
    "null",
    "~",
    "true",
    "off",
    "[]",
    "{}",
    "[incident]",
    "word",
    "default",
    "\"\"",
    "\"\\u0007\"",
    "Größe 🜁",
    "5s",
    "0s",
    "400d",
    "5 parsecs",
    "127.0.0.1:0",
    "10.255.255.1:80",
    "sqlite://other.db",
    "sqlite://provost.yaml",
    "sqlite://new/folder/x.db",
    "sqlite://shop.log/x.db",
    "sqlite://incident",
    "${PROVOST_NOBODY_SETS_THIS}",
    "${PROVOST_NOBODY_SETS_THIS:-7}",
    "{file: nothing.key}",
    "{file: model.key}",
];
/// Characters that mean something to YAML, or to nobody. No slash: a path must not lead out of the folder.
const CHARACTERS: [char; 14] = ['a', 'Z', '9', ' ', '\n', ':', '-', '"', '{', ']', '#', '&', '\t', '\u{202e}'];

/// Changes one file of the folder; what was done, in words.
pub(super) fn change(folder: &Path, random: &mut Rng) -> String {
    let file = pick(folder, random);
    let name = file.strip_prefix(folder).unwrap().display().to_string();
    let text = fs::read_to_string(&file).unwrap();
    match random.u32(..40) {
        0 => {
            fs::remove_file(&file).unwrap();
            format!("{name} is gone")
        }
        1 => {
            fs::write(&file, "").unwrap();
            format!("{name} is empty")
        }
        2 => {
            let end = boundary(&text, random.usize(..=text.len()));
            fs::write(&file, text.split_at(end).0).unwrap();
            format!("{name} ends after {end} bytes")
        }
        3 => {
            fs::remove_file(&file).unwrap();
            fs::create_dir(&file).unwrap();
            format!("{name} is a folder")
        }
        4..9 => {
            let at = boundary(&text, random.usize(..=text.len()));
            let new = random.choice(CHARACTERS).unwrap();
            let (before, after) = text.split_at(at);
            fs::write(&file, format!("{before}{new}{after}")).unwrap();
            format!("{name} has {new:?} at byte {at}")
        }
        9..13 => {
            let at = boundary(&text, random.usize(..=text.len()));
            let (before, after) = text.split_at(at);
            let rest: String = after.chars().skip(1).collect();
            fs::write(&file, format!("{before}{rest}")).unwrap();
            format!("{name} lacks the character at byte {at}")
        }
        _ => {
            let (changed, what) = change_lines(&text, random);
            fs::write(&file, changed).unwrap();
            format!("{name}: {what}")
        }
    }
}

/// The configuration itself most often, then the pack.
fn pick(folder: &Path, random: &mut Rng) -> PathBuf {
    match random.u32(..10) {
        0..6 => folder.join("provost.yaml"),
        6 | 7 => folder.join("incident/pack.yaml"),
        _ => {
            let mut files = Vec::new();
            collect(folder, &mut files);
            files.sort();
            files.swap_remove(random.usize(..files.len()))
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}

/// The nearest boundary of a character at or before a byte.
fn boundary(text: &str, at: usize) -> usize {
    (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0)
}

fn change_lines(text: &str, random: &mut Rng) -> (String, String) {
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    if lines.is_empty() {
        return ("word\n".to_owned(), "one word".to_owned());
    }
    let at = random.usize(..lines.len());
    let what = match random.u32(..10) {
        0 => {
            lines.remove(at);
            "a line less".to_owned()
        }
        1 => {
            lines.insert(at, lines[at].clone());
            "a line twice".to_owned()
        }
        2 => {
            let other = random.usize(..lines.len());
            lines.swap(at, other);
            format!("swapped with line {}", other + 1)
        }
        3 => {
            lines[at] = if random.bool() { format!("  {}", lines[at]) } else { lines[at].trim_start().to_owned() };
            "indented otherwise".to_owned()
        }
        4 => digits(&mut lines[at], random),
        5 => {
            lines[at] = format!("{} # a note", lines[at]);
            "a note".to_owned()
        }
        _ => value(&mut lines[at], random),
    };
    (format!("{}\n", lines.join("\n")), format!("line {}: {what}", at + 1))
}

/// Another number in place of each digit.
fn digits(line: &mut String, random: &mut Rng) -> String {
    *line = line.chars().map(|c| if c.is_ascii_digit() { random.digit(10) } else { c }).collect();
    format!("other digits: {line}")
}

/// Another value after one of the line's keys.
fn value(line: &mut String, random: &mut Rng) -> String {
    let keys: Vec<usize> = line.match_indices(": ").map(|(at, _)| at + 2).collect();
    let new = random.choice(VALUES).unwrap();
    let Some(at) = random.choice(keys) else {
        new.clone_into(line);
        return format!("is `{new}`");
    };
    // Of a flow mapping only one value, where it is a plain one.
    let (before, rest) = line.split_at(at);
    let end = if rest.starts_with(['{', '[']) { rest.len() } else { rest.find([',', '}', ']']).unwrap_or(rest.len()) };
    let changed = format!("{before}{new}{}", rest.split_at(end).1);
    *line = changed;
    format!("is `{line}`")
}
