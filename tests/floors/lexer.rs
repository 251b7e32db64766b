//! Splits Rust source into tokens, without comments and literals.

/// A token that matters for paths and braces.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// An identifier or keyword; raw ones without their prefix.
    Word(String),
    /// `::`
    PathSep,
    /// Any other single character.
    Mark(char),
}

impl Token {
    /// Whether this is the identifier or keyword `word`.
    pub(crate) fn is_word(&self, word: &str) -> bool {
        matches!(self, Self::Word(this) if this == word)
    }
}

/// A token and the line it starts in, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed {
    /// The token.
    pub(crate) token: Token,
    /// Its line.
    pub(crate) line: usize,
}

/// All tokens of `source`. Comments vanish; literals and lifetimes do too.
pub(crate) fn tokens(source: &str) -> Vec<Placed> {
    let mut lexer = Lexer { chars: source.chars().collect(), at: 0, line: 1, found: Vec::new() };
    while let Some(next) = lexer.peek(0) {
        lexer.step(next);
    }
    lexer.found
}

struct Lexer {
    chars: Vec<char>,
    at: usize,
    line: usize,
    found: Vec<Placed>,
}

impl Lexer {
    fn peek(&self, ahead: usize) -> Option<char> {
        self.chars.get(self.at + ahead).copied()
    }

    fn advance(&mut self, count: usize) {
        let end = self.chars.len().min(self.at + count);
        self.line += self.chars[self.at..end].iter().filter(|&&c| c == '\n').count();
        self.at = end;
    }

    fn skip_while(&mut self, keep: impl Fn(char) -> bool) {
        while self.peek(0).is_some_and(&keep) {
            self.advance(1);
        }
    }

    fn push(&mut self, token: Token, length: usize) {
        self.found.push(Placed { token, line: self.line });
        self.advance(length);
    }

    fn step(&mut self, next: char) {
        match (next, self.peek(1)) {
            ('/', Some('/')) => self.skip_while(|c| c != '\n'),
            ('/', Some('*')) => self.skip_block_comment(),
            ('"', _) => self.skip_quoted('"'),
            ('\'', _) => self.skip_char_or_lifetime(),
            (':', Some(':')) => self.push(Token::PathSep, 2),
            _ if next.is_whitespace() => self.advance(1),
            _ if is_word(next) => self.word_or_literal(),
            _ => self.push(Token::Mark(next), 1),
        }
    }

    fn skip_block_comment(&mut self) {
        let mut depth = 0_usize;
        loop {
            match (self.peek(0), self.peek(1)) {
                (Some('/'), Some('*')) => (depth += 1, self.advance(2)).1,
                (Some('*'), Some('/')) => (depth -= 1, self.advance(2)).1,
                (None, _) => return,
                _ => self.advance(1),
            }
            if depth == 0 {
                return;
            }
        }
    }

    /// A text or character with escapes.
    fn skip_quoted(&mut self, quote: char) {
        self.advance(1);
        while let Some(next) = self.peek(0) {
            self.advance(if next == '\\' { 2 } else { 1 });
            if next == quote {
                return;
            }
        }
    }

    fn skip_char_or_lifetime(&mut self) {
        if self.peek(1) == Some('\\') || self.peek(2) == Some('\'') {
            self.skip_quoted('\'');
        } else {
            self.advance(1);
            self.skip_while(is_word);
        }
    }

    fn word_or_literal(&mut self) {
        let length = self.chars[self.at..].iter().take_while(|&&c| is_word(c)).count();
        let word: String = self.chars[self.at..self.at + length].iter().collect();
        let hashes = self.chars[self.at + length..].iter().take_while(|&&c| c == '#').count();
        match (word.as_str(), self.peek(length), self.peek(length + hashes)) {
            ("r" | "br" | "cr", _, Some('"')) => self.skip_raw_text(length, hashes),
            ("b" | "c", Some('"'), _) => (self.advance(1), self.skip_quoted('"')).1,
            ("b", Some('\''), _) => (self.advance(1), self.skip_quoted('\'')).1,
            ("r", Some('#'), _) => self.advance(2),
            _ if word.starts_with(|c: char| c.is_ascii_digit()) => self.advance(length),
            _ => self.push(Token::Word(word), length),
        }
    }

    fn skip_raw_text(&mut self, prefix: usize, hashes: usize) {
        self.advance(prefix + hashes + 1);
        while let Some(next) = self.peek(0) {
            let closed = next == '"' && (1..=hashes).all(|ahead| self.peek(ahead) == Some('#'));
            self.advance(if closed { 1 + hashes } else { 1 });
            if closed {
                return;
            }
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}
