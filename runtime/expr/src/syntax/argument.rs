//! One argument of a command.

use crate::template::TemplatePiece;

/// The value, if a command can take it at all.
pub(super) fn whole(text: &str) -> Result<String, String> {
    if text.contains('\0') {
        return Err("holds a NUL, which no argument can".to_owned());
    }
    Ok(text.to_owned())
}

/// An argument that a value turned into an option. What the author wrote before the first hole may be one.
pub(super) fn flaw(pieces: &[TemplatePiece], filled: &str) -> Option<String> {
    let written = match pieces.first() {
        Some(TemplatePiece::Text(text, _)) => text.starts_with('-'),
        Some(TemplatePiece::Hole(_)) | None => false,
    };
    (filled.starts_with('-') && !written).then(|| "begins with `-`, so it would be an option".to_owned())
}
