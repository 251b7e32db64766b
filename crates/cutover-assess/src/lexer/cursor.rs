//! [`Cursor`]: a place in a file, and steps from it.

use unicode_ident::{is_xid_continue, is_xid_start};

use super::segment::{Segment, Segments};
use crate::context::Context;

/// A place in a file, and what was found before it. No step leaves the file.
pub(super) struct Cursor<'s> {
    bytes: &'s [u8],
    at: usize,
    found: Segments,
}

impl<'s> Cursor<'s> {
    /// At the start of `bytes`, behind a byte order mark.
    pub(super) fn new(bytes: &'s [u8]) -> Self {
        let at = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 };
        Self { bytes, at, found: Segments::new() }
    }

    /// The segments of the file.
    pub(super) fn finish(self) -> Vec<Segment> {
        self.found.finish(self.bytes.len())
    }

    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// What is not read yet.
    pub(super) fn rest(&self) -> &'s [u8] {
        self.bytes.get(self.at..).unwrap_or_default()
    }

    pub(super) fn peek(&self) -> Option<u8> {
        self.ahead(0)
    }

    /// The byte `n` bytes ahead.
    pub(super) fn ahead(&self, n: usize) -> Option<u8> {
        self.bytes.get(self.at + n).copied()
    }

    /// The byte before this place.
    pub(super) fn previous(&self) -> Option<u8> {
        self.bytes.get(self.at.checked_sub(1)?).copied()
    }

    pub(super) fn is_at(&self, text: &[u8]) -> bool {
        self.rest().starts_with(text)
    }

    /// Whether nothing but the start of the file or a line feed is before this place.
    pub(super) fn is_at_line_start(&self) -> bool {
        self.previous().is_none_or(|byte| byte == b'\n') || self.bytes.get(..self.at) == Some(BYTE_ORDER_MARK)
    }

    pub(super) fn skip(&mut self, bytes: usize) {
        self.at = self.bytes.len().min(self.at.saturating_add(bytes));
    }

    /// Steps over `text`, if it is here.
    pub(super) fn eat(&mut self, text: &[u8]) -> bool {
        let here = self.is_at(text);
        if here {
            self.skip(text.len());
        }
        here
    }

    pub(super) fn skip_while(&mut self, wanted: impl Fn(u8) -> bool) {
        let rest = self.rest();
        self.skip(rest.iter().position(|&byte| !wanted(byte)).unwrap_or(rest.len()));
    }

    /// To the next `byte`, or the end.
    pub(super) fn skip_to(&mut self, byte: u8) {
        let rest = self.rest();
        self.skip(memchr::memchr(byte, rest).unwrap_or(rest.len()));
    }

    /// Behind the next `text`; to the end, and false, if there is none.
    pub(super) fn skip_past(&mut self, text: &[u8]) -> bool {
        let place = memchr::memmem::find(self.rest(), text);
        self.skip(place.map_or(usize::MAX, |place| place + text.len()));
        place.is_some()
    }

    /// Over one backslash and the character behind it; over a whole line end, if that is what is there.
    pub(super) fn skip_escape(&mut self) {
        self.skip(1);
        if !self.eat(b"\r\n") {
            self.skip_char();
        }
    }

    /// The character here and its length in bytes. A byte that is not UTF-8 is a replacement character.
    pub(super) fn char(&self) -> Option<(char, usize)> {
        char_at(self.rest())
    }

    pub(super) fn skip_char(&mut self) {
        self.skip(self.char().map_or(0, |(_, length)| length));
    }

    pub(super) fn is_at_word(&self) -> bool {
        self.char().is_some_and(|(c, _)| is_word_start(c))
    }

    /// Steps over all that can be inside an identifier and gives it.
    pub(super) fn word(&mut self) -> &'s [u8] {
        let rest = self.rest();
        while self.char().is_some_and(|(c, _)| is_xid_continue(c)) {
            self.skip_char();
        }
        rest.get(..rest.len() - self.rest().len()).unwrap_or_default()
    }

    /// What stands from `start` to here is `context`.
    pub(super) fn mark(&mut self, start: usize, context: Context) {
        self.found.add(start..self.at, context);
    }

    /// From here to the end of the line it is a comment. A carriage return alone ends a line in some languages, and in doubt what
    /// follows is code.
    pub(super) fn line_comment(&mut self) {
        let start = self.at;
        let rest = self.rest();
        let goes_on = |at: usize| rest.get(at..).is_some_and(|end| end == b"\r" || end.starts_with(b"\r\n"));
        let end = memchr::memchr2_iter(b'\n', b'\r', rest).find(|&at| !goes_on(at));
        self.skip(end.unwrap_or(rest.len()));
        self.mark(start, Context::Comment);
    }

    /// From here to the next `end`, or the end of the file, it is `context`; the `opening` bytes here are no end.
    pub(super) fn span(&mut self, opening: usize, end: &[u8], context: Context) {
        let start = self.at;
        self.skip(opening);
        self.skip_past(end);
        self.mark(start, context);
    }

    /// A literal of one line that started at `start`, from behind its opening quote. One that the line does not close
    /// is code, as far as the line goes: it is rather an apostrophe.
    pub(super) fn line_literal(&mut self, start: usize, quote: u8, escapes: bool) {
        if self.skip_literal(quote, escapes, false) {
            self.mark(start, Context::String);
        }
    }

    /// From behind an opening quote past the closing one; false at the end of what such a literal may span.
    pub(super) fn skip_literal(&mut self, quote: u8, escapes: bool, many_lines: bool) -> bool {
        loop {
            self.skip_while(|byte| byte != quote && byte != b'\\' && (many_lines || byte != b'\n'));
            match self.peek() {
                Some(b'\\') if escapes => self.skip_escape(),
                Some(byte) if byte == quote => {
                    self.skip(1);
                    return true;
                }
                None | Some(b'\n') => return false,
                Some(_) => self.skip(1),
            }
        }
    }
}

/// The first character of `bytes` and its length. A byte that is not UTF-8 is a replacement character of its own.
pub(crate) fn char_at(bytes: &[u8]) -> Option<(char, usize)> {
    match bytes.first()? {
        byte if byte.is_ascii() => Some((char::from(*byte), 1)),
        _ => Some(bstr::decode_utf8(bytes))
            .map(|(c, length)| c.map_or((char::REPLACEMENT_CHARACTER, 1), |c| (c, length))),
    }
}

pub(super) fn is_word_start(c: char) -> bool {
    c == '_' || is_xid_start(c)
}

/// What some editors put before the text of a file.
pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
