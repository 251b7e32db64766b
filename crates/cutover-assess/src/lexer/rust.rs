//! Rust, as its compiler splits it into tokens. `tests/rust_as_its_compiler.rs` compares the two.

use super::cursor::{Cursor, char_at, is_word_start};
use crate::context::Context;

pub(super) fn lex(cursor: &mut Cursor<'_>) {
    shebang(cursor);
    while let Some(byte) = cursor.peek() {
        match byte {
            b'/' => slash(cursor),
            b'"' => string(cursor, 0),
            b'\'' => quote(cursor),
            b'r' | b'b' | b'c' | b'k' => perhaps_prefix(cursor),
            b'0'..=b'9' => number(cursor),
            _ if cursor.is_at_word() => _ = cursor.word(),
            _ => cursor.skip_char(),
        }
    }
}

/// A first line that starts with `#!` is for the system, unless it is the start of an attribute.
fn shebang(cursor: &mut Cursor<'_>) {
    if cursor.is_at(b"#!") && !attribute_follows(cursor.rest()) {
        let start = cursor.at();
        cursor.skip_to(b'\n');
        cursor.mark(start, Context::Comment);
    }
}

/// Whether `[` is the first token behind `#!`.
fn attribute_follows(rest: &[u8]) -> bool {
    let mut cursor = Cursor::new(rest);
    cursor.skip(2);
    loop {
        match cursor.char() {
            Some((c, length)) if is_white_space(c) => cursor.skip(length),
            Some(('/', _)) if skip_comment(&mut cursor) == Some(Docs::No) => (),
            next => return next.is_some_and(|(c, _)| c == '['),
        }
    }
}

/// Pattern white space of Unicode.
const fn is_white_space(c: char) -> bool {
    matches!(c, '\t'..='\r' | ' ' | '\u{85}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}')
}

#[derive(PartialEq)]
enum Docs {
    Yes,
    No,
}

/// Over a comment, if one starts here.
fn skip_comment(cursor: &mut Cursor<'_>) -> Option<Docs> {
    let rest = cursor.rest();
    match cursor.ahead(1) {
        Some(b'/') => cursor.skip_to(b'\n'),
        Some(b'*') => skip_block_comment(cursor),
        _ => return None,
    }
    Some(if is_documentation(rest) { Docs::Yes } else { Docs::No })
}

fn is_documentation(comment: &[u8]) -> bool {
    match (comment.get(1), comment.get(2), comment.get(3)) {
        (_, Some(b'!'), _) => true,
        (Some(b'/'), Some(b'/'), next) => next != Some(&b'/'),
        (Some(b'*'), Some(b'*'), next) => !matches!(next, Some(b'*' | b'/')),
        _ => false,
    }
}

fn slash(cursor: &mut Cursor<'_>) {
    let start = cursor.at();
    match skip_comment(cursor) {
        Some(_) => cursor.mark(start, Context::Comment),
        None => cursor.skip(1),
    }
}

fn skip_block_comment(cursor: &mut Cursor<'_>) {
    cursor.skip(2);
    let mut depth = 1;
    while depth > 0 && cursor.peek().is_some() {
        cursor.skip_while(|byte| byte != b'/' && byte != b'*');
        if cursor.eat(b"/*") {
            depth += 1;
        } else if cursor.eat(b"*/") {
            depth -= 1;
        } else {
            cursor.skip(1);
        }
    }
}

/// `r`, `b`, `c`, `br` or `cr` before a quote or hashes, or a raw word; otherwise the start of a word.
fn perhaps_prefix(cursor: &mut Cursor<'_>) {
    match (cursor.peek(), cursor.ahead(1), cursor.ahead(2)) {
        (Some(b'r' | b'k'), Some(b'#'), _) if starts_word(cursor, 2) => raw_word(cursor),
        (Some(b'r'), Some(b'"' | b'#'), _) => raw_string(cursor, 1),
        (Some(b'b'), Some(b'\''), _) => character(cursor, 1),
        (Some(b'b' | b'c'), Some(b'"'), _) => string(cursor, 1),
        (Some(b'b' | b'c'), Some(b'r'), Some(b'"' | b'#')) => raw_string(cursor, 2),
        _ => _ = cursor.word(),
    }
}

fn starts_word(cursor: &Cursor<'_>, ahead: usize) -> bool {
    let rest = cursor.rest().get(ahead..).unwrap_or_default();
    char_at(rest).is_some_and(|(c, _)| is_word_start(c))
}

fn string(cursor: &mut Cursor<'_>, prefix: usize) {
    let start = cursor.at();
    cursor.skip(prefix + 1);
    let closed = cursor.skip_literal(b'"', true, true);
    end_literal(cursor, start, closed);
}

/// Marks it, and steps over a suffix, which is code.
fn end_literal(cursor: &mut Cursor<'_>, start: usize, closed: bool) {
    cursor.mark(start, Context::String);
    if closed {
        suffix(cursor);
    }
}

fn suffix(cursor: &mut Cursor<'_>) {
    if cursor.is_at_word() {
        cursor.word();
    }
}

