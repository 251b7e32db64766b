//! JSON numbers by value: `1`, `1.0` and `1e0` are the same number.

use std::hash::{Hash, Hasher};

use serde_json::Number;

/// Whether two numbers are equal by value, or differ by at most `tolerance`.
pub(super) fn agree(legacy: &Number, new: &Number, tolerance: Option<f64>) -> bool {
    let (Some(a), Some(b)) = (Exact::of(legacy), Exact::of(new)) else { return legacy == new };
    a == b || tolerance.is_some_and(|tolerance| a.is_near(b, tolerance))
}

/// Feeds what [`agree`] compares, so that equal numbers hash alike.
pub(super) fn hash(number: &Number, hasher: &mut impl Hasher) {
    match Exact::of(number) {
        Some(Exact::Integer(integer)) => integer.hash(hasher),
        Some(Exact::Fraction(float)) => float.to_bits().hash(hasher),
        None => number.to_string().hash(hasher),
    }
}

/// A number without rounding: whole floats are integers, so that the two kinds never meet.
#[derive(Clone, Copy, PartialEq)]
enum Exact {
    Integer(i128),
    Fraction(f64),
}

impl Exact {
    fn of(number: &Number) -> Option<Self> {
        number.as_i128().map(Self::Integer).or_else(|| number.as_f64().map(Self::of_float))
    }

    fn of_float(float: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "a whole number below 2^127 fits")]
        if float.fract() == 0.0 && float.abs() < LIMIT { Self::Integer(float as i128) } else { Self::Fraction(float) }
    }

    fn is_near(self, other: Self, tolerance: f64) -> bool {
        if let (Self::Integer(a), Self::Integer(b)) = (self, other) {
            return to_float(a.abs_diff(b)) <= tolerance;
        }
        let (a, b) = (self.float(), other.float());
        // Decimals such as 1.01 and 1.00 are rounded to binary: half a unit in the last place each.
        let rounding = if tolerance > 0.0 { f64::EPSILON * a.abs().max(b.abs()).max(tolerance) } else { 0.0 };
        (a - b).abs() <= tolerance + rounding
    }

    fn float(self) -> f64 {
        match self {
            Self::Integer(integer) if integer < 0 => -to_float(integer.unsigned_abs()),
            Self::Integer(integer) => to_float(integer.unsigned_abs()),
            Self::Fraction(float) => float,
        }
    }
}

/// 2^127: the first number that an `i128` does not hold.
const LIMIT: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;

#[expect(clippy::cast_precision_loss, reason = "the nearest float is what a tolerance is compared with")]
fn to_float(integer: u128) -> f64 {
    integer as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn numbers_compare_by_value() {
        for (a, b) in [("1", "1.0"), ("0", "-0.0"), ("10", "1e1"), ("18446744073709551615", "18446744073709551615")] {
            assert!(agree(&number(a), &number(b), None), "{a} {b}");
        }
        for (a, b) in [("1", "1.5"), ("9007199254740993", "9007199254740992.0"), ("-1", "18446744073709551615")] {
            assert!(!agree(&number(a), &number(b), None), "{a} {b}");
        }
    }

    #[test]
    fn a_tolerance_includes_its_end_in_decimals() {
        assert!(agree(&number("1.01"), &number("1.00"), Some(0.01)));
        assert!(agree(&number("0.3"), &number("0.1"), Some(0.2)));
        assert!(!agree(&number("1.0100001"), &number("1.00"), Some(0.01)));
        assert!(!agree(&number("9007199254740995"), &number("9007199254740992"), Some(2.0)));
    }
}
