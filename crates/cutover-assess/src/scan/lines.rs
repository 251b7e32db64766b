//! Lines, columns and excerpts of a file.

use std::borrow::Cow;
use std::ops::Range;

use crate::lexer::{BYTE_ORDER_MARK, char_at};

/// The lines of a file.
pub(super) struct Lines<'s> {
    bytes: &'s [u8],
    starts: Vec<usize>,
    /// A place whose column is known: where it is, and the characters before it in its line.
    known: (usize, usize),
}

impl<'s> Lines<'s> {
    pub(super) fn new(bytes: &'s [u8]) -> Self {
        let feeds = memchr::memchr_iter(b'\n', bytes);
        Self { bytes, starts: std::iter::once(0).chain(feeds.map(|feed| feed + 1)).collect(), known: (0, 0) }
    }

    /// The line of the byte at `at`, from 1.
    pub(super) fn number(&self, at: usize) -> usize {
        self.starts.partition_point(|&start| start <= at)
    }

    /// The bytes of a line without its end.
    pub(super) fn range(&self, line: usize) -> Range<usize> {
        let start = self.start(line);
        let end = self.starts.get(line).map_or(self.bytes.len(), |next| next - 1);
        let end = if self.bytes.get(start..end).is_some_and(|line| line.ends_with(b"\r")) { end - 1 } else { end };
        start..end
    }

    /// Where a line starts, behind a byte order mark.
    fn start(&self, line: usize) -> usize {
        let start = line.checked_sub(1).and_then(|index| self.starts.get(index)).copied().unwrap_or(self.bytes.len());
        if start == 0 && self.bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { start }
    }

    pub(super) fn text(&self, line: usize) -> &'s [u8] {
        self.bytes.get(self.range(line)).unwrap_or_default()
    }

    /// The column of the byte at `at`, from 1. Long lines are read once if places come in their order.
    pub(super) fn column(&mut self, at: usize) -> usize {
        let start = self.start(self.number(at));
        let (from, before) = if (start..=at).contains(&self.known.0) { self.known } else { (start, 0) };
        let column = before + count_chars(self.bytes.get(from..at).unwrap_or_default());
        self.known = (at, column);
        column + 1
    }

    /// The line around `span` as text, and where the span is in it.
    pub(super) fn excerpt(&self, span: &Range<usize>) -> (String, Range<usize>) {
        let line = self.range(self.number(span.start));
        let end = span.end.min(line.end).max(span.start);
        let window = self.window(&line, span.start);
        let end = end.min(window.end);
        let mut text = String::from(if window.start > line.start { "…" } else { "" });
        text += self.lossy(window.start..span.start).trim_ascii_start();
        let start = text.len();
        text += &self.lossy(span.start..end);
        let matched = start..text.len();
        text += &self.lossy(end..window.end);
        text.truncate(text.trim_ascii_end().len().max(matched.end));
        text += if window.end < line.end { "…" } else { "" };
        (text, matched)
    }

    /// What of a line is shown around the byte at `at`: all of a short one.
    fn window(&self, line: &Range<usize>, at: usize) -> Range<usize> {
        if line.len() <= MOST_BYTES {
            return line.start..line.end.max(at);
        }
        let end = self.char_start((at + MOST_BYTES - BYTES_BEFORE).min(line.end));
        let start = end.saturating_sub(MOST_BYTES).max(line.start).min(at);
        self.char_start(start)..end.max(at)
    }

    /// The start of the character that the byte at `at` is in.
    fn char_start(&self, at: usize) -> usize {
        let inside = |at: &usize| self.bytes.get(*at).is_some_and(|byte| byte & 0xc0 == 0x80);
        (at.saturating_sub(3)..=at).rev().find(|at| !inside(at)).unwrap_or(at)
    }

    fn lossy(&self, range: Range<usize>) -> Cow<'s, str> {
        String::from_utf8_lossy(self.bytes.get(range).unwrap_or_default())
    }

    /// What identifies the line around `span`: all of it, or what is near in a long one.
    pub(super) fn identity(&self, span: &Range<usize>) -> &'s [u8] {
        let line = self.range(self.number(span.start));
        let near = span.start.saturating_sub(NEAR)..span.end.saturating_add(NEAR);
        let range = if line.len() <= LONG { line } else { line.start.max(near.start)..line.end.min(near.end) };
        self.bytes.get(range).unwrap_or_default()
    }
}

fn count_chars(mut bytes: &[u8]) -> usize {
    let mut count = 0;
    while let Some((_, length)) = char_at(bytes) {
        bytes = bytes.get(length..).unwrap_or_default();
        count += 1;
    }
    count
}

/// The longest line that an excerpt shows whole, and how much of a longer one stands before a place.
const MOST_BYTES: usize = 160;
const BYTES_BEFORE: usize = 60;
/// The longest line that identifies a place as a whole, and how much of a longer one does on each side.
const LONG: usize = 1_024;
const NEAR: usize = 256;
