//! The sign shown in place of each character that hides something.

use std::fmt;

use provost_domain::visible::hides;

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
