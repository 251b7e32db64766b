//! What can only be the definition of a function, and no call of it. Where that is in doubt, it is taken for a call.

use std::ops::Range;

use super::places::{LOOK, is_word, line_of, spaces};
use crate::lexer::Language;

/// Whether what stands before a name says that the name is defined here.
pub(super) fn is_announced(language: Language, before: &[u8]) -> bool {
    match last_word(before) {
        b"fn" | b"def" | b"func" | b"function" => true,
        b"boolean" => language == Language::Java,
        b"fun" => language == Language::Unknown,
        _ if language == Language::Go => is_receiver(line_of(before)),
        _ => language == Language::Unknown && is_extended(before),
    }
}

/// `func (flags *Flags)` of Go.
fn is_receiver(line: &[u8]) -> bool {
    let receiver = trim_spaces(line).strip_prefix(b"func (").and_then(|line| line.strip_suffix(b")"));
    receiver.is_some_and(|receiver| !receiver.contains(&b')'))
}

/// `fun Flags.` of Kotlin.
fn is_extended(before: &[u8]) -> bool {
    let path = before.iter().rev().take_while(|byte| is_word(**byte) || **byte == b'.').count();
    before.ends_with(b".") && last_word(before.get(..before.len() - path).unwrap_or_default()) == b"fun"
}

/// Whether the parameters, whose first one starts at `argument`, or what follows them, can only belong to a definition.
pub(super) fn has_shape(language: Language, bytes: &[u8], name: &Range<usize>, argument: usize) -> bool {
    let (is_java, is_typescript) =
        (language == Language::Java, matches!(language, Language::TypeScript | Language::Tsx));
    let has_bodies = is_java || is_typescript || language == Language::JavaScript;
    (is_typescript && is_typed(bytes, argument))
        || (is_java && throws(bytes, argument))
        || (has_bodies && has_body(bytes, name, argument))
}

/// `key:` or `key?:`, with which no argument starts.
fn is_typed(bytes: &[u8], argument: usize) -> bool {
    let rest = bytes.get(argument..).unwrap_or_default();
    let word = rest.iter().take_while(|byte| is_word(**byte)).count();
    let rest = rest.get(word..).unwrap_or_default();
    word > 0 && (rest.starts_with(b":") || rest.starts_with(b"?:"))
}

/// `(..) {` on one line. Expressions with that are classes: `new name(..) {` and `extends name(..) {`.
fn has_body(bytes: &[u8], name: &Range<usize>, argument: usize) -> bool {
    let before = bytes.get(..name.start).unwrap_or_default();
    let is_expression =
        before.trim_ascii_end().ends_with(b".") || matches!(last_word(before), b"new" | b"extends" | b"await");
    !is_expression && after_parameters(bytes, argument).is_some_and(|after| after.starts_with(b"{"))
}

fn throws(bytes: &[u8], argument: usize) -> bool {
    after_parameters(bytes, argument).is_some_and(|after| after.starts_with(b"throws "))
}

/// What follows the closing parenthesis on its line. Texts may have parentheses, so nothing is said of parameters with one.
fn after_parameters(bytes: &[u8], argument: usize) -> Option<&[u8]> {
    let mut depth = 1_usize;
    for (at, byte) in bytes.iter().enumerate().skip(argument).take(LOOK) {
        match byte {
            b'(' => depth += 1,
            b')' => depth -= 1,
            b'"' | b'\'' | b'`' | b'/' => return None,
            _ => {}
        }
        if depth == 0 {
            return bytes.get(at + 1..).map(|after| after.get(spaces(after)..).unwrap_or_default());
        }
    }
    None
}

/// The word at the end of a line, which may have spaces behind it.
fn last_word(text: &[u8]) -> &[u8] {
    let text = trim_spaces(text);
    let start = text.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    text.get(start..).unwrap_or_default()
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    let end = text.iter().rposition(|byte| !matches!(byte, b' ' | b'\t')).map_or(0, |at| at + 1);
    text.get(..end).unwrap_or_default()
}
