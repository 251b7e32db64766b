//! [`Capture`]: formats a value and stops at a limit, so that a huge value never exists as text.

use std::fmt;
use std::io;

use serde::{Deserialize, Serialize};

/// Collects a formatted value up to a limit in bytes. Past it, writing fails, which ends the formatting.
///
/// ```
/// use cutover::record::Capture;
/// use std::fmt::Write;
///
/// let mut capture = Capture::with_limit(8);
/// assert!(write!(capture, "{}", "x".repeat(1_000_000)).is_err());
/// let captured = capture.finish();
/// assert_eq!((captured.text.as_str(), captured.truncated), ("xxxxxxxx", true));
/// ```
#[derive(Debug, Clone)]
pub struct Capture {
    text: String,
    limit: usize,
    truncated: bool,
}

impl Capture {
    /// The default limit: 8 KiB.
    pub const DEFAULT_LIMIT: usize = 8 * 1024;

    /// An empty capture of at most `limit` bytes.
    #[must_use]
    pub const fn with_limit(limit: usize) -> Self {
        Self { text: String::new(), limit, truncated: false }
    }

    /// Appends `value` as compact JSON.
    ///
    /// # Errors
    /// When the limit is reached, or when `value` cannot be serialised; a capture that was cut says so itself.
    pub fn json<T: Serialize + ?Sized>(&mut self, value: &T) -> fmt::Result {
        serde_json::to_writer(Utf8Writer { capture: self, partial: Vec::new() }, value).map_err(|_| fmt::Error)
    }

    /// How many bytes still fit.
    fn room(&self) -> usize {
        self.limit - self.text.len()
    }

    /// What was collected.
    #[must_use]
    pub fn finish(self) -> Captured {
        Captured { text: self.text, truncated: self.truncated }
    }

    /// Whether the limit was reached.
    #[must_use]
    pub const fn is_truncated(&self) -> bool {
        self.truncated
    }
}

impl fmt::Write for Capture {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        if self.truncated {
            return Err(fmt::Error);
        }
        let fitting = text.get(..text.floor_char_boundary_at(self.room())).unwrap_or_default();
        self.text.push_str(fitting);
        self.truncated = fitting.len() < text.len();
        if self.truncated { Err(fmt::Error) } else { Ok(()) }
    }
}

trait FloorCharBoundary {
    fn floor_char_boundary_at(&self, index: usize) -> usize;
}

impl FloorCharBoundary for str {
    fn floor_char_boundary_at(&self, index: usize) -> usize {
        (0..=index.min(self.len())).rev().find(|&at| self.is_char_boundary(at)).unwrap_or(0)
    }
}

/// Feeds bytes into a capture; serializers may split a character between two writes.
struct Utf8Writer<'a> {
    capture: &'a mut Capture,
    partial: Vec<u8>,
}

impl io::Write for Utf8Writer<'_> {
    /// Takes one byte more than there is room for, which is how the capture learns that something was cut.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let bytes = bytes.get(..=self.capture.room()).unwrap_or(bytes);
        self.partial.extend_from_slice(bytes);
        let valid = match std::str::from_utf8(&self.partial) {
            Ok(text) => text.len(),
            Err(error) => error.valid_up_to(),
        };
        let rest = self.partial.split_off(valid);
        let text = std::mem::replace(&mut self.partial, rest);
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        fmt::Write::write_str(self.capture, &text).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// A value as text, complete or cut at the limit.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Captured {
    /// The text, valid UTF-8 even where it was cut.
    pub text: String,
    /// Whether something is missing at the end.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
}

impl Captured {
    /// Bytes held.
    pub(crate) fn size(&self) -> usize {
        self.text.len()
    }
}

impl fmt::Display for Captured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        if self.truncated { f.write_str("… (truncated)") } else { Ok(()) }
    }
}
