//! JavaScript and TypeScript: templates with expressions in them, regular expressions, and JSX.
//!
//! Whether `/` divides or starts a regular expression, and whether `<` compares or starts an element, is told by what
//! stands before it.

use super::cursor::Cursor;
use crate::context::Context;

pub(super) fn lex(cursor: &mut Cursor<'_>) {
    Lexer::new(cursor, false).run();
}

pub(super) fn lex_with_jsx(cursor: &mut Cursor<'_>) {
    Lexer::new(cursor, true).run();
}

pub(super) struct Lexer<'c, 's> {
    pub(super) cursor: &'c mut Cursor<'s>,
    pub(super) open: Vec<Open>,
    pub(super) before: Before,
    /// For each open parenthesis, whether it is the one of an `if` or a loop, behind which a statement follows.
    parentheses: Vec<bool>,
    /// Whether the word before is `if` or that of a loop.
    at_condition: bool,
    /// Whether the language has elements.
    jsx: bool,
    /// How often what looked like an element was none.
    pub(super) no_elements: usize,
    /// Before this place, `/` starts no regular expression, because its line has no end for one.
    no_regex_before: usize,
}

/// What is open around a place, the innermost last.
#[derive(Clone, Copy)]
pub(super) enum Open {
    /// The text of a template.
    Template,
    /// Code in a template or an element, with so many braces open in it.
    Braces(usize),
    /// A tag of an element, with so many angle brackets of types open in it.
    Tag(usize),
    /// What stands between the tags of an element.
    Children,
}

/// What stands before a place in code.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Before {
    /// Something that a value can follow.
    Operator,
    /// The end of a value.
    Operand,
    /// The end of a block, or of an object.
    Block,
}

impl<'c, 's> Lexer<'c, 's> {
    fn new(cursor: &'c mut Cursor<'s>, jsx: bool) -> Self {
        let (open, parentheses) = (Vec::new(), Vec::new());
        Self {
            cursor,
            open,
            before: Before::Operator,
            parentheses,
            at_condition: false,
            jsx,
            no_elements: 0,
            no_regex_before: 0,
        }
    }

    fn run(mut self) {
        if self.cursor.is_at(b"#!") {
            self.cursor.line_comment();
        }
        while let Some(byte) = self.cursor.peek() {
            match self.open.last().copied() {
                None | Some(Open::Braces(_)) => self.code(byte),
                Some(Open::Template) => self.template(0),
                Some(Open::Tag(angles)) => self.tag(byte, angles),
                Some(Open::Children) => self.children(),
            }
        }
    }

    fn code(&mut self, byte: u8) {
        match byte {
            b'/' => self.slash(),
            b'"' | b'\'' => self.literal(byte),
            b'`' => self.begin_template(),
            b'{' | b'}' => self.brace(byte),
            b'<' if self.jsx && self.before == Before::Operator && self.is_element() => self.begin_element(),
            _ if byte.is_ascii_whitespace() => self.cursor.skip(1),
            _ => self.token(byte),
        }
    }

    fn slash(&mut self) {
        match self.cursor.ahead(1) {
            Some(b'/') => self.cursor.line_comment(),
            Some(b'*') => self.cursor.span(2, b"*/", Context::Comment),
            _ if self.before != Before::Operand && self.regex() => self.before = Before::Operand,
            _ => self.operator(),
        }
    }

    fn operator(&mut self) {
        self.cursor.skip(1);
        self.at_condition = false;
        self.before = Before::Operator;
    }

    /// Over a regular expression with its flags, if its line has an end for it.
    fn regex(&mut self) -> bool {
        let start = self.cursor.at();
        if start < self.no_regex_before {
            return false;
        }
        let Some(length) = regex_length(self.cursor.rest()) else {
            self.no_regex_before = start + line_length(self.cursor.rest());
            return false;
        };
        self.cursor.skip(length);
        self.cursor.word();
        self.cursor.mark(start, Context::String);
        true
    }

