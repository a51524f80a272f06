//! The templates' only escaper.

use std::fmt;

use askama::filters::Escaper;
use provost_face::write_visible;

/// Escapes markup and shows what hides: whatever a template writes passes here, also what nobody thought of as text from
/// outside.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Visible;

impl Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, string: &str) -> fmt::Result {
        write_visible(&mut Markup(&mut dest), string)
    }
}

/// Writes what would be markup as text.
struct Markup<'a, W>(&'a mut W);

impl<W: fmt::Write> fmt::Write for Markup<'_, W> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.chars().try_for_each(|c| self.write_char(c))
    }

    fn write_char(&mut self, c: char) -> fmt::Result {
        match c {
            '&' => self.0.write_str("&amp;"),
            '<' => self.0.write_str("&lt;"),
            '>' => self.0.write_str("&gt;"),
            '"' => self.0.write_str("&quot;"),
            '\'' => self.0.write_str("&#39;"),
            c => self.0.write_char(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        let mut written = String::new();
        Visible.write_escaped_str(&mut written, text).unwrap();
        assert_eq!(written, expect);
    }

    #[test]
    fn markup_is_escaped_and_nothing_hides() {
        check("<b a='1' c=\"2\">&", "&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;");
        check("a\tb\nc", "a\tb\nc");
        check("\u{1b}[31m\r\u{7f}\u{0}", "␛[31m␍␡␀");
        check("safe\u{202e}gpj.exe \u{feff}\u{85}", "safe⟨U+202E⟩gpj.exe ⟨U+FEFF⟩⟨U+0085⟩");
    }
}
