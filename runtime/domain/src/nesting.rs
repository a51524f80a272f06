//! How deeply JSON may be nested: one limit for everything that comes in. What is stored is read by a parser that takes 128
//! levels, twice as many: events, commands, plans and snapshots put less than that around what came in.

use serde_json::Value;

/// Most levels of lists and objects in JSON that comes in; a number or a text has none, `{}` has one. Data of people and
/// machines has a handful.
pub const LEVELS_MAX: usize = 64;
/// Stands where a level was cut off.
const CUT: &str = "(nested too deeply, cut off)";

/// JSON is nested too deeply.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("it is nested deeper than {LEVELS_MAX} levels")]
pub struct TooDeep;

/// Refuses JSON of more levels than may come in.
///
/// # Errors
/// It has more.
pub fn check(value: &Value) -> Result<(), TooDeep> {
    if fits(value, LEVELS_MAX) { Ok(()) } else { Err(TooDeep) }
}

/// Whether a value has at most so many levels.
pub fn fits(value: &Value, levels: usize) -> bool {
    match value {
        Value::Array(items) => levels > 0 && items.iter().all(|item| fits(item, levels - 1)),
        Value::Object(members) => levels > 0 && members.values().all(|member| fits(member, levels - 1)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    }
}

/// Cuts off what lies deeper than so many levels: a text stands in its place. Whether anything was cut off.
pub fn cut(value: &mut Value, levels: usize) -> bool {
    match value {
        Value::Array(_) | Value::Object(_) if levels == 0 => {
            *value = CUT.into();
            true
        }
        Value::Array(items) => items.iter_mut().fold(false, |any, item| cut(item, levels - 1) | any),
        Value::Object(members) => members.values_mut().fold(false, |any, member| cut(member, levels - 1) | any),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// Lists and objects in turn, so many levels.
    fn nested(levels: usize) -> Value {
        (0..levels).fold(json!(1), |inner, level| if level % 2 == 0 { json!([inner, 2]) } else { json!({"a": inner}) })
    }

    #[test]
    fn the_limit_is_exact() {
        assert_eq!((check(&nested(LEVELS_MAX)), check(&nested(LEVELS_MAX + 1))), (Ok(()), Err(TooDeep)));
        assert!(fits(&json!("a"), 0) && !fits(&json!([]), 0) && fits(&json!({}), 1));
    }

    proptest! {
        #[test]
        fn what_is_cut_fits_and_what_fits_is_kept(levels in 0..80_usize, limit in 0..80_usize) {
            let mut value = nested(levels);
            prop_assert_eq!(fits(&value, limit), levels <= limit);
            prop_assert_eq!(cut(&mut value, limit), levels > limit);
            prop_assert!(fits(&value, limit));
            prop_assert!(levels > limit || value == nested(levels));
        }
    }
}
