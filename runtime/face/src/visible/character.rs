//! Which characters hide something, and the sign shown in place of each.

use std::fmt;

/// Whether a character shows nothing itself and changes how others are seen or understood: control characters, direction
/// marks, invisible fillers and tags. What emoji and scripts need to be written (joiners, the emoji variant) is not.
pub fn hides(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}')
        || matches!(c, '\u{180b}'..='\u{180f}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(c, '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}' | '\u{fff9}'..='\u{fffb}')
        || matches!(c, '\u{1bca0}'..='\u{1bca3}' | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

/// Writes a text with a visible sign for every character that hides something. Line breaks and tabs stay.
///
/// # Errors
/// The writer's own.
pub fn write_visible(to: &mut impl fmt::Write, text: &str) -> fmt::Result {
    for c in text.chars() {
        write_char(to, c)?;
    }
    Ok(())
}

fn write_char(to: &mut impl fmt::Write, c: char) -> fmt::Result {
    if matches!(c, '\n' | '\t') || !hides(c) {
        return to.write_char(c);
    }
    let picture = match u32::from(c) {
        code @ 0..0x20 => char::from_u32(0x2400 + code),
        0x7f => Some('\u{2421}'),
        _ => None,
    };
    match picture {
        Some(picture) => to.write_char(picture),
        None => write!(to, "⟨U+{:04X}⟩", u32::from(c)),
    }
}
