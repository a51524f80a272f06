//! Text with nothing invisible in it.

use std::fmt;

use super::character::write_visible;

/// Characters of a text when the face says nothing else: some pages of a terminal.
pub const TEXT_MAX: usize = 8_000;

/// Text from outside that can be shown: control characters and direction marks are replaced by visible signs, and what is
/// too long ends in `…`. Line breaks and tabs stay.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VisibleText {
    text: String,
    cut: bool,
}

impl VisibleText {
    /// A text of at most [`TEXT_MAX`] characters.
    pub fn new(text: impl AsRef<str>) -> Self {
        Self::within(text, TEXT_MAX)
    }

    /// A text of at most so many characters.
    pub fn within(text: impl AsRef<str>, characters: usize) -> Self {
        let text = text.as_ref();
        let end = text.char_indices().nth(characters).map(|(at, _)| at);
        let shown = end.map_or(text, |at| text.get(..at).unwrap_or_default());
        let mut visible = String::with_capacity(shown.len());
        // Writing to a string never fails.
        let _written: fmt::Result = write_visible(&mut visible, shown);
        if end.is_some() {
            visible.push('…');
        }
        Self { text: visible, cut: end.is_some() }
    }

    /// The same in one line: every run of white space is one space.
    #[must_use]
    pub fn line(&self, characters: usize) -> Self {
        let line = self.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let Self { text, cut } = Self::within(line, characters);
        Self { text, cut: cut || self.cut }
    }

    /// The same where further lines begin with `indent`, so that none of them looks like a line of ours.
    pub fn hanging(&self, indent: &str) -> String {
        self.text.replace('\n', &format!("\n{indent}"))
    }

    /// Whether the end is missing.
    pub fn is_cut(&self) -> bool {
        self.cut
    }

    /// Whether there is nothing to show.
    pub fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// The text, safe for a terminal.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for VisibleText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl From<&str> for VisibleText {
    fn from(text: &str) -> Self {
        Self::new(text)
    }
}

impl From<String> for VisibleText {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(VisibleText::new(text).as_str(), expect);
    }

    #[test]
    fn nothing_hides() {
        check("a\tb\nc", "a\tb\nc");
        check("\u{1b}[31m\r\u{7f}\u{0}", "␛[31m␍␡␀");
        check("safe\u{202e}gpj.exe \u{feff}\u{85}", "safe⟨U+202E⟩gpj.exe ⟨U+FEFF⟩⟨U+0085⟩");
        check("\u{2028}\u{ad}\u{e0100}", "⟨U+2028⟩⟨U+00AD⟩⟨U+E0100⟩");
        check("Zürich 東京 🚒 ⚠️", "Zürich 東京 🚒 ⚠️");
    }

    #[test]
    fn a_long_text_ends_with_a_sign_and_says_so() {
        let text = VisibleText::within("äöü", 2);
        assert_eq!((text.as_str(), text.is_cut()), ("äö…", true));
        let whole = VisibleText::within("äöü", 3);
        assert_eq!((whole.as_str(), whole.is_cut()), ("äöü", false));
    }

    #[test]
    fn a_line_is_one_line() {
        let text = VisibleText::new("a\n\n  b\t\u{1b}c");
        assert_eq!(text.line(80).as_str(), "a b ␛c");
        assert_eq!(text.line(3).as_str(), "a b…");
        assert_eq!(VisibleText::new("a\nreason x").hanging("  "), "a\n  reason x");
    }
}
