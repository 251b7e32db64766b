//! Durations as people write them: `3d`, `36h`, `90m`, `45s`, or seconds as a number.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, Visitor};
use serde::{Deserializer, Serializer};

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];

/// The duration in the largest unit of which it has a whole number.
pub(super) fn text(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let whole = UNITS.iter().find(|(_, unit)| seconds > 0 && seconds % unit == 0);
    whole.map_or_else(|| "0s".to_owned(), |(name, unit)| format!("{}{name}", seconds / unit))
}

/// The duration for people, rounded up to seconds, in its two largest units: `6d 23h`.
pub(super) fn about(duration: Duration) -> String {
    let mut rest = duration.as_secs().saturating_add(u64::from(duration.subsec_nanos() > 0));
    let mut parts = Vec::new();
    for (name, unit) in UNITS.into_iter().skip(1) {
        if rest >= unit || !parts.is_empty() {
            parts.push(format!("{}{name}", rest / unit));
            rest %= unit;
        }
    }
    parts.truncate(2);
    parts.retain(|part| !part.starts_with('0'));
    if parts.is_empty() { "0s".to_owned() } else { parts.join(" ") }
}

fn parse(text: &str) -> Option<Duration> {
    let (name, unit) = UNITS.into_iter().find(|(name, _)| text.ends_with(name))?;
    let digits = text.strip_suffix(name)?;
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let count: u64 = if plain { digits.parse().ok()? } else { return None };
    count.checked_mul(unit).map(Duration::from_secs)
}

pub(crate) fn serialize<S: Serializer>(duration: &Duration, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*duration))
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    deserializer.deserialize_any(Span)
}

struct Span;

impl Visitor<'_> for Span {
    type Value = Duration;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a duration such as \"3d\", \"36h\", \"90m\", \"45s\", or a whole number of seconds")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Duration, E> {
        parse(text).ok_or_else(|| E::invalid_value(serde::de::Unexpected::Str(&crate::excerpt::excerpt(text)), &self))
    }

    fn visit_u64<E: Error>(self, seconds: u64) -> Result<Duration, E> {
        Ok(Duration::from_secs(seconds))
    }

    fn visit_i64<E: Error>(self, seconds: i64) -> Result<Duration, E> {
        let whole = u64::try_from(seconds);
        whole.map(Duration::from_secs).map_err(|_| E::invalid_value(serde::de::Unexpected::Signed(seconds), &self))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_is_told_in_two_units() {
        let told = |seconds: u64| about(Duration::from_millis(seconds * 1000 - 500));
        assert_eq!(
            [1, 59, 60, 61, 3_600, 86_399, 604_799, 7 * 86_400 + 60].map(told),
            ["1s", "59s", "1m", "1m 1s", "1h", "23h 59m", "6d 23h", "7d"]
        );
        assert_eq!(about(Duration::ZERO), "0s");
        assert!(about(Duration::MAX).ends_with('h'));
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for (written, seconds) in [("1w", 604_800), ("3d", 259_200), ("36h", 129_600), ("90m", 5_400), ("61s", 61)] {
            assert_eq!(parse(written), Some(Duration::from_secs(seconds)));
            assert_eq!(text(Duration::from_secs(seconds)), written);
        }
        assert_eq!((text(Duration::ZERO), parse("0s")), ("0s".to_owned(), Some(Duration::ZERO)));
        for refused in ["", "d", "3", "3.5d", "-1d", "+1d", "1 d", "3 days", "99999999999999999999w", "30500568904944w"]
        {
            assert_eq!(parse(refused), None, "{refused}");
        }
    }
}
