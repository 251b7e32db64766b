//! `migrate:allow(rule-id)` in comments.

use std::ops::Range;

use super::lines::Lines;
use crate::context::Context;
use crate::lexer::{Language, Segment, context_at};

const MARK: &[u8] = b"migrate:allow";

/// What one comment allows for one rule.
pub(super) struct Allow {
    /// What stands between the parentheses; nothing if there are none.
    pub(super) rule: Option<String>,
    /// The line of the comment.
    pub(super) line: usize,
    /// The line below it, if it stands alone on its own.
    below: Option<usize>,
    /// Whether something was found there.
    pub(super) used: bool,
}

impl Allow {
    pub(super) fn covers(&self, rule: &str, line: usize) -> bool {
        self.rule.as_deref() == Some(rule) && (self.line == line || self.below == Some(line))
    }
}

/// Whether a file has such comments at all.
pub(super) fn is_in(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MARK).is_some()
}

/// What the comments of a file allow. In an unknown language any text is taken for a comment.
pub(super) fn find(bytes: &[u8], language: Language, segments: &[Segment], lines: &Lines<'_>) -> Vec<Allow> {
    let comments = Comments { segments, lines, all: language == Language::Unknown };
    let marks = memchr::memmem::find_iter(bytes, MARK).filter(|&at| comments.has(at));
    marks.flat_map(|at| comments.allows(bytes, at)).collect()
}

struct Comments<'f> {
    segments: &'f [Segment],
    lines: &'f Lines<'f>,
    all: bool,
}

impl Comments<'_> {
    fn has(&self, at: usize) -> bool {
        self.all || context_at(self.segments, at) == Context::Comment
    }

    fn allows(&self, bytes: &[u8], at: usize) -> Vec<Allow> {
        let line = self.lines.number(at);
        let below = self.below(line);
        let text = bytes.get(at + MARK.len()..self.lines.range(line).end).unwrap_or_default();
        let allow = |rule| Allow { rule, line, below, used: false };
        rules(text).into_iter().map(allow).collect()
    }

    /// The first line below `line` that is no comment, if all of `line` is one.
    fn below(&self, line: usize) -> Option<usize> {
        if self.all {
            return Some(line + 1);
        }
        let mut below = line;
        while self.is_comment(below) {
            below += 1;
        }
        (below > line).then_some(below)
    }

    /// Whether comments, and nothing else, stand in `line`.
    fn is_comment(&self, line: usize) -> bool {
        let text = self.lines.text(line);
        let blank = text.trim_ascii().is_empty();
        let start = self.lines.range(line).start;
        let code = |(at, byte): (usize, &u8)| !byte.is_ascii_whitespace() && !self.has(start + at);
        !blank && !text.iter().enumerate().any(code)
    }
}

/// The rules between the parentheses that `text` starts with; one that is none if there are none.
fn rules(text: &[u8]) -> Vec<Option<String>> {
    let Some(inside) = parentheses(text).and_then(|range| text.get(range)) else { return vec![None] };
    let names = inside.split(|&byte| byte == b',').map(|name| String::from_utf8_lossy(name.trim_ascii()).into_owned());
    names.map(|name| Some(name).filter(|name| !name.is_empty())).collect()
}

fn parentheses(text: &[u8]) -> Option<Range<usize>> {
    let end = memchr::memchr(b')', text)?;
    text.starts_with(b"(").then_some(1..end)
}
