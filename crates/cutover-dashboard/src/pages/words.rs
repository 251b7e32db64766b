//! Values as people read them. Pure.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::store::{ChangeKind, Settings};
use cutover::{Percentage, SystemMode};

/// A text from outside, with every character that could hide or turn the ones around it named: `\u{202e}` becomes
/// `[U+202E]`. Line breaks and tabs stay.
pub(crate) fn shown(text: &str) -> String {
    let named = |c: char| if is_hidden(c) { format!("[U+{:04X}]", u32::from(c)) } else { c.to_string() };
    if text.chars().any(is_hidden) { text.chars().map(named).collect() } else { text.to_owned() }
}

fn is_hidden(c: char) -> bool {
    let direction =
        matches!(c, '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
    direction || matches!(c, '\u{feff}' | '\u{2028}' | '\u{2029}') || (c.is_control() && c != '\n' && c != '\t')
}

/// What stands in a query: everything but letters, digits, `-`, `.`, `_` and `~` as `%XX`.
pub(crate) fn encoded(text: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    let encode = |byte: u8| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    text.bytes().map(encode).collect()
}

/// A moment, for `<time>`: as the machine reads it, as people do, and how long ago it was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct When {
    pub(crate) machine: String,
    pub(crate) utc: String,
    pub(crate) ago: String,
}

impl When {
    /// `at` as seen `now`, both in milliseconds since 1970.
    pub(crate) fn of(at: u64, now: u64) -> Self {
        let (date, time) = civil(at);
        let ago = Duration::from_millis(now.saturating_sub(at));
        Self { machine: format!("{date}T{time}Z"), utc: format!("{date} {time} UTC"), ago: ago_text(ago) }
    }

    pub(crate) fn of_time(at: SystemTime, now: u64) -> Self {
        Self::of(millis(at), now)
    }

    /// The time of day, `17:04:09`.
    pub(crate) fn clock(at: u64) -> String {
        civil(at).1
    }
}

pub(crate) fn millis(at: SystemTime) -> u64 {
    at.duration_since(UNIX_EPOCH).map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}

fn ago_text(ago: Duration) -> String {
    if ago < Duration::from_secs(1) { "just now".to_owned() } else { format!("{} ago", span(ago)) }
}

/// The date and the time of day, in UTC, of the proleptic Gregorian calendar.
fn civil(millis: u64) -> (String, String) {
    let seconds = millis / 1_000;
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    // Years begin in March here, so that the leap day is the last one.
    let days = days + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let time = format!("{:02}:{:02}:{:02}", rest / 3_600, rest / 60 % 60, rest % 60);
    (format!("{year:04}-{month:02}-{day:02}"), time)
}

