//! Differences as text for people.

use std::fmt::{self, Write};

use serde_json::Value;

use super::Difference;

/// One line: `path: kind, legacy -> new`. Values longer than 80 characters are cut; a missing one is `(nothing)`, and
/// the empty path is `(whole answer)`.
impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_path(f, &self.path)?;
        write!(f, ": {}, ", self.kind)?;
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
/// ```
#[must_use]
pub fn render(differences: &[Difference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

fn write_path(f: &mut fmt::Formatter<'_>, path: &str) -> fmt::Result {
    if path.is_empty() {
        return f.write_str("(whole answer)");
    }
    path.chars().try_for_each(|c| if c.is_control() { write!(f, "{}", c.escape_default()) } else { f.write_char(c) })
}

fn write_value(f: &mut fmt::Formatter<'_>, value: Option<&Value>) -> fmt::Result {
    let Some(value) = value else { return f.write_str("(nothing)") };
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