fn raw_string(cursor: &mut Cursor<'_>, prefix: usize) {
    let start = cursor.at();
    cursor.skip(prefix);
    let hashes = skip_hashes(cursor);
    let closed = if cursor.eat(b"\"") { skip_raw(cursor, hashes) } else { skip_wrong_start(cursor) };
    end_literal(cursor, start, closed);
}

fn skip_hashes(cursor: &mut Cursor<'_>) -> usize {
    let start = cursor.at();
    cursor.skip_while(|byte| byte == b'#');
    cursor.at() - start
}

fn skip_raw(cursor: &mut Cursor<'_>, hashes: usize) -> bool {
    while cursor.skip_past(b"\"") {
        let here = cursor.rest().iter().take(hashes).take_while(|&&byte| byte == b'#').count();
        cursor.skip(here);
        if here == hashes {
            return true;
        }
    }
    false
}

fn skip_wrong_start(cursor: &mut Cursor<'_>) -> bool {
    cursor.skip_char();
    false
}

/// A character, or a lifetime or label.
fn quote(cursor: &mut Cursor<'_>) {
    if !may_be_lifetime(cursor) {
        return character(cursor, 0);
    }
    cursor.skip(1);
    if cursor.is_at(b"r#") && starts_word(cursor, 2) {
        return raw_word(cursor);
    }
    lifetime(cursor, cursor.at() - 1);
}

fn may_be_lifetime(cursor: &Cursor<'_>) -> bool {
    let first = cursor.rest().get(1..).and_then(char_at);
    first.is_some_and(|(c, length)| (is_word_start(c) || c.is_ascii_digit()) && cursor.ahead(1 + length) != Some(b'\''))
}

/// A raw identifier, from its prefix on.
fn raw_word(cursor: &mut Cursor<'_>) {
    cursor.skip(2);
    cursor.word();
}

/// What looks like a lifetime with a quote at its end is a character with too much in it, which has no suffix.
fn lifetime(cursor: &mut Cursor<'_>, start: usize) {
    cursor.word();
    if cursor.eat(b"'") {
        cursor.mark(start, Context::String);
    }
}

fn character(cursor: &mut Cursor<'_>, prefix: usize) {
    let start = cursor.at();
    cursor.skip(prefix + 1);
    let closed = skip_character(cursor);
    end_literal(cursor, start, closed);
}

fn skip_character(cursor: &mut Cursor<'_>) -> bool {
    if let Some((first, length)) = cursor.char()
        && first != '\\'
        && cursor.ahead(length) == Some(b'\'')
    {
        cursor.skip(length + 1);
        return true;
    }
    skip_long_character(cursor)
}

/// To the quote, the line end, or what is probably the start of a comment.
fn skip_long_character(cursor: &mut Cursor<'_>) -> bool {
    loop {
        match cursor.peek() {
            Some(b'\'') => {
                cursor.skip(1);
                return true;
            }
            None | Some(b'/') => return false,
            Some(b'\n') if cursor.ahead(1) != Some(b'\'') => return false,
            Some(b'\\') => {
                cursor.skip(1);
                cursor.skip_char();
            }
            Some(_) => cursor.skip_char(),
        }
    }
}

/// Over a number with exponent and suffix, so that `1r` starts no raw string.
fn number(cursor: &mut Cursor<'_>) {
    if has_whole_digits(cursor) {
        fraction(cursor);
    }
    suffix(cursor);
}

/// Steps over the digits before a point. False if no point or exponent can follow.
fn has_whole_digits(cursor: &mut Cursor<'_>) -> bool {
    match (cursor.peek(), cursor.ahead(1)) {
        (Some(b'0'), Some(b'b' | b'o')) => {
            cursor.skip(2);
            has_digits(cursor, |byte| byte.is_ascii_digit())
        }
        (Some(b'0'), Some(b'x')) => {
            cursor.skip(2);
            has_digits(cursor, |byte| byte.is_ascii_hexdigit())
        }
        _ => has_digits(cursor, |byte| byte.is_ascii_digit()),
    }
}

fn fraction(cursor: &mut Cursor<'_>) {
    if cursor.peek() == Some(b'.') {
        if cursor.ahead(1) == Some(b'.') || starts_word(cursor, 1) {
            return;
        }
        cursor.skip(1);
        if !cursor.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return;
        }
        has_digits(cursor, |byte| byte.is_ascii_digit());
    }
    if matches!(cursor.peek(), Some(b'e' | b'E')) {
        exponent(cursor);
    }
}

fn exponent(cursor: &mut Cursor<'_>) {
    cursor.skip(1);
    if matches!(cursor.peek(), Some(b'+' | b'-')) {
        cursor.skip(1);
    }
    has_digits(cursor, |byte| byte.is_ascii_digit());
}

/// Steps over digits and underscores.
fn has_digits(cursor: &mut Cursor<'_>, is_digit: impl Fn(u8) -> bool) -> bool {
    let mut any = false;
    while let Some(byte) = cursor.peek().filter(|&byte| byte == b'_' || is_digit(byte)) {
        any |= byte != b'_';
        cursor.skip(1);
    }
    any
}