const UNITS: [(&str, u64); 4] = [("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)];

/// A span in its two largest units: `2 d 3 h`, `5 min 10 s`, `8 s`.
pub(crate) fn span(span: Duration) -> String {
    let mut rest = span.as_secs();
    let mut parts = Vec::new();
    for (name, unit) in UNITS {
        if rest >= unit || !parts.is_empty() {
            parts.push((rest / unit, name));
            rest %= unit;
        }
    }
    parts.truncate(2);
    parts.retain(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.iter().map(|(count, name)| format!("{count} {name}")).collect();
    if parts.is_empty() { "0 s".to_owned() } else { parts.join(" ") }
}

/// How long a call takes: `840 ns`, `4.2 us`, `12.3 ms`, `1.25 s`.
pub(crate) fn duration(nanos: f64) -> String {
    if nanos == 0.0 {
        return "0".to_owned();
    }
    let (value, unit) = if nanos < 1e3 {
        (nanos, "ns")
    } else if nanos < 1e6 {
        (nanos / 1e3, "µs")
    } else if nanos < 1e9 {
        (nanos / 1e6, "ms")
    } else {
        (nanos / 1e9, "s")
    };
    format!("{} {unit}", three_digits(value))
}

/// A number with as many decimals as make three digits: `1.25`, `12.3`, `123`; zeros at the end are left out.
fn three_digits(value: f64) -> String {
    let decimals = if value >= 99.95 { 0 } else { 1 + usize::from(value < 9.995) };
    trimmed(&format!("{value:.decimals$}"))
}

pub(crate) fn trimmed(number: &str) -> String {
    if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.').to_owned() } else { number.to_owned() }
}

/// A share from 0 to 1 in percent, with two decimals near 0 and 100 %: `97.1 %`, `99.95 %`.
pub(crate) fn share(share: f64) -> String {
    let percent = share * 100.0;
    let near_an_end = !(1.0..=99.0).contains(&percent);
    let digits = if near_an_end { format!("{percent:.2}") } else { format!("{percent:.1}") };
    // What is not whole never reads as all or nothing.
    let digits = match trimmed(&digits).as_str() {
        "100" if share < 1.0 => "> 99.99".to_owned(),
        "0" if share > 0.0 => "< 0.01".to_owned(),
        _ => trimmed(&digits),
    };
    format!("{digits} %")
}

pub(crate) fn rollout(percentage: Percentage) -> String {
    format!("{} %", percentage.percent())
}

/// `1900` as `1,900`.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `3 calls`, `1 call`.
pub(crate) fn counted(number: u64, one: &str, many: &str) -> String {
    format!("{} {}", thousands(number), if number == 1 { one } else { many })
}

/// A mode: its name for people, its icon and class, and what it does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct ModeWords {
    pub(crate) name: &'static str,
    pub(crate) wire: &'static str,
    pub(crate) does: &'static str,
    pub(crate) is_emergency: bool,
}

pub(crate) const fn mode(mode: SystemMode) -> ModeWords {
    let (name, does) = match mode {
        SystemMode::LegacyOnly => ("Legacy only", "Legacy serves everybody; new does not run."),
        SystemMode::Parallel => ("Parallel", "Legacy serves; new runs beside it and is compared."),
        SystemMode::GradualRollout => ("Gradual rollout", "New serves the keys in the rollout, legacy the others."),
        SystemMode::NewOnly => ("New only", "New serves everybody."),
        SystemMode::EmergencyRollback => ("Emergency rollback", "Legacy serves everybody: the brake was pulled."),
    };
    ModeWords { name, wire: mode.name(), does, is_emergency: matches!(mode, SystemMode::EmergencyRollback) }
}

/// A sentence with the names of modes as people read them, also at its beginning.
pub(crate) fn with_mode_names(text: &str) -> String {
    SystemMode::ALL.into_iter().fold(shown(text), |text, one| {
        let ModeWords { name, wire, .. } = mode(one);
        let (first, rest) = wire.split_at(1);
        text.replace(wire, name).replace(&format!("{}{rest}", first.to_uppercase()), name)
    })
}

/// Settings in a few words: `Gradual rollout, 25 %`.
pub(crate) fn settings(settings: Settings) -> String {
    let is_partly = settings.rollout.ppm() > 0 && settings.rollout.ppm() < 1_000_000;
    let shows_rollout = settings.mode == SystemMode::GradualRollout || is_partly;
    let name = mode(settings.mode).name.to_owned();
    let rollout_part = shows_rollout.then(|| rollout(settings.rollout));
    let shadow = settings.shadow_share.map(|share| format!("shadow {}", rollout(share)));
    [Some(name), rollout_part, shadow].into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// The kind of a change, as JSON has it, with blanks; what says too little by itself in other words.
pub(crate) fn change_kind(kind: ChangeKind) -> String {
    if kind == ChangeKind::Clearing {
        return "discrepancies forgotten".to_owned();
    }
    let name = serde_json::to_value(kind).ok();
    name.as_ref().and_then(|name| name.as_str()).unwrap_or("change").replace('_', " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_hide_or_turn_a_text_is_named() {
        assert_eq!(shown("a\u{202e}b\0c\u{1b}[31m\n\u{2066}<"), "a[U+202E]b[U+0000]c[U+001B][31m\n[U+2066]<");
        assert_eq!(shown("Ünïcödé – 日本"), "Ünïcödé – 日本");
    }

    #[test]
    fn modes_in_a_sentence_have_their_names() {
        let text = "Legacy_only cannot become new_only; allowed from here: parallel, gradual_rollout";
        let expected = "Legacy only cannot become New only; allowed from here: Parallel, Gradual rollout";
        assert_eq!(with_mode_names(text), expected);
        assert_eq!(with_mode_names(expected), expected);
    }

    #[test]
    fn nothing_but_plain_characters_stands_in_a_query() {
        assert_eq!(encoded("a b&c=\"<ü"), "a%20b%26c%3D%22%3C%C3%BC");
    }

    #[test]
    fn moments_are_those_of_the_calendar() {
        let at = |millis| When::of(millis, millis).utc;
        assert_eq!(at(0), "1970-01-01 00:00:00 UTC");
        assert_eq!(at(951_782_399_000), "2000-02-28 23:59:59 UTC");
        assert_eq!(at(951_782_400_000), "2000-02-29 00:00:00 UTC");
        assert_eq!(at(1_795_175_331_865), "2026-11-20 11:48:51 UTC");
        assert_eq!(When::of(0, 999).ago, "just now");
        assert_eq!(When::of(0, 3_600_000 * 27).ago, "1 d 3 h ago");
        assert_eq!(When::of(5_000, 0).ago, "just now");
    }

    #[test]
    fn a_share_that_is_not_whole_never_reads_as_all_or_nothing() {
        assert_eq!(share(1.0), "100 %");
        assert_eq!(share(0.999_999), "> 99.99 %");
        assert_eq!(share(0.0), "0 %");
        assert_eq!(share(0.000_001), "< 0.01 %");
        assert_eq!(share(0.971_2), "97.1 %");
        assert_eq!(share(0.9995), "99.95 %");
    }

    #[test]
    fn durations_have_three_digits() {
        let all = [0.0, 840.0, 4_210.0, 12_340_000.0, 1_250_000_000.0, 123_000_000.0].map(duration);
        assert_eq!(all, ["0", "840 ns", "4.21 µs", "12.3 ms", "1.25 s", "123 ms"]);
    }

    #[test]
    fn counts_and_spans_read_as_people_write_them() {
        assert_eq!([0, 999, 1_900, 1_234_567].map(thousands), ["0", "999", "1,900", "1,234,567"]);
        assert_eq!(counted(1, "call", "calls"), "1 call");
        let spans = [0, 8, 310, 3_600, 90_000].map(|seconds| span(Duration::from_secs(seconds)));
        assert_eq!(spans, ["0 s", "8 s", "5 min 10 s", "1 h", "1 d 1 h"]);
    }
}
