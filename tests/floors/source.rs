//! What a source file uses: the names at the crate's root that its paths reach, and how long its functions are.

use crate::lexer::{Placed, Token, tokens};

/// A name directly below the crate's root that a path reaches, and the line of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Use {
    /// The name: a module, a re-export, or `*`.
    pub(crate) name: String,
    /// Where the path starts.
    pub(crate) line: usize,
}

/// A function and its length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// The line of its `fn`.
    pub(crate) line: usize,
    /// From that line to the closing brace, both counted.
    pub(crate) lines: usize,
}

/// The root names that the code in the module `path` reaches; test code does not count.
pub(crate) fn uses(source: &str, path: &[&str]) -> Vec<Use> {
    let tokens = without_tests(&tokens(source)).0;
    let mut reader = Reader { tokens: &tokens, uses: Vec::new(), leaves: Vec::new() };
    let mut modules = InlineModules::below(path);
    for at in 0..tokens.len() {
        modules.step(&tokens, at);
        if reader.starts_path(at) {
            reader.tree(at, &modules.path(), tokens[at].line);
        }
    }
    reader.uses
}

/// The names that the crate's root, `source`, re-exports from its modules: (name, module).
///
/// In a `use` at the root, a path may start with a module's bare name.
pub(crate) fn re_exports(source: &str) -> Vec<(String, String)> {
    let tokens = without_tests(&tokens(source)).0;
    let mut reader = Reader { tokens: &tokens, uses: Vec::new(), leaves: Vec::new() };
    for at in (0..tokens.len()).filter(|&at| tokens[at].token.is_word("use")) {
        reader.tree(at + 1, &[], tokens[at].line);
    }
    let leaves = reader.leaves.into_iter();
    leaves.filter_map(|(name, path)| path.into_iter().next().map(|module| (name, module))).collect()
}

/// The modules declared in `source` that are compiled for tests only.
pub(crate) fn test_modules(source: &str) -> Vec<String> {
    without_tests(&tokens(source)).1
}

/// Every function with a body, test code included.
pub(crate) fn functions(source: &str) -> Vec<Function> {
    let tokens = tokens(source);
    let starts = (0..tokens.len()).filter(|&at| tokens[at].token.is_word("fn"));
    starts.filter_map(|at| function_at(&tokens, at)).collect()
}

/// Whether `source` declares modules and nothing that could be called, held or named.
pub(crate) fn has_only_modules(source: &str) -> bool {
    const ITEMS: [&str; 10] = ["const", "enum", "extern", "fn", "impl", "static", "struct", "trait", "type", "use"];
    !tokens(source).iter().any(|placed| ITEMS.iter().any(|item| placed.token.is_word(item)))
}

fn function_at(tokens: &[Placed], at: usize) -> Option<Function> {
    let Token::Word(name) = &tokens.get(at + 1)?.token else { return None };
    let end = end_of_item(tokens, at);
    let Token::Mark('}') = tokens.get(end)?.token else { return None };
    let line = tokens[at].line;
    Some(Function { name: name.clone(), line, lines: tokens[end].line - line + 1 })
}

/// The closing brace or semicolon of the item that starts at `at`.
fn end_of_item(tokens: &[Placed], at: usize) -> usize {
    let mut depth = 0_i32;
    let mut braces = 0_i32;
    for (index, placed) in tokens.iter().enumerate().skip(at) {
        match placed.token {
            Token::Mark('{') => braces += 1,
            Token::Mark('}') => braces -= 1,
            Token::Mark('(' | '[') => depth += 1,
            Token::Mark(')' | ']') => depth -= 1,
            Token::Mark(';') if depth == 0 && braces == 0 => return index,
            Token::Word(_) | Token::PathSep | Token::Mark(_) => continue,
        }
        let closed = placed.token == Token::Mark('}') && braces == 0 && depth == 0;
        if closed || braces < 0 || depth < 0 {
            return index;
        }
    }
    tokens.len()
}

/// The tokens outside of items under `#[cfg(test)]`, and the modules among those items.
fn without_tests(tokens: &[Placed]) -> (Vec<Placed>, Vec<String>) {
    let (mut kept, mut modules) = (Vec::new(), Vec::new());
    let mut at = 0;
    while at < tokens.len() {
        if is_test_attribute(tokens, at) {
            let item = skip_attributes(tokens, at);
            modules.extend(declared_module(tokens, item));
            at = end_of_item(tokens, item) + 1;
        } else {
            kept.push(tokens[at].clone());
            at += 1;
        }
    }
    (kept, modules)
}

/// `#[cfg(test)]`, or `#[cfg(all(.., test, ..))]`; code that other builds see as well counts.
fn is_test_attribute(tokens: &[Placed], at: usize) -> bool {
    let is_word = |offset: usize, word: &str| tokens.get(at + offset).is_some_and(|placed| placed.token.is_word(word));
    let is_cfg = is_mark(tokens, at, '#') && is_mark(tokens, at + 1, '[') && is_word(2, "cfg");
    is_cfg && (is_word(4, "test") || is_word(4, "all") && wants_test(&tokens[at + 5..end_of_attribute(tokens, at)]))
}

/// Whether `test` is one of the conditions in `(a, test, not(b))`, not part of one.
fn wants_test(conditions: &[Placed]) -> bool {
    let mut depth = 0_i32;
    conditions.iter().any(|placed| {
        depth += i32::from(placed.token == Token::Mark('(')) - i32::from(placed.token == Token::Mark(')'));
        depth == 1 && placed.token.is_word("test")
    })
}

