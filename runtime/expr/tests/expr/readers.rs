//! Readers of the languages that templates write, made apart from the escaping and only for these tests. Each says what a
//! program would see.

use pulldown_cmark::{Event, Parser, TagEnd};
use serde_json::Value;

/// What a query consists of: everything that is not quoted, sign by sign, and the contents of the quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum QueryPart {
    Sign(char),
    Quoted(String),
}

/// The parts of a query, or nothing if a quote does not end on its line.
pub(crate) fn query(text: &str) -> Option<Vec<QueryPart>> {
    let (mut parts, mut signs) = (Vec::new(), text.chars().peekable());
    while let Some(sign) = signs.next() {
        match sign {
            '"' | '\'' => {
                let mut content = String::new();
                loop {
                    match signs.next()? {
                        '\n' | '\r' => return None,
                        '\\' => match signs.next()? {
                            escaped @ ('\\' | '"' | '\'') => content.push(escaped),
                            _ => return None,
                        },
                        end if end == sign => break,
                        other => content.push(other),
                    }
                }
                parts.push(QueryPart::Quoted(content));
            }
            '#' => while signs.next_if(|sign| *sign != '\n').is_some() {},
            blank if blank.is_whitespace() => {}
            other => parts.push(QueryPart::Sign(other)),
        }
    }
    Some(parts)
}

/// The only text that a regular expression fits, if it has no sign with a meaning. A group around it is looked through.
pub(crate) fn literal(pattern: &str) -> Option<String> {
    let inner = pattern.strip_prefix("(?:").and_then(|rest| rest.strip_suffix(')')).unwrap_or(pattern);
    let (mut text, mut signs) = (String::new(), inner.chars());
    while let Some(sign) = signs.next() {
        match sign {
            '\\' => text.push(signs.next().filter(char::is_ascii_punctuation)?),
            '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => return None,
            other => text.push(other),
        }
    }
    Some(text)
}

/// An address: its server, the segments of its path, and its query, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    pub(crate) server: String,
    pub(crate) path: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) fragment: Option<String>,
}

pub(crate) fn address(text: &str) -> Option<Address> {
    if text.contains(|sign: char| sign.is_whitespace() || sign.is_control() || !sign.is_ascii()) {
        return None;
    }
    let (rest, fragment) = text.split_once('#').map_or((text, None), |(rest, own)| (rest, Some(own.to_owned())));
    let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (scheme, rest) = rest.split_once("://")?;
    let (host, path) = rest.split_once(['/', '\\'])?;
    // Browsers and servers walk these.
    let mut walked: Vec<String> = Vec::new();
    for segment in path.split(['/', '\\']) {
        match segment.to_lowercase().replace("%2e", ".").as_str() {
            "." => {}
            ".." => drop(walked.pop()),
            _ => walked.push(decoded(segment)?),
        }
    }
    let pairs = query.split('&').filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        Some((decoded(&name.replace('+', " "))?, decoded(&value.replace('+', " "))?))
    });
    Some(Address { server: format!("{scheme}://{host}"), path: walked, query: pairs.collect::<Option<_>>()?, fragment })
}

fn decoded(text: &str) -> Option<String> {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let [first, tail @ ..] = rest {
        if let (b'%', [high, low, tail @ ..]) = (first, tail) {
            let digits = [*high, *low];
            bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    String::from_utf8(bytes).ok()
}

/// What a command sees in one argument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Argument {
    Option(String),
    Plain(String),
}

pub(crate) fn argument(text: &str) -> Option<Argument> {
    let own = if text.starts_with('-') { Argument::Option } else { Argument::Plain };
    (!text.contains('\0')).then(|| own(text.to_owned()))
}

/// What Markdown shows if it is one paragraph of nothing but text.
pub(crate) fn markdown(text: &str) -> Option<String> {
    let mut shown = String::new();
    for event in Parser::new_ext(text, pulldown_cmark::Options::all()) {
        match event {
            Event::Text(text) => shown.push_str(&text),
            Event::Start(pulldown_cmark::Tag::Paragraph) | Event::End(TagEnd::Paragraph) => {}
            _ => return None,
        }
    }
    Some(shown)
}

pub(crate) fn json(text: &str) -> Option<Value> {
    serde_json::from_str(text).ok()
}
