//! Refused texts in error messages: short, and in one line.

/// The number of characters that a message shows of a refused text.
const LENGTH: usize = 40;

/// The beginning of `text`, with control characters escaped: errors stay readable whatever was read.
pub(crate) fn excerpt(text: &str) -> String {
    let mut rest = text.chars();
    let short: String = rest.by_ref().take(LENGTH).flat_map(char::escape_debug).collect();
    if rest.next().is_some() { format!("{short}…") } else { short }
}