    fn literal(&mut self, quote: u8) {
        let start = self.cursor.at();
        self.cursor.skip(1);
        self.cursor.line_literal(start, quote, true);
        self.before = Before::Operand;
    }

    fn begin_template(&mut self) {
        self.cursor.skip(1);
        self.open.push(Open::Template);
        self.template(1);
    }

    /// The text of a template up to its end or an expression, with the `before` bytes that are read of it.
    fn template(&mut self, before: usize) {
        let start = self.cursor.at() - before;
        loop {
            self.cursor.skip_while(|byte| !matches!(byte, b'`' | b'$' | b'\\'));
            match self.cursor.peek() {
                Some(b'\\') => self.cursor.skip_escape(),
                Some(b'$') if self.cursor.ahead(1) != Some(b'{') => self.cursor.skip(1),
                _ => break,
            }
        }
        self.end_of_text(start);
    }

    fn end_of_text(&mut self, start: usize) {
        if self.cursor.eat(b"`") {
            self.open.pop();
            self.before = Before::Operand;
        }
        self.cursor.mark(start, Context::String);
        if self.cursor.eat(b"${") {
            self.begin_braces();
        }
    }

    /// Code begins, behind its brace.
    pub(super) fn begin_braces(&mut self) {
        self.open.push(Open::Braces(0));
        self.before = Before::Operator;
    }

    fn brace(&mut self, brace: u8) {
        self.cursor.skip(1);
        self.before = if brace == b'{' { Before::Operator } else { Before::Block };
        match self.open.last_mut() {
            Some(Open::Braces(count)) if brace == b'{' => *count += 1,
            Some(Open::Braces(0)) => _ = self.open.pop(),
            Some(Open::Braces(count)) => *count -= 1,
            _ => (),
        }
    }

    fn token(&mut self, byte: u8) {
        let word = self.cursor.word();
        match byte {
            _ if !word.is_empty() => {
                self.before = after_word(word);
                self.at_condition = CONDITIONS.contains(&word);
            }
            b'+' | b'-' if self.cursor.ahead(1) == Some(byte) => self.cursor.skip(2),
            b'(' => {
                self.parentheses.push(self.at_condition);
                self.operator();
            }
            b')' => self.end(|lexer| lexer.parentheses.pop() == Some(true)),
            b']' => self.end(|_| false),
            _ if byte.is_ascii() => self.operator(),
            _ => self.cursor.skip_char(),
        }
    }

    fn end(&mut self, of_condition: fn(&mut Self) -> bool) {
        self.cursor.skip(1);
        self.before = if of_condition(self) { Before::Block } else { Before::Operand };
    }
}

fn after_word(word: &[u8]) -> Before {
    if BEFORE_VALUES.contains(&word) { Before::Operator } else { Before::Operand }
}

/// The words whose parentheses a statement follows.
const CONDITIONS: [&[u8]; 4] = [b"if", b"while", b"for", b"with"];
/// The words that a value can follow.
const BEFORE_VALUES: [&[u8]; 16] = [
    b"return",
    b"typeof",
    b"case",
    b"in",
    b"of",
    b"delete",
    b"void",
    b"throw",
    b"new",
    b"instanceof",
    b"yield",
    b"await",
    b"else",
    b"do",
    b"default",
    b"extends",
];

/// The length of a regular expression without its flags.
fn regex_length(text: &[u8]) -> Option<usize> {
    let (mut class, mut escaped) = (false, false);
    for (at, &byte) in text.iter().enumerate().skip(1) {
        match byte {
            b'\n' => return None,
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => class = true,
            b']' => class = false,
            b'/' if !class => return Some(at + 1),
            _ => (),
        }
    }
    None
}

fn line_length(text: &[u8]) -> usize {
    memchr::memchr(b'\n', text).unwrap_or(text.len())
}
