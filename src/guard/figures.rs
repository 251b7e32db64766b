//! Numbers as people write them.

use std::fmt::{self, Display, Formatter, Write};

/// `1900` as `1,900`.
pub(super) struct Thousands(pub(super) u64);

impl Display for Thousands {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let digits = self.0.to_string();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at) % 3 == 0 {
                f.write_char(',')?;
            }
            f.write_char(digit)?;
        }
        Ok(())
    }
}

/// `37 of 1,900`.
pub(super) struct OutOf(pub(super) u64, pub(super) u64);

impl Display for OutOf {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", Thousands(self.0), Thousands(self.1))
    }
}

/// A share that was measured, `0.1762` as `17.6 %`; what is small keeps a digit that says something.
pub(super) struct Share(pub(super) Option<f64>);

impl Display for Share {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0.map(|share| share * 100.0) {
            None => f.write_str("no data"),
            Some(percent) if percent > 0.0 && percent < 0.001 => f.write_str("less than 0.001 %"),
            Some(percent) if percent > 0.0 && percent < 0.1 => write!(f, "{percent:.3} %"),
            Some(percent) => write!(f, "{percent:.1} %"),
        }
    }
}

/// A share that somebody has set, `0.05` as `5 %`.
pub(super) struct Percent(pub(super) f64);

impl Display for Percent {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} %", Number(self.0 * 100.0))
    }
}

/// A number that somebody has set, without what arithmetic adds to it.
pub(super) struct Number(pub(super) f64);

impl Display for Number {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", (self.0 * 1e6).round() / 1e6)
    }
}

/// A measured number with one decimal.
pub(super) struct Rounded(pub(super) f64);

impl Display for Rounded {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1}", self.0)
    }
}

/// `exp(ln)` as odds, `1 in 500`.
pub(super) struct Odds(pub(super) f64);

impl Display for Odds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "1 in {}", Thousands(rounded_down(self.0)))
    }
}

/// `exp(ln)` with its first digit, never more than it is, and at most 10^12.
pub(super) fn rounded_down(ln: f64) -> u64 {
    let digits = (ln.min(MOST) / std::f64::consts::LN_10).max(0.0);
    let unit = 10.0_f64.powf(digits.floor());
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "from 1 to 10^12")]
    let floor = ((10.0_f64.powf(digits) / unit + ROUNDING).floor() * unit) as u64;
    floor
}

/// Beyond a million millions nobody believes a number.
const MOST: f64 = 27.631_021_115_928_55; // ln 10^12

/// What powers and logarithms are off.
const ROUNDING: f64 = 1e-9;

/// A time as people say it.
pub(super) struct Seconds(pub(super) u64);

impl Display for Seconds {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.0 {
            hours if hours >= 3600 && hours % 3600 == 0 => write!(f, "{} h", hours / 3600),
            long if long >= 120 => write!(f, "{} min", long / 60),
            seconds => write!(f, "{seconds} s"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        let written = [0, 999, 1_000, 1_234_567, u64::MAX].map(|count| Thousands(count).to_string());
        assert_eq!(written, ["0", "999", "1,000", "1,234,567", "18,446,744,073,709,551,615"]);
    }

    #[test]
    fn shares_keep_a_digit_that_says_something() {
        let written = [0.0, 1e-9, 0.000_5, 0.176_2, 1.0].map(|share| Share(Some(share)).to_string());
        assert_eq!(written, ["0.0 %", "less than 0.001 %", "0.050 %", "17.6 %", "100.0 %"]);
        assert_eq!(Share(None).to_string(), "no data");
        assert_eq!([0.05, 0.3, 1.0 - 0.8].map(|share| Percent(share).to_string()), ["5 %", "30 %", "20 %"]);
    }

    #[test]
    fn odds_are_rounded_to_the_safe_side() {
        let written = [1.0_f64, 523.0, 599.9, 1_000.0, 2.5e6].map(|odds| Odds(odds.ln()).to_string());
        assert_eq!(written, ["1 in 1", "1 in 500", "1 in 500", "1 in 1,000", "1 in 2,000,000"]);
        let extremes = [-5.0, 700.0, 1e6].map(rounded_down);
        assert_eq!(extremes, [1, 1_000_000_000_000, 1_000_000_000_000]);
    }

    #[test]
    fn times_are_said_in_one_unit() {
        let written = [5, 119, 600, 3_600, 5_400, 86_400].map(|seconds| Seconds(seconds).to_string());
        assert_eq!(written, ["5 s", "119 s", "10 min", "1 h", "90 min", "24 h"]);
    }
}
