//! Elements in JavaScript: tags are code, the text between them is a string.

use super::cursor::Cursor;
use super::javascript::{Before, Lexer, Open};
use crate::context::Context;

impl Lexer<'_, '_> {
    /// Whether the `<` here starts an element, and no generic type.
    pub(super) fn is_element(&mut self) -> bool {
        let element = self.no_elements < MOST_FAILURES && looks_like_element(self.cursor.rest());
        self.no_elements += usize::from(!element);
        element
    }

    pub(super) fn begin_element(&mut self) {
        self.cursor.skip(1);
        self.open.push(Open::Tag(0));
    }

    pub(super) fn tag(&mut self, byte: u8, angles: usize) {
        match byte {
            b'/' => self.slash_in_tag(),
            b'"' | b'\'' => self.attribute(byte),
            b'{' => {
                self.cursor.skip(1);
                self.begin_braces();
            }
            b'>' if angles == 0 => self.replace(Open::Children),
            b'>' => self.replace(Open::Tag(angles - 1)),
            b'<' => self.replace(Open::Tag(angles + 1)),
            _ => self.cursor.skip(1),
        }
    }

    fn slash_in_tag(&mut self) {
        match self.cursor.ahead(1) {
            Some(b'>') => self.end_element(2),
            Some(b'/') => self.cursor.line_comment(),
            Some(b'*') => self.cursor.span(2, b"*/", Context::Comment),
            _ => self.cursor.skip(1),
        }
    }

    /// The value of an attribute has no escapes and may span lines. Behind one that nothing closes, all is code.
    fn attribute(&mut self, quote: u8) {
        let start = self.cursor.at();
        self.cursor.skip(1);
        if self.cursor.skip_past(&[quote]) {
            self.cursor.mark(start, Context::String);
        }
    }

    fn replace(&mut self, open: Open) {
        self.cursor.skip(1);
        self.open.pop();
        self.open.push(open);
    }

    fn end_element(&mut self, length: usize) {
        self.cursor.skip(length);
        self.open.pop();
        self.before = Before::Operand;
    }

    pub(super) fn children(&mut self) {
        let start = self.cursor.at();
        self.cursor.skip_while(|byte| byte != b'<' && byte != b'{');
        self.cursor.mark(start, Context::String);
        if self.cursor.eat(b"{") {
            self.begin_braces();
        } else if self.cursor.is_at(b"</") {
            self.cursor.skip_to(b'>');
            self.end_element(1);
        } else if starts_tag(self.cursor) {
            self.begin_element();
        } else {
            self.cursor.skip(1);
        }
    }
}

fn starts_tag(cursor: &Cursor<'_>) -> bool {
    cursor.ahead(1).is_some_and(|byte| byte == b'>' || byte.is_ascii_alphabetic() || byte == b'_')
}

fn looks_like_element(text: &[u8]) -> bool {
    let behind = text.get(1..).unwrap_or_default();
    let length = behind.iter().position(|&byte| !is_in_name(byte)).unwrap_or(behind.len());
    let (name, rest) = behind.split_at_checked(length).unwrap_or_default();
    let next = rest.trim_ascii_start();
    match next.first() {
        Some(b'>') => is_closed(name, next),
        _ if !name.first().is_some_and(|byte| byte.is_ascii_alphabetic() || *byte == b'_') => false,
        Some(b'{' | b'/' | b'<') => true,
        Some(byte) => byte.is_ascii_alphabetic() && !next.starts_with(b"extends "),
        None => false,
    }
}

const fn is_in_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b':' | b'$')
}

/// Whether `</name` stands ahead. `<T>(x: T) => x` has none.
fn is_closed(name: &[u8], ahead: &[u8]) -> bool {
    let near = ahead.get(..LOOK_AHEAD).unwrap_or(ahead);
    memchr::memmem::find(near, &[b"</", name].concat()).is_some()
}

/// How far the end of an element is looked for, in bytes.
const LOOK_AHEAD: usize = 65_536;
/// After so many failures a file is taken to have no elements, so that no file is read again and again.
const MOST_FAILURES: usize = 256;
