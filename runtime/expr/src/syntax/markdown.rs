//! Values in Markdown.

/// A text that Markdown shows as it is: its punctuation is escaped, and it stays on its line.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::new();
    for sign in text.chars() {
        if sign.is_control() || matches!(sign, '\u{2028}' | '\u{2029}') {
            escaped.push(' ');
            continue;
        }
        if sign.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(sign);
    }
    escaped
}
