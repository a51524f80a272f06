//! How numbers are written.

use serde_json::{Number, Value};

/// Beyond this not every whole number is a double.
const WHOLE_MAX: f64 = 9_007_199_254_740_992.0;

/// A number in words: a whole one without a point, every other as short as it can be read back.
pub(crate) fn print(number: f64) -> String {
    match whole(number) {
        Some(whole) => whole.to_string(),
        None if number.abs() >= 1e-5 && number.abs() < 1e21 => number.to_string(),
        None => format!("{number:e}"),
    }
}

/// A number as JSON; NaN and the infinities have none.
pub(crate) fn json(number: f64) -> Option<Value> {
    match whole(number) {
        Some(whole) => Some(whole.into()),
        None => Number::from_f64(number).map(Value::Number),
    }
}

#[expect(clippy::cast_possible_truncation, reason = "it is whole and within the bounds")]
#[expect(clippy::float_cmp, reason = "whether a number is whole is asked exactly")]
fn whole(number: f64) -> Option<i64> {
    (number.trunc() == number && number.abs() <= WHOLE_MAX).then_some(number as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_no_point_and_all_are_read_back() {
        for (number, expect) in [
            (7.0, "7"),
            (-0.0, "0"),
            (0.1, "0.1"),
            (1e300, "1e300"),
            (1e-9, "1e-9"),
            (-2.5, "-2.5"),
            (1e18, "1000000000000000000"),
        ] {
            assert_eq!(print(number), expect);
            assert_eq!(expect.parse::<f64>().unwrap().total_cmp(&(number + 0.0)), std::cmp::Ordering::Equal);
        }
        assert_eq!(json(f64::NAN), None);
        assert_eq!(json(7.0), Some(Value::from(7)));
    }
}