fn skip_attributes(tokens: &[Placed], mut at: usize) -> usize {
    while is_mark(tokens, at, '#') {
        at = end_of_attribute(tokens, at) + 1;
    }
    at
}

/// The closing bracket of the attribute whose `#` is at `at`.
fn end_of_attribute(tokens: &[Placed], at: usize) -> usize {
    let mut depth = 0_i32;
    for index in at + 1..tokens.len() {
        depth += i32::from(is_mark(tokens, index, '[')) - i32::from(is_mark(tokens, index, ']'));
        if depth == 0 {
            return index;
        }
    }
    tokens.len()
}

/// The name in `mod name;` at `at`, where `pub` may stand before it.
fn declared_module(tokens: &[Placed], at: usize) -> Option<String> {
    let module = (at..end_of_item(tokens, at)).find(|&at| tokens[at].token.is_word("mod"))?;
    match (&tokens.get(module + 1)?.token, &tokens.get(module + 2)?.token) {
        (Token::Word(name), Token::Mark(';')) => Some(name.clone()),
        _ => None,
    }
}

fn is_mark(tokens: &[Placed], at: usize, mark: char) -> bool {
    tokens.get(at).is_some_and(|placed| placed.token == Token::Mark(mark))
}

/// The module that a token stands in, through `mod name { .. }` inside the file.
struct InlineModules<'a> {
    file: &'a [&'a str],
    open: Vec<(String, i32)>,
    braces: i32,
}

impl<'a> InlineModules<'a> {
    fn below(file: &'a [&'a str]) -> Self {
        Self { file, open: Vec::new(), braces: 0 }
    }

    fn step(&mut self, tokens: &[Placed], at: usize) {
        match &tokens[at].token {
            Token::Mark('{') => self.braces += 1,
            Token::Mark('}') => {
                self.braces -= 1;
                self.open.retain(|(_, outside)| *outside < self.braces);
            }
            Token::Word(name) if at > 0 && tokens[at - 1].token.is_word("mod") && is_mark(tokens, at + 1, '{') => {
                self.open.push((name.clone(), self.braces));
            }
            Token::Word(_) | Token::PathSep | Token::Mark(_) => {}
        }
    }

    fn path(&self) -> Vec<String> {
        let file = self.file.iter().map(|&name| name.to_owned());
        file.chain(self.open.iter().map(|(name, _)| name.clone())).collect()
    }
}

/// Follows paths and trees of paths, such as `crate::{a::B, c}` or `super::super::d`.
struct Reader<'a> {
    tokens: &'a [Placed],
    uses: Vec<Use>,
    /// The name that each path brings in, and the path.
    leaves: Vec<(String, Vec<String>)>,
}

impl Reader<'_> {
    /// Whether a path that is relative to the crate or to this module starts at `at`.
    fn starts_path(&self, at: usize) -> bool {
        let Token::Word(word) = &self.tokens[at].token else { return false };
        let inside = at > 0 && self.tokens[at - 1].token == Token::PathSep;
        matches!(word.as_str(), "crate" | "super" | "self") && !inside && self.separated(at)
    }

    fn separated(&self, at: usize) -> bool {
        self.tokens.get(at + 1).is_some_and(|placed| placed.token == Token::PathSep)
    }

    /// Reads the path at `at`, which starts in the module `base`; returns what follows it.
    fn tree(&mut self, mut at: usize, base: &[String], line: usize) -> usize {
        let mut path = base.to_vec();
        loop {
            match self.tokens.get(at).map(|placed| placed.token.clone()) {
                Some(Token::Mark('{')) => return self.branches(at + 1, &path, line),
                Some(Token::Mark('*')) => path.push("*".to_owned()),
                Some(Token::Word(word)) => enter(&mut path, word),
                _ => break,
            }
            at += 1;
            if !self.separated(at - 1) {
                break;
            }
            at += 1;
        }
        self.uses.extend(path.first().map(|name| Use { name: name.clone(), line }));
        self.leaves.extend(self.alias(at).or_else(|| path.last().cloned()).map(|name| (name, path)));
        at
    }

    /// The name in `as name` at `at`.
    fn alias(&self, at: usize) -> Option<String> {
        match (&self.tokens.get(at)?.token, &self.tokens.get(at + 1)?.token) {
            (keyword, Token::Word(name)) if keyword.is_word("as") => Some(name.clone()),
            _ => None,
        }
    }

    /// Reads the branches after an opening brace; returns what follows the closing one.
    fn branches(&mut self, mut at: usize, base: &[String], line: usize) -> usize {
        while at < self.tokens.len() && !is_mark(self.tokens, at, '}') {
            let after = self.tree(at, base, line);
            let end = |at: &usize| is_mark(self.tokens, *at, ',') || is_mark(self.tokens, *at, '}');
            at = (after..self.tokens.len()).find(end).unwrap_or(self.tokens.len());
            at += usize::from(is_mark(self.tokens, at, ','));
        }
        at + 1
    }
}

fn enter(path: &mut Vec<String>, word: String) {
    match word.as_str() {
        "crate" => path.clear(),
        "super" => drop(path.pop()),
        "self" => {}
        _ => path.push(word),
    }
}
