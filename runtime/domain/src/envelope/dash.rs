//! Dashes, of which models know many.

/// A hyphen or a minus sign.
pub(super) const fn is_hyphen(c: char) -> bool {
    matches!(c, '-' | '\u{2010}' | '\u{2011}' | '\u{2212}' | '\u{FE63}' | '\u{FF0D}')
}

/// Any Unicode dash (the category Pd within the basic plane) or minus sign.
pub(super) const fn is_dash(c: char) -> bool {
    is_hyphen(c)
        || matches!(
            c,
            '\u{2012}'..='\u{2015}' | '\u{2E17}' | '\u{2E1A}' | '\u{2E3A}' | '\u{2E3B}' | '\u{2E40}' | '\u{2E5D}'
        )
        || matches!(c, '\u{058A}' | '\u{05BE}' | '\u{1400}' | '\u{1806}' | '\u{301C}' | '\u{3030}' | '\u{30A0}')
        || matches!(c, '\u{FE31}' | '\u{FE32}' | '\u{FE58}')
}
