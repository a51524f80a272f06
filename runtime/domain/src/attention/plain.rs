//! Text from outside in a message to people.

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
            hidden if is_hidden(hidden) => '\u{fffd}',
            shown => shown,
        });
    }
    out
}

/// Control characters, direction marks, joiners, fillers and tags: none of them shows by itself.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{17b4}'
                | '\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}
