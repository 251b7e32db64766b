//! [`Percentage`]: a share in parts per million.

use std::fmt;
use std::str::FromStr;

use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};
use serde::ser::{Serialize, Serializer};

use crate::excerpt::excerpt;

/// A share between 0 % and 100 %, kept exactly in parts per million (1 ppm = 0.0001 %).
///
/// It reads the numbers and texts that people write into configuration: `12.5`, `"12.5"`, `"12.5%"`, and `true` or
/// `false` for everybody or nobody. What is not a share is refused with the value in the error, never clamped.
///
/// ```
/// use cutover::Percentage;
///
/// let share: Percentage = "12.5%".parse()?;
/// assert_eq!(share.ppm(), 125_000);
/// assert_eq!(share, Percentage::new(12.5)?);
/// assert_eq!(share.to_string(), "12.5%");
/// assert!(Percentage::new(250.0).is_err());
/// # Ok::<(), cutover::PercentageError>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Percentage(u32);

impl Percentage {
    /// Nobody: 0 %.
    pub const ZERO: Self = Self(0);
    /// Everybody: 100 %.
    pub const HUNDRED: Self = Self(PPM_MAX);

    /// The share of `percent`, a number from 0 to 100 with at most four decimals.
    ///
    /// # Errors
    /// [`PercentageError`] for NaN, below 0, above 100, and what is finer than 1 ppm.
    pub fn new(percent: f64) -> Result<Self, PercentageError> {
        let refuse = |problem| Err(PercentageError { value: excerpt(&percent.to_string()), problem });
        if !percent.is_finite() {
            return refuse(Problem::NotANumber);
        }
        if !(0.0..=100.0).contains(&percent) {
            return refuse(Problem::OutOfRange);
        }
        let exact = percent * 10_000.0;
        let nearest = exact.round();
        let vanishes = nearest == 0.0 && percent != 0.0;
        if vanishes || (exact - nearest).abs() > ROUNDING {
            return refuse(Problem::TooFine);
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "checked above: 0 to 1,000,000")]
        Ok(Self(nearest as u32))
    }

    /// The share of `ppm` parts per million.
    ///
    /// # Errors
    /// [`PercentageError`] above 1,000,000.
    pub fn from_ppm(ppm: u32) -> Result<Self, PercentageError> {
        if ppm > PPM_MAX {
            return Err(PercentageError { value: format!("{ppm} ppm"), problem: Problem::OutOfRange });
        }
        Ok(Self(ppm))
    }

    /// Parts per million, 0 to 1,000,000.
    #[must_use]
    pub const fn ppm(self) -> u32 {
        self.0
    }

    /// The share in percent, 0.0 to 100.0.
    #[must_use]
    pub fn percent(self) -> f64 {
        f64::from(self.0) / 10_000.0
    }

    /// Whether a bucket falls into this share: `(bucket * 1_000_000) >> 64 < ppm`.
    ///
    /// 0 % contains no bucket and 100 % contains all; a larger share contains every bucket of a smaller one.
    ///
    /// ```
    /// use cutover::Percentage;
    /// assert!(!Percentage::ZERO.contains(0));
    /// assert!(Percentage::HUNDRED.contains(u64::MAX));
    /// ```
    #[must_use]
    #[inline]
    pub const fn contains(self, bucket: u64) -> bool {
        crate::bucket::ppm_of(bucket) < self.0
    }

    /// As `ppm`, but trusting the caller that it is in range; what is above counts as everybody.
    pub(crate) const fn saturating_from_ppm(ppm: u32) -> Self {
        Self(if ppm > PPM_MAX { PPM_MAX } else { ppm })
    }
}

const PPM_MAX: u32 = 1_000_000;

/// What a few operations on `f64` may be off, in ppm: `0.1 + 0.2` is read as 0.3.
const ROUNDING: f64 = 1e-9;

impl From<bool> for Percentage {
    fn from(everybody: bool) -> Self {
        if everybody { Self::HUNDRED } else { Self::ZERO }
    }
}

impl TryFrom<f64> for Percentage {
    type Error = PercentageError;

    fn try_from(percent: f64) -> Result<Self, PercentageError> {
        Self::new(percent)
    }
}

impl FromStr for Percentage {
    type Err = PercentageError;

    /// Reads `12.5`, `12.5%`, `12.5 %`, `true` and `false`.
    fn from_str(text: &str) -> Result<Self, PercentageError> {
        match text {
            "true" => return Ok(Self::HUNDRED),
            "false" => return Ok(Self::ZERO),
            _ => {}
        }
        let number = text.strip_suffix('%').unwrap_or(text).trim();
        let refuse = |problem| PercentageError { value: excerpt(text), problem };
        let percent = number.parse::<f64>().map_err(|_| refuse(Problem::NotANumber))?;
        Self::new(percent).map_err(|error| refuse(error.problem))
    }
}

impl fmt::Display for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.percent())
    }
}

impl fmt::Debug for Percentage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Writes the number of percent, so that what was written reads back as the same share.
impl Serialize for Percentage {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.percent())
    }
}

impl<'de> Deserialize<'de> for Percentage {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PercentageVisitor)
    }
}

struct PercentageVisitor;

impl Visitor<'_> for PercentageVisitor {
    type Value = Percentage;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a percentage from 0 to 100 such as 12.5 or \"12.5%\", or true or false")
    }

    fn visit_bool<E: de::Error>(self, everybody: bool) -> Result<Percentage, E> {
        Ok(everybody.into())
    }

    fn visit_u64<E: de::Error>(self, percent: u64) -> Result<Percentage, E> {
        let small = u32::try_from(percent).map_err(|_| E::invalid_value(Unexpected::Unsigned(percent), &self))?;
        Percentage::new(f64::from(small)).map_err(E::custom)
    }

    fn visit_i64<E: de::Error>(self, percent: i64) -> Result<Percentage, E> {
        let positive = u64::try_from(percent).map_err(|_| E::invalid_value(Unexpected::Signed(percent), &self))?;
        self.visit_u64(positive)
    }

    /// Reads the decimal that was meant: `12.3_f32` is 12.3, not 12.300000190734863.
    fn visit_f32<E: de::Error>(self, percent: f32) -> Result<Percentage, E> {
        self.visit_str(&percent.to_string())
    }

    fn visit_f64<E: de::Error>(self, percent: f64) -> Result<Percentage, E> {
        Percentage::new(percent).map_err(E::custom)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Percentage, E> {
        text.parse().map_err(E::custom)
    }
}

/// A value that is no [`Percentage`]; the message names the value and what is allowed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{value}` {problem}; a percentage is a number from 0 to 100 with at most 4 decimals")]
pub struct PercentageError {
    value: String,
    problem: Problem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
enum Problem {
    #[error("is not a number")]
    NotANumber,
    #[error("is out of range")]
    OutOfRange,
    #[error("is finer than 1 part per million")]
    TooFine,
}
