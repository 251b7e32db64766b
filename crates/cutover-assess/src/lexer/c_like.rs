//! Languages with the comments of C: C and C++, Go and Java.

use super::cursor::Cursor;
use crate::context::Context;

pub(super) fn lex_go(cursor: &mut Cursor<'_>) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'/' => slash(cursor, Cursor::line_comment),
            b'`' => cursor.span(1, b"`", Context::String),
            b'"' | b'\'' => literal(cursor, byte),
            _ => cursor.skip(1),
        }
    }
}

pub(super) fn lex_java(cursor: &mut Cursor<'_>) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'/' => slash(cursor, Cursor::line_comment),
            b'"' if cursor.is_at(b"\"\"\"") => text_block(cursor),
            b'"' | b'\'' => literal(cursor, byte),
            _ => cursor.skip(1),
        }
    }
}

pub(super) fn lex_c(cursor: &mut Cursor<'_>) {
    while let Some(byte) = cursor.peek() {
        match byte {
            b'/' => slash(cursor, continued_comment),
            b'"' | b'\'' => literal(cursor, byte),
            b'0'..=b'9' => number(cursor),
            _ if cursor.is_at_word() => word(cursor),
            _ => cursor.skip_char(),
        }
    }
}

fn slash<'s>(cursor: &mut Cursor<'s>, line_comment: fn(&mut Cursor<'s>)) {
    match cursor.ahead(1) {
        Some(b'/') => line_comment(cursor),
        Some(b'*') => cursor.span(2, b"*/", Context::Comment),
        _ => cursor.skip(1),
    }
}

/// A backslash at the end of its line continues the comment.
fn continued_comment(cursor: &mut Cursor<'_>) {
    let start = cursor.at();
    loop {
        cursor.skip_while(|byte| byte != b'\n' && byte != b'\\');
        if cursor.peek() != Some(b'\\') {
            break;
        }
        cursor.skip_escape();
    }
    cursor.mark(start, Context::Comment);
}

fn literal(cursor: &mut Cursor<'_>, quote: u8) {
    let start = cursor.at();
    cursor.skip(1);
    cursor.line_literal(start, quote, true);
}

/// Its quotes are three, and a backslash keeps one.
fn text_block(cursor: &mut Cursor<'_>) {
    let start = cursor.at();
    cursor.skip(3);
    while cursor.skip_literal(b'"', true, true) && !cursor.eat(b"\"\"") {}
    cursor.mark(start, Context::String);
}

/// The quotes in `1'000` are no characters.
fn number(cursor: &mut Cursor<'_>) {
    cursor.word();
    while cursor.peek() == Some(b'\'') && cursor.ahead(1).is_some_and(|byte| byte.is_ascii_alphanumeric()) {
        cursor.skip(1);
        cursor.word();
    }
}

/// A word may be the prefix of a literal.
fn word(cursor: &mut Cursor<'_>) {
    let start = cursor.at();
    let word = cursor.word();
    match (word, cursor.peek()) {
        (b"R" | b"LR" | b"uR" | b"UR" | b"u8R", Some(b'"')) => raw_string(cursor, start),
        (b"L" | b"u" | b"U" | b"u8", Some(quote @ (b'"' | b'\''))) => {
            cursor.skip(1);
            cursor.line_literal(start, quote, true);
        }
        _ => (),
    }
}

/// `R"delimiter(..)delimiter"`, with a delimiter of at most 16 characters.
fn raw_string(cursor: &mut Cursor<'_>, start: usize) {
    let rest = cursor.rest().get(1..).unwrap_or_default();
    let Some(length) = rest.iter().take(17).position(|&byte| byte == b'(') else { return literal(cursor, b'"') };
    let delimiter = rest.get(..length).unwrap_or_default();
    cursor.skip(length + 2);
    cursor.skip_past(&[b")", delimiter, b"\""].concat());
    cursor.mark(start, Context::String);
}
