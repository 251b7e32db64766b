//! Languages whose comments start with `#`: shells, Ruby, YAML, TOML, and files of Make and its like.

use super::cursor::Cursor;
use crate::context::Context;

pub(super) fn lex_toml(cursor: &mut Cursor<'_>) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'#' => cursor.line_comment(),
            b'"' if cursor.is_at(b"\"\"\"") => triple(cursor, b'"'),
            b'\'' if cursor.is_at(b"'''") => triple(cursor, b'\''),
            b'"' => line_literal(cursor, b'"', true),
            b'\'' => line_literal(cursor, b'\'', false),
            _ => cursor.skip(1),
        }
    }
}

/// Up to two quotes may stand before the three that close.
fn triple(cursor: &mut Cursor<'_>, quote: u8) {
    let start = cursor.at();
    cursor.skip(3);
    while cursor.skip_literal(quote, quote == b'"', true) && !cursor.eat(&[quote, quote]) {}
    cursor.skip_while(|byte| byte == quote);
    cursor.mark(start, Context::String);
}

pub(super) fn lex_yaml(cursor: &mut Cursor<'_>) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'#' if is_word_start(cursor) => cursor.line_comment(),
            b'"' | b'\'' if starts_scalar(cursor) => line_literal(cursor, byte, byte == b'"'),
            _ => cursor.skip(1),
        }
    }
}

/// A quote inside a plain scalar is an apostrophe.
fn starts_scalar(cursor: &Cursor<'_>) -> bool {
    is_word_start(cursor) || matches!(cursor.previous(), Some(b'[' | b'{' | b',' | b'(' | b'\'' | b'"'))
}

pub(super) fn lex_make(cursor: &mut Cursor<'_>) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'\\' => cursor.skip_escape(),
            b'#' if is_word_start(cursor) => cursor.line_comment(),
            b'"' | b'\'' => line_literal(cursor, byte, byte == b'"'),
            _ => cursor.skip(1),
        }
    }
}

pub(super) fn lex_ruby(cursor: &mut Cursor<'_>) {
    let mut documents = Documents::new(b"~-", |end| end.iter().all(|byte| !byte.is_ascii_lowercase()));
    while let Some(byte) = cursor.peek() {
        match byte {
            b'=' if cursor.is_at_line_start() && cursor.is_at(b"=begin") => cursor.span(0, b"\n=end", Context::Comment),
            b'#' if is_word_start(cursor) => cursor.line_comment(),
            b'"' | b'\'' | b'`' => line_literal(cursor, byte, true),
            b'?' if is_character(cursor) => cursor.skip(2),
            b'<' if cursor.is_at(b"<<") => documents.announce(cursor),
            b'\n' => documents.read(cursor),
            _ => cursor.skip(1),
        }
    }
}

/// `?"` is a character in Ruby.
fn is_character(cursor: &Cursor<'_>) -> bool {
    let stands_alone = cursor.previous().is_none_or(|byte| !byte.is_ascii_alphanumeric() && byte != b')');
    stands_alone && matches!(cursor.ahead(1), Some(b'"' | b'\'' | b'`' | b'#'))
}

pub(super) fn lex_shell(cursor: &mut Cursor<'_>) {
    let mut documents = Documents::new(b"-", |_| true);
    while let Some(byte) = cursor.peek() {
        match byte {
            b'\\' => cursor.skip_escape(),
            b'#' if is_word_start(cursor) => cursor.line_comment(),
            b'"' => shell_literal(cursor, b'"', true),
            b'\'' => shell_literal(cursor, b'\'', cursor.previous() == Some(b'$')),
            b'<' if cursor.eat(b"<<<") => (),
            b'<' if cursor.is_at(b"<<") => documents.announce(cursor),
            b'\n' => documents.read(cursor),
            _ => cursor.skip(1),
        }
    }
}

/// It may span lines. Behind one that nothing closes, all is code.
fn shell_literal(cursor: &mut Cursor<'_>, quote: u8, escapes: bool) {
    let start = cursor.at();
    cursor.skip(1);
    if cursor.skip_literal(quote, escapes, true) {
        cursor.mark(start, Context::String);
    }
}

fn line_literal(cursor: &mut Cursor<'_>, quote: u8, escapes: bool) {
    let start = cursor.at();
    cursor.skip(1);
    cursor.line_literal(start, quote, escapes);
}

/// Whether this place is behind white space, or a mark that separates commands.
fn is_word_start(cursor: &Cursor<'_>) -> bool {
    cursor.is_at_line_start()
        || cursor.previous().is_some_and(|byte| byte.is_ascii_whitespace() || b";&|()".contains(&byte))
}

/// Here-documents: announced in a line, read behind it.
struct Documents<'s> {
    /// What may stand between `<<` and the name of the end.
    flags: &'static [u8],
    /// Whether the name of an end may stand without flag and quotes.
    may_be_bare: fn(&[u8]) -> bool,
    announced: Vec<Document<'s>>,
    /// Whether one had no end. Then `<<` is something else in this file.
    none: bool,
}

struct Document<'s> {
    end: &'s [u8],
    indented: bool,
}

impl<'s> Documents<'s> {
    const fn new(flags: &'static [u8], may_be_bare: fn(&[u8]) -> bool) -> Self {
        Self { flags, may_be_bare, announced: Vec::new(), none: false }
    }

    /// `<<END`, `<<-END`, `<<~END`, or with `END` in quotes.
    fn announce(&mut self, cursor: &mut Cursor<'s>) {
        match self.announcement(cursor.rest()) {
            Some((document, length)) if !self.none => {
                self.announced.push(document);
                cursor.skip(length);
            }
            _ => cursor.skip(2),
        }
    }

    fn announcement(&self, text: &'s [u8]) -> Option<(Document<'s>, usize)> {
        let behind = text.get(2..)?;
        let flag = usize::from(behind.first().is_some_and(|byte| self.flags.contains(byte)));
        let behind = behind.get(flag..)?;
        let quote = behind.first().filter(|byte| matches!(byte, b'"' | b'\''));
        let behind = behind.get(usize::from(quote.is_some())..)?;
        let length =
            behind.iter().position(|byte| !byte.is_ascii_alphanumeric() && *byte != b'_').unwrap_or(behind.len());
        let end = behind.get(..length)?;
        let named = end.first().is_some_and(|byte| !byte.is_ascii_digit());
        let closed = quote.is_none() || behind.get(length) == quote;
        let plain = quote.is_some() || flag > 0 || (self.may_be_bare)(end);
        let whole = 2 + flag + length + 2 * usize::from(quote.is_some());
        (named && closed && plain).then_some((Document { end, indented: flag > 0 }, whole))
    }

    /// Reads the documents that the line that ends here has announced.
    fn read(&mut self, cursor: &mut Cursor<'s>) {
        cursor.skip(1);
        for document in std::mem::take(&mut self.announced) {
            let Some(length) = document.length(cursor.rest()) else {
                self.none = true;
                return;
            };
            let start = cursor.at();
            cursor.skip(length);
            cursor.mark(start, Context::String);
            cursor.skip_to(b'\n');
            cursor.skip(1);
        }
    }
}

impl Document<'_> {
    /// The length up to the line of its end, without that line.
    fn length(&self, rest: &[u8]) -> Option<usize> {
        let mut length = 0;
        for line in rest.split_inclusive(|&byte| byte == b'\n') {
            if self.ends(line) {
                return Some(length);
            }
            length += line.len();
        }
        None
    }

    fn ends(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        self.end == if self.indented { line.trim_ascii_start() } else { line }
    }
}
