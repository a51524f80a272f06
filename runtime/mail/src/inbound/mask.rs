//! Takes the secret of a sender out of a body: the member of the outermost object that holds it, however that is written,
//! and nothing else. Its digest stands in its place.

use std::ops::Range;

use provost_domain::ids::Digest;

use super::loose::repaired;

/// A body without its secrets, and these, in order. JSON lets a name come twice.
pub(super) fn masked(text: &str, member: &str) -> (String, Vec<String>) {
    let (mut out, mut secrets, mut done) = (String::with_capacity(text.len()), Vec::new(), 0);
    for span in (Members { text, at: 0 }).values_of(member) {
        let Some(token) = text.get(span.clone()).filter(|token| token.starts_with('"')) else { continue };
        // One that breaks off is no text, and as secret.
        let secret = string(token).unwrap_or_else(|| token.to_owned());
        if secret.is_empty() {
            continue;
        }
        out.push_str(text.get(done..span.start).unwrap_or_default());
        let mask = format!("\"sha256:{}\"", Digest::of(secret.as_bytes()).hex());
        out.push_str(&mask);
        done = span.end;
        secrets.push(secret);
    }
    out.push_str(text.get(done..).unwrap_or_default());
    (out, secrets)
}

/// The text that a token in quotes stands for.
fn string(token: &str) -> Option<String> {
    serde_json::from_str(&repaired(token)).ok()
}

/// Walks the members of the outermost object. It needs no whole JSON: what breaks off is read up to there.
struct Members<'a> {
    text: &'a str,
    at: usize,
}

impl Members<'_> {
    /// Where the values of the members of a name stand.
    fn values_of(mut self, name: &str) -> Vec<Range<usize>> {
        let mut found = Vec::new();
        self.blanks();
        if !self.take('{') {
            return found;
        }
        while let Some((member, value)) = self.member() {
            if member == name {
                found.push(value);
            }
        }
        found
    }

    fn member(&mut self) -> Option<(String, Range<usize>)> {
        self.blanks();
        while self.take(',') {
            self.blanks();
        }
        let start = self.at;
        self.quoted()?;
        let name = string(self.text.get(start..self.at)?).unwrap_or_default();
        self.blanks();
        self.take(':').then_some(())?;
        self.blanks();
        let start = self.at;
        self.value()?;
        Some((name, start..self.at))
    }

    /// Goes behind one value.
    fn value(&mut self) -> Option<()> {
        let mut depth = 0_usize;
        loop {
            match self.rest().chars().next()? {
                '"' => {
                    self.quoted()?;
                    if depth == 0 {
                        return Some(());
                    }
                }
                '{' | '[' => {
                    depth += 1;
                    self.at += 1;
                }
                '}' | ']' | ',' if depth == 0 => return Some(()),
                '}' | ']' => {
                    depth -= 1;
                    self.at += 1;
                }
                letter => self.at += letter.len_utf8(),
            }
            if depth == 0 && self.rest().starts_with(|letter: char| letter.is_whitespace() || ",}]".contains(letter)) {
                return Some(());
            }
        }
    }

    /// Goes behind a text in quotes; to the end where it is not closed.
    fn quoted(&mut self) -> Option<()> {
        let mut letters = self.rest().strip_prefix('"')?.char_indices();
        while let Some((at, letter)) = letters.next() {
            match letter {
                '"' => {
                    self.at += at + 2;
                    return Some(());
                }
                '\\' => drop(letters.next()),
                _ => {}
            }
        }
        self.at = self.text.len();
        Some(())
    }

    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn blanks(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn take(&mut self, sign: char) -> bool {
        let is = self.rest().starts_with(sign);
        if is {
            self.at += sign.len_utf8();
        }
        is
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `#` stands for the digest of `key`.
    #[track_caller]
    fn check(text: &str, expect: &str, secrets: &[&str]) {
        let digest = format!("\"sha256:{}\"", Digest::of(b"key").hex());
        assert_eq!(
            masked(text, "routing_key"),
            (expect.replace('#', &digest), secrets.iter().map(|s| (*s).to_owned()).collect()),
            "{text}"
        );
    }

    #[test]
    fn the_member_is_masked_however_it_is_written_and_nothing_else_changes() {
        check(r#"{"routing_key": "key",  "x": "keys key"}"#, r#"{"routing_key": #,  "x": "keys key"}"#, &["key"]);
        check(
            r#"{"x":["routing_key","key"],"routing_key":"key"}"#,
            r#"{"x":["routing_key","key"],"routing_key":#}"#,
            &["key"],
        );
        check(r#"{"routing\u005fkey" :"\u006bey"}"#, r#"{"routing\u005fkey" :#}"#, &["key"]);
        check(
            r#" {"a": {"routing_key": "no", "b": "}"}, "routing_key": "key"}"#,
            r#" {"a": {"routing_key": "no", "b": "}"}, "routing_key": #}"#,
            &["key"],
        );
        check(r#"{"routing_key":"key","routing_key":"key"}"#, r#"{"routing_key":#,"routing_key":#}"#, &["key", "key"]);
        check(
            r#"{"s": "\ud83d", "n": NaN, "routing_key": "key"}"#,
            r#"{"s": "\ud83d", "n": NaN, "routing_key": #}"#,
            &["key"],
        );
        check(
            r#"{"q": "\"routing_key\": \"key\"", "n": -1.5e3, "routing_key": "key"}"#,
            r#"{"q": "\"routing_key\": \"key\"", "n": -1.5e3, "routing_key": #}"#,
            &["key"],
        );
        check(r#"{"routing_key": "key""#, r#"{"routing_key": #"#, &["key"]);
        let (broken, _) = masked(r#"{"routing_key": "key-that-breaks-o"#, "routing_key");
        assert!(!broken.contains("key-that"), "{broken}");
        for plain in [
            r#"{"routing_key": 7}"#,
            r#"{"routing_key": ""}"#,
            r#"["routing_key", "key"]"#,
            "",
            "{",
            "{\"",
            "{\"a\":",
            "{]",
        ] {
            check(plain, plain, &[]);
        }
    }
}
