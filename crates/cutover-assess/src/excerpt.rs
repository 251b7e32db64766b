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
