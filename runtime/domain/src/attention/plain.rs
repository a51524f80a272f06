//! Text from outside in a message to people.

use crate::visible::hides;

/// At most `max` characters of a text, on lines of its own. Control characters and those that hide or turn what stands
/// beside them become a visible sign; what is cut ends in `…`.
pub fn plain(text: &str, max: usize) -> String {
    let mut out = String::new();
    let mut left = max;
    for character in text.trim().chars() {
        if left == 0 {
            out.pop();
            out.push('…');
            break;
        }
        left -= 1;
        out.push(match character {
            '\n' => '\n',
            '\r' | '\t' => ' ',
            hidden if hides(hidden) => '\u{fffd}',
            shown => shown,
        });
    }
    out
}
