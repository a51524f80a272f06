//! Text from outside in a Markdown document.

use std::fmt;

use super::text::VisibleText;

/// A text as a Markdown document shows it, character by character; written by `Display`.
#[derive(Debug, Clone, Copy)]
pub struct Markdown<'a>(&'a str);

impl VisibleText {
    /// The text for a Markdown document: shown as it is, never as markup.
    pub fn markdown(&self) -> Markdown<'_> {
        Markdown(self.as_str())
    }
}

impl fmt::Display for Markdown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        use fmt::Write as _;
        for c in self.0.chars() {
            // The first three would be HTML; the others are markup somewhere in a line or at its beginning.
            match c {
                '&' => f.write_str("&amp;")?,
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '\\' | '`' | '*' | '_' | '{' | '}' | '[' | ']' | '(' | ')' | '#' | '+' | '-' | '.' | '!' | '|'
                | '~' | '=' | ':' => {
                    f.write_char('\\')?;
                    f.write_char(c)?;
                }
                // A tab or four spaces at a line's beginning would make a block of code.
                '\t' => f.write_char(' ')?,
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

/// A fenced block: its fence is longer than any in the text, so that nothing ends it early.
pub fn fenced(language: &str, text: &VisibleText) -> String {
    let text = text.as_str();
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == '`' { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    let fence = "`".repeat(3.max(longest + 1));
    format!("{fence}{language}\n{text}\n{fence}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_shown_and_not_followed() {
        let text = VisibleText::new("# <b>[x](y)</b> `z`\n- 1. a|b");
        let expect = "\\# &lt;b&gt;\\[x\\]\\(y\\)&lt;/b&gt; \\`z\\`\n\\- 1\\. a\\|b";
        assert_eq!(text.markdown().to_string(), expect);
    }

    #[test]
    fn a_fence_outlasts_the_ones_inside() {
        assert_eq!(fenced("text", &"a".into()), "```text\na\n```");
        assert_eq!(fenced("", &"a\n````\nb".into()), "`````\na\n````\nb\n`````");
    }
}
