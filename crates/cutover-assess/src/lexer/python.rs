//! Python: quotes of one and three, prefixes, and the expressions inside f- and t-strings, as Python 3.12 nests them.

use super::cursor::Cursor;
use crate::context::Context;

pub(super) fn lex(cursor: &mut Cursor<'_>) {
    Lexer { cursor, open: Vec::new() }.run();
}

struct Lexer<'c, 's> {
    cursor: &'c mut Cursor<'s>,
    open: Vec<Open>,
}

/// What is open around a place, the innermost last.
#[derive(Clone, Copy)]
enum Open {
    /// The text of a string with expressions in it.
    Text(Quotes),
    /// An expression in such a text, with so many brackets open in it.
    Expression { brackets: usize },
    /// How the value of an expression is written, behind a colon.
    Format,
}

#[derive(Clone, Copy)]
struct Quotes {
    quote: u8,
    triple: bool,
    raw: bool,
}

impl Quotes {
    const fn length(self) -> usize {
        if self.triple { 3 } else { 1 }
    }

    fn end_here(self, cursor: &Cursor<'_>) -> bool {
        cursor.rest().iter().take(self.length()).filter(|&&byte| byte == self.quote).count() == self.length()
    }
}

impl Lexer<'_, '_> {
    fn run(mut self) {
        while self.cursor.peek().is_some() {
            match self.open.last().copied() {
                None | Some(Open::Expression { .. }) => self.code(),
                Some(Open::Text(quotes)) => self.text(quotes, 0),
                Some(Open::Format) => self.format(),
            }
        }
    }

    fn code(&mut self) {
        match self.cursor.peek() {
            Some(b'#') => self.cursor.line_comment(),
            Some(quote @ (b'"' | b'\'')) => self.string(self.cursor.at(), b"", quote),
            Some(mark @ (b'(' | b'[' | b'{' | b')' | b']' | b'}' | b':')) => self.mark(mark),
            _ => self.word(),
        }
    }

    /// A word may be the prefix of a string.
    fn word(&mut self) {
        let start = self.cursor.at();
        let word = self.cursor.word();
        match self.cursor.peek() {
            _ if word.is_empty() => self.cursor.skip_char(),
            Some(quote @ (b'"' | b'\'')) if is_prefix(word) => self.string(start, word, quote),
            _ => (),
        }
    }

    /// Outside of expressions in strings, brackets do not matter.
    fn mark(&mut self, mark: u8) {
        self.cursor.skip(1);
        let Some(Open::Expression { brackets }) = self.open.last_mut() else { return };
        match (mark, *brackets) {
            (b'(' | b'[' | b'{', _) => *brackets += 1,
            (b'}', 0) => _ = self.open.pop(),
            (b':', 0) => self.open.push(Open::Format),
            (b':', _) => (),
            _ => *brackets = brackets.saturating_sub(1),
        }
    }

    /// A string that starts at `start`; the cursor is at its quote.
    fn string(&mut self, start: usize, prefix: &[u8], quote: u8) {
        let triple = self.cursor.ahead(1) == Some(quote) && self.cursor.ahead(2) == Some(quote);
        let has = |wanted: &[u8]| prefix.iter().any(|byte| wanted.contains(byte));
        let quotes = Quotes { quote, triple, raw: has(b"rR") };
        self.cursor.skip(quotes.length());
        if has(b"fFtT") {
            self.open.push(Open::Text(quotes));
            return self.text(quotes, self.cursor.at() - start);
        }
        self.plain(quotes);
        self.cursor.mark(start, Context::String);
    }

    /// To the end of a string without expressions; also of a raw one, where a backslash keeps its quote, too.
    fn plain(&mut self, quotes: Quotes) {
        loop {
            let closed = self.cursor.skip_literal(quotes.quote, true, quotes.triple);
            let all = !quotes.triple || self.has_two_more(quotes.quote);
            if all || !closed {
                return;
            }
        }
    }

    fn has_two_more(&mut self, quote: u8) -> bool {
        self.cursor.eat(&[quote, quote])
    }

    /// The text of a string up to its end or an expression, with the `before` bytes that are read of it.
    fn text(&mut self, quotes: Quotes, before: usize) {
        let start = self.cursor.at() - before;
        while let Some(byte) = self.cursor.peek() {
            match byte {
                b'{' if self.cursor.ahead(1) == Some(b'{') => self.cursor.skip(2),
                b'{' => break,
                b'\\' => self.escape(quotes),
                b'\n' if !quotes.triple => return self.end(start),
                _ if quotes.end_here(self.cursor) => {
                    self.cursor.skip(quotes.length());
                    return self.end(start);
                }
                _ => self.cursor.skip(1),
            }
        }
        self.cursor.mark(start, Context::String);
        self.begin_expression();
    }

    fn end(&mut self, start: usize) {
        self.cursor.mark(start, Context::String);
        self.open.pop();
    }

    fn begin_expression(&mut self) {
        if self.cursor.eat(b"{") {
            self.open.push(Open::Expression { brackets: 0 });
        }
    }

    /// A backslash keeps no brace, but `\N{..}` is a name.
    fn escape(&mut self, quotes: Quotes) {
        match self.cursor.ahead(1) {
            Some(b'{') => self.cursor.skip(1),
            Some(b'N') if !quotes.raw && self.cursor.ahead(2) == Some(b'{') => {
                self.cursor.skip_while(|byte| !matches!(byte, b'}' | b'"' | b'\'' | b'\n'));
            }
            _ => self.cursor.skip_escape(),
        }
    }

    /// A format ends with its expression, or with the string that both are in.
    fn format(&mut self) {
        let start = self.cursor.at();
        let quote = self.quotes_around().map_or(b'"', |quotes| quotes.quote);
        self.cursor.skip_while(|byte| !matches!(byte, b'{' | b'}' | b'\n') && byte != quote);
        self.cursor.mark(start, Context::String);
        match self.cursor.peek() {
            Some(b'{') => self.begin_expression(),
            Some(b'}') => {
                self.cursor.skip(1);
                self.open.truncate(self.open.len().saturating_sub(2));
            }
            Some(b'\n') if self.quotes_around().is_some_and(|quotes| quotes.triple) => self.cursor.skip(1),
            _ => self.leave_to_text(),
        }
    }

    fn quotes_around(&self) -> Option<Quotes> {
        self.open.iter().rev().find_map(|open| match open {
            Open::Text(quotes) => Some(*quotes),
            Open::Expression { .. } | Open::Format => None,
        })
    }

    fn leave_to_text(&mut self) {
        while self.open.last().is_some_and(|open| !matches!(open, Open::Text(_))) {
            self.open.pop();
        }
    }
}

fn is_prefix(word: &[u8]) -> bool {
    PREFIXES.iter().any(|prefix| word.eq_ignore_ascii_case(prefix))
}

const PREFIXES: [&[u8]; 11] = [b"r", b"u", b"b", b"f", b"t", b"br", b"rb", b"fr", b"rf", b"tr", b"rt"];
