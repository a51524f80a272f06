//! Holes in addresses.

use serde_json::Value;

use super::landing::{Landing, Landings};
use crate::error::Slip;
use crate::template::{Hole, TemplatePiece};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum UrlPlace {
    /// Scheme, host and port.
    Server,
    Path,
    /// The name of a part of the query.
    Name,
    /// The value of a part of the query.
    Value,
    Fragment,
}

pub(super) fn landings(pieces: &[TemplatePiece]) -> Landings {
    let (mut landings, mut before) = (Vec::new(), String::new());
    for piece in pieces {
        match piece {
            TemplatePiece::Text(text, _) => before.push_str(text),
            TemplatePiece::Hole(hole) => {
                landings.push(landing(&before, hole)?);
                // A hole is never a sign with a meaning.
                before.push('_');
            }
        }
    }
    Ok(landings)
}

fn landing(before: &str, hole: &Hole) -> Result<Landing, Slip> {
    let refused = |message: &str, hint: &str| Err(Slip::new(hole.at, message, hint));
    let mut end = before.chars().rev();
    if end.next() == Some('%') || end.next() == Some('%') {
        return refused("a hole stands in an escape", "write the whole value into the hole");
    }
    match place(before) {
        UrlPlace::Path | UrlPlace::Value => Ok(Landing::Percent),
        UrlPlace::Server => refused("a hole stands in the server's part of an address", "write it up to its path"),
        UrlPlace::Name => refused("a hole stands in the name of a query's part", "write `name={{ … }}`"),
        UrlPlace::Fragment => refused("a hole stands behind `#`, which no server sees", "take it out"),
    }
}

/// An address without its scheme and server; `None` if it ends within them.
fn path_and_rest(address: &str) -> Option<&str> {
    if address.starts_with('/') && !address.starts_with("//") {
        return Some(address);
    }
    let (_, rest) = address.split_once("://")?;
    rest.find(['/', '?', '#']).and_then(|at| rest.get(at..))
}

/// Where an address stands at its end.
fn place(address: &str) -> UrlPlace {
    let Some(path) = path_and_rest(address) else { return UrlPlace::Server };
    if path.contains('#') {
        return UrlPlace::Fragment;
    }
    match path.split_once('?') {
        None => UrlPlace::Path,
        Some((_, query)) if query.rsplit('&').next().is_some_and(|part| part.contains('=')) => UrlPlace::Value,
        Some(_) => UrlPlace::Name,
    }
}

/// A value of which every sign with a meaning is encoded.
pub(super) fn encode(text: &str) -> String {
    use std::fmt::Write as _;

    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            // Writing to a text cannot fail.
            write!(encoded, "%{byte:02X}").unwrap_or_default();
        }
    }
    encoded
}

/// Marks where a value stands.
const MARK: char = '\u{e000}';

/// A path in which a value makes a segment empty, `.` or `..`: these lead elsewhere.
pub(super) fn flaw(pieces: &[TemplatePiece], data: &Value) -> Option<String> {
    let piece = |piece: &TemplatePiece| match piece {
        TemplatePiece::Text(text, _) => text.clone(),
        TemplatePiece::Hole(hole) => format!("{MARK}{}", encode(&hole.expression.shown(data).unwrap_or_default())),
    };
    let marked: String = pieces.iter().map(piece).collect();
    let path = path_and_rest(&marked)?;
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let segments = path.split('/').filter(|segment| segment.contains(MARK));
    let mut dots = segments.map(|segment| segment.replace(MARK, "").to_lowercase().replace("%2e", "."));
    let odd = dots.find(|segment| matches!(segment.as_str(), "" | "." | ".."))?;
    Some(format!("makes a segment of the path `{odd}`, which leads elsewhere"))
}
