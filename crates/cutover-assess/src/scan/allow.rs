//! `migrate:allow(rule-id)` in comments.

use std::collections::HashMap;
use std::ops::Range;

use super::lines::Lines;
use crate::context::Context;
use crate::lexer::{Language, Segment, context_at};

const MARK: &[u8] = b"migrate:allow";
/// How many lines of comments may stand above what they allow.
const MOST_COMMENTS: usize = 32;

/// What the comments of a file allow.
#[derive(Default)]
pub(super) struct Allows {
    all: Vec<Allow>,
    /// Where in `all` those stand that hold in a line.
    in_line: HashMap<usize, Vec<usize>>,
}

/// What one comment allows for one rule.
pub(super) struct Allow {
    /// What stands between the parentheses; nothing if there are none.
    pub(super) rule: Option<String>,
    /// The line of the comment.
    pub(super) line: usize,
    /// Whether something was found there.
    pub(super) used: bool,
}

impl Allows {
    /// Whether a place of `rule` in `line` may stay. What allows it is used then.
    pub(super) fn allow(&mut self, rule: &str, line: usize) -> bool {
        let mut allowed = false;
        for &index in self.in_line.get(&line).into_iter().flatten() {
            if let Some(allow) = self.all.get_mut(index).filter(|allow| allow.rule.as_deref() == Some(rule)) {
                allow.used = true;
                allowed = true;
            }
        }
        allowed
    }

    pub(super) fn into_all(self) -> Vec<Allow> {
        self.all
    }

    fn add(&mut self, rule: Option<String>, line: usize, below: Option<usize>) {
        for line in std::iter::once(line).chain(below) {
            self.in_line.entry(line).or_default().push(self.all.len());
        }
        self.all.push(Allow { rule, line, used: false });
    }
}

/// Whether a file has such comments at all.
pub(super) fn is_in(bytes: &[u8]) -> bool {
    memchr::memmem::find(bytes, MARK).is_some()
}

/// What the comments of a file allow. In an unknown language any text is taken for a comment.
pub(super) fn find(bytes: &[u8], language: Language, segments: &[Segment], lines: &Lines<'_>) -> Allows {
    let comments = Comments { segments, lines, all: language == Language::Unknown };
    let mut allows = Allows::default();
    let mut known = (0, None);
    for at in memchr::memmem::find_iter(bytes, MARK).filter(|&at| comments.has(at)) {
        let line = lines.number(at);
        if known.0 != line {
            known = (line, comments.below(line));
        }
        let text = bytes.get(at + MARK.len()..lines.range(line).end).unwrap_or_default();
        for rule in rules(text) {
            allows.add(rule, line, known.1);
        }
    }
    allows
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

    /// The first line below `line` that is no comment, if all of `line` is one.
    fn below(&self, line: usize) -> Option<usize> {
        if self.all {
            return Some(line + 1);
        }
        let comments = (line..line + MOST_COMMENTS).take_while(|&line| self.is_comment(line)).count();
        (comments > 0).then_some(line + comments)
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
