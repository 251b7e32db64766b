//! Differences as text for people.

use std::fmt::{self, Write};

use serde_json::Value;

use super::Difference;

/// One line: `path: kind, legacy -> new`, or `path: kind (values not captured)` where neither value is there. Values
/// longer than 80 characters are cut; a missing one is `(nothing)`, and the empty path is `(whole answer)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "(whole answer)" } else { &self.path };
        write!(f, "{}: {}", Printable(path), self.kind)?;
        if self.legacy.is_none() && self.new.is_none() {
            return f.write_str(" (values not captured)");
        }
        f.write_str(", ")?;
        write_value(f, self.legacy.as_ref())?;
        f.write_str(" -> ")?;
        write_value(f, self.new.as_ref())
    }
}

/// The differences as lines, one each, without a newline at the end.
///
/// ```
/// use cutover::compare::{Difference, render};
/// use serde_json::json;
///
/// let differences = [Difference::new("/a", Some(json!(1)), Some(json!("1"))), Difference::new("/b", None, Some(json!(2)))];
/// assert_eq!(render(&differences), "/a: type, 1 -> \"1\"\n/b: only_new, (nothing) -> 2");
/// assert_eq!(render(&[Difference::new("/c", None, None)]), "/c: value (values not captured)");
/// ```
#[must_use]
pub fn render(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn write_value(f: &mut fmt::Formatter<'_>, value: Option<&Value>) -> fmt::Result {
    match value {
        Some(value) => write_short(f, value),
        None => f.write_str("(nothing)"),
    }
}

/// Writes at most 80 characters of `value`.
pub(crate) fn write_short(f: &mut fmt::Formatter<'_>, value: impl fmt::Display) -> fmt::Result {
    let mut cut = Cut { out: f, room: MAX_CHARS, is_full: false };
    match write!(cut, "{value}") {
        Err(_) if cut.is_full => f.write_char('…'),
        result => result,
    }
}

const MAX_CHARS: usize = 80;

/// Passes on `room` characters, then fails, which ends the formatting.
struct Cut<'a, 'f> {
    out: &'a mut fmt::Formatter<'f>,
    room: usize,
    is_full: bool,
}

impl Write for Cut<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = text.char_indices().nth(self.room).map(|(at, _)| at);
        let fitting = end.and_then(|end| text.get(..end)).unwrap_or(text);
        self.out.write_str(fitting)?;
        self.room = self.room.saturating_sub(fitting.chars().count());
        self.is_full = end.is_some();
        if self.is_full { Err(fmt::Error) } else { Ok(()) }
    }
}

/// A text on one line, with control characters escaped.
pub(crate) struct Printable<'a>(pub(crate) &'a str);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut write = |c: char| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) };
        self.0.chars().try_for_each(&mut write)
    }
}
