//! Refused texts in error messages: short, and in one line.

/// The number of characters that a message shows of a refused text, escaped.
const LENGTH: usize = 40;

/// The beginning of `text`, with control characters escaped: errors stay readable whatever was read.
pub(crate) fn excerpt(text: &str) -> String {
    let mut room = LENGTH;
    let mut short = String::new();
    for escaped in text.chars().map(char::escape_debug) {
        let Some(left) = room.checked_sub(escaped.len()) else { return short + "…" };
        short.extend(escaped);
        room = left;
    }
    short
}

/// The message of a reader of some format, without what it repeats of a long text: what was read may be private.
///
/// Such a message names what was found, at any length, and then what was expected.
pub(crate) fn brief(message: &str) -> String {
    let Some((found, expected)) = message.rsplit_once(EXPECTED) else { return message.to_owned() };
    let mut rest = found.chars();
    let short: String = rest.by_ref().take(FOUND).map(|c| if c.is_control() { ' ' } else { c }).collect();
    let cut = if rest.next().is_some() { "…" } else { "" };
    format!("{short}{cut}{EXPECTED}{expected}")
}

/// What stands between what was found and what was expected, in the messages of serde.
const EXPECTED: &str = ", expected ";
/// The number of characters that are kept of what was found, such as "invalid type: string" and its beginning.
const FOUND: usize = 60;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_excerpt_is_short_when_everything_in_it_is_escaped() {
        assert_eq!(excerpt(&"x".repeat(40)), "x".repeat(40));
        assert_eq!(excerpt(&"x".repeat(41)), "x".repeat(40) + "…");
        assert_eq!(excerpt("a\u{7f}\n"), r"a\u{7f}\n");
        assert_eq!(excerpt(&"\u{10ffff}".repeat(99)), r"\u{10ffff}".repeat(4) + "…");
    }

    #[test]
    fn a_message_keeps_what_was_expected_and_little_of_what_was_found() {
        let short = "missing field `epoch` at line 1 column 2";
        assert_eq!(brief(short), short);
        let short = "invalid type: integer `17`, expected a string at line 1 column 2";
        assert_eq!(brief(short), short);
        let long = format!("unknown variant `\u{1b}{}, expected ``, expected `legacy` or `new`", "x".repeat(999));
        let kept = format!("unknown variant ` {}…, expected `legacy` or `new`", "x".repeat(42));
        assert_eq!(brief(&long), kept);
    }
}
