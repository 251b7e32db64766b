//! Where code names a function: calls it, with or without type arguments, or hands it on.

use std::ops::Range;

use memchr::memmem;

use super::definition::is_announced;
use crate::lexer::Language;

/// A place that names a function.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// The name, and for a call all before its opening parenthesis.
    pub(super) span: Range<usize>,
    /// Where the first argument of a call starts; `None` for a function that is handed on.
    pub(super) argument: Option<usize>,
}

/// All places that name the function as a whole word, but for its definition and for imports under the same name.
pub(super) fn of<'b>(language: Language, bytes: &'b [u8], function: &'b str) -> impl Iterator<Item = Place> + 'b {
    let names = memmem::find_iter(bytes, function.as_bytes()).map(|start| start..start + function.len());
    names
        .filter(move |name| is_whole_word(bytes, name) && !is_announced(language, before(bytes, name)))
        .filter_map(move |name| place(language, bytes, name))
}

fn place(language: Language, bytes: &[u8], name: Range<usize>) -> Option<Place> {
    let parenthesis = skip_space(bytes, after_type_arguments(bytes, name.end));
    if bytes.get(parenthesis) == Some(&b'(') {
        let argument = Some(skip_space(bytes, parenthesis + 1));
        return Some(Place { span: name.start..parenthesis, argument });
    }
    (!imports(language, bytes, &name)).then_some(Place { span: name, argument: None })
}

fn is_whole_word(bytes: &[u8], name: &Range<usize>) -> bool {
    let is_word_at = |byte: Option<&u8>| byte.is_some_and(|byte| is_word(*byte));
    !is_word_at(before(bytes, name).last()) && !is_word_at(bytes.get(name.end))
}

fn before<'b>(bytes: &'b [u8], name: &Range<usize>) -> &'b [u8] {
    bytes.get(..name.start).unwrap_or_default()
}

/// The most bytes of what is read in order to understand one place.
pub(super) const LOOK: usize = 1_000;

/// Behind `::<T>` or `<T>`, or where it started if there is none.
fn after_type_arguments(bytes: &[u8], start: usize) -> usize {
    let open = skip_space(bytes, start);
    let open = if bytes.get(open..).is_some_and(|rest| rest.starts_with(b"::")) { open + 2 } else { open };
    type_arguments_end(bytes, open).unwrap_or(start)
}

fn type_arguments_end(bytes: &[u8], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    let mut previous = b' ';
    for (at, &byte) in bytes.iter().enumerate().skip(open).take(LOOK) {
        match byte {
            b'<' => depth += 1,
            // Those of `->` and `=>` close nothing.
            b'>' if !matches!(previous, b'-' | b'=') => depth = depth.checked_sub(1)?,
            b';' => return None,
            _ => {}
        }
        if depth == 0 {
            return (byte == b'>').then_some(at + 1);
        }
        previous = byte;
    }
    None
}

/// Whether an import names the function and keeps its name, so that its calls are seen.
fn imports(language: Language, bytes: &[u8], name: &Range<usize>) -> bool {
    let before = before(bytes, name);
    keeps_name(bytes.get(name.end..).unwrap_or_default())
        && (is_import(language, line_of(before)) || is_import(language, list_of(before)))
}

fn keeps_name(after: &[u8]) -> bool {
    let after = after.get(spaces(after)..).unwrap_or_default();
    let ends = matches!(after.first(), None | Some(b'\n' | b'\r' | b',' | b';' | b'}' | b')'));
    ends || after.starts_with(b"from ")
}

/// Names and lists alone, from the start of an import on. A parenthesis may open the list.
fn is_import(language: Language, text: &[u8]) -> bool {
    let is_rust = language == Language::Rust;
    let starts: &[&[u8]] = if is_rust { &[b"use ", b"pub use ", b"pub(crate) use "] } else { &[b"import ", b"from "] };
    let is_list = |byte: &u8| is_word(*byte) || b" \t\r\n{},:.*".contains(byte);
    let names = starts.iter().find_map(|start| text.strip_prefix(*start));
    names.is_some_and(|names| names.strip_suffix(b"(").unwrap_or(names).iter().all(is_list))
}

/// From the start of the line on.
pub(super) fn line_of(text: &[u8]) -> &[u8] {
    let start = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    text.get(start..).unwrap_or_default().trim_ascii_start()
}

/// The start of the line that opens the list of names at the end of `text`.
fn list_of(text: &[u8]) -> &[u8] {
    let is_list = |byte: &u8| is_word(*byte) || byte.is_ascii_whitespace() || *byte == b',';
    let names = text.iter().rev().take(LOOK).take_while(|byte| is_list(byte)).count();
    let head = text.get(..text.len() - names).unwrap_or_default();
    if matches!(head.last(), Some(b'{' | b'(')) { line_of(head) } else { b"" }
}

/// How many blanks that end no line are at the start.
pub(super) fn spaces(text: &[u8]) -> usize {
    text.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

/// Bytes beyond ASCII belong to letters, or to nothing that code has before a name.
pub(super) const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

pub(super) fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}
