//! [`Release`]: up to when something old stays, in the numbers that a host counts its releases by.

use std::fmt;
use std::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::excerpt::excerpt;

/// A release: one to three numbers, such as 2, 2.1 or 2.1.0. Who releases by the calendar writes days: 2026.9.30.
///
/// There is one way to say when something has to be gone, and it is a release and no moment: the same commit then gives
/// the same answer tomorrow, and a branch that is kept alive does not turn red overnight. Whoever wants exactly that
/// compares with a day, from [`of_day`](Self::of_day).
///
/// ```
/// use cutover::compat::Release;
///
/// const LAST: Release = Release::new([2, 9]);
/// assert!(!Release::new([2, 9, 4]).is_after(LAST)); // 2.9.4 is one of 2.9
/// assert!(Release::new([2, 10, 0]).is_after(LAST));
/// assert_eq!("3.0.0-beta.1".parse(), Ok(Release::new([3, 0, 0])));
/// # Ok::<(), cutover::compat::InvalidRelease>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Release {
    numbers: [u32; 3],
    given: u8,
}

impl Release {
    /// A release of one to three numbers; any other count does not compile.
    #[must_use]
    pub const fn new<const N: usize>(numbers: [u32; N]) -> Self {
        const { assert!(N >= 1 && N <= 3, "a release has one to three numbers") };
        match numbers.as_slice() {
            [] => Self { numbers: [0; 3], given: 0 },
            [major] => Self { numbers: [*major, 0, 0], given: 1 },
            [major, minor] => Self { numbers: [*major, *minor, 0], given: 2 },
            [major, minor, patch, ..] => Self { numbers: [*major, *minor, *patch], given: 3 },
        }
    }

    /// The day of a time, in UTC and the calendar of today, such as 2026.9.30; before 1970, the first day of 1970.
    ///
    /// ```
    /// use cutover::compat::Release;
    /// use std::time::{Duration, UNIX_EPOCH};
    ///
    /// let leap_day = UNIX_EPOCH + Duration::from_secs(1_709_164_800);
    /// assert_eq!(Release::of_day(leap_day), Release::new([2024, 2, 29]));
    /// ```
    #[must_use]
    pub fn of_day(time: SystemTime) -> Self {
        let days = time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / SECONDS_OF_A_DAY;
        Self::new(date(days).map(|number| u32::try_from(number).unwrap_or(u32::MAX)))
    }

    /// Whether this one comes after `last`, of which only the numbers count that it has: 2.9.4 is not after 2.9.
    #[must_use]
    pub fn is_after(self, last: Self) -> bool {
        let compared = usize::from(last.given);
        self.numbers.iter().take(compared).gt(last.numbers.iter().take(compared))
    }
}

const SECONDS_OF_A_DAY: u64 = 86_400;

/// Year, month and day of a number of days since the Unix epoch: Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `civil_from_days`. Its years begin in March, so that a leap day is the last of one.
const fn date(days: u64) -> [u64; 3] {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let (month, later) = if from_march < 10 { (from_march + 3, 0) } else { (from_march - 9, 1) };
    [year + era * 400 + later, month, day]
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let given = self.numbers.iter().take(usize::from(self.given));
        f.pad(&given.map(ToString::to_string).collect::<Vec<_>>().join("."))
    }
}

/// Reads what [`Release`] writes, and versions of Cargo: what follows the third number, as in `3.0.0-beta.1` or
/// `3.0.0+build`, is left out.
impl FromStr for Release {
    type Err = InvalidRelease;

    fn from_str(text: &str) -> Result<Self, InvalidRelease> {
        read(text).ok_or_else(|| InvalidRelease { text: excerpt(text) })
    }
}

fn read(text: &str) -> Option<Release> {
    let numbers = text.split(['-', '+']).next().unwrap_or_default();
    let read: Vec<u32> = numbers.split('.').map(number).collect::<Option<_>>()?;
    match *read.as_slice() {
        [major, minor, patch] => Some(Release::new([major, minor, patch])),
        _ if numbers.len() < text.len() => None,
        [major, minor] => Some(Release::new([major, minor])),
        [major] => Some(Release::new([major])),
        _ => None,
    }
}

fn number(digits: &str) -> Option<u32> {
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

impl Serialize for Release {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Release {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A text that is no release.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no release; a release is one to three numbers with dots between them, such as 2, 2.1 or 2.1.0, or a day such as 2026.9.30"
)]
#[non_exhaustive]
pub struct InvalidRelease {
    /// The text, cut after 40 characters.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        let day = |days| date(days);
        assert_eq!(day(0), [1970, 1, 1]);
        assert_eq!(day(11_016), [2000, 2, 29]);
        assert_eq!(day(11_017), [2000, 3, 1]);
        assert_eq!(day(20_088), [2024, 12, 31]);
        assert_eq!(day(47_540), [2100, 2, 28]);
        assert_eq!(day(47_541), [2100, 3, 1]); // 2100 has no leap day
    }
}
