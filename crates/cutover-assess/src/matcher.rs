//! [`Matcher`]: how places are looked for in one file.

use std::ops::Range;

use unicode_ident::is_xid_continue;

use crate::lexer::Language;
use crate::rule::{Rule, RuleSet};

/// How places are looked for in one file. The host may bring its own, on a regular-expression engine or a parser.
///
/// What a matcher gives is only where its rules match. Globs, contexts and `migrate:allow(..)` comments are
/// applied to it afterwards. Of matches of one matcher that overlap only the longest is kept, and of equally long ones
/// the first; matches of several rules at the same span are all kept.
///
/// The laws: the same file gives the same matches, whatever came before and on whichever thread; each range is a non-empty
/// one within the file; each rule is one of [`rules`](Self::rules). A file on which a matcher breaks the last two or
/// panics is skipped with [`MatcherFailed`](crate::SkipReason::MatcherFailed).
pub trait Matcher: Send + Sync {
    /// The rules that it looks for.
    fn rules(&self) -> &RuleSet;

    /// Where they match in `source`, in any order.
    fn find<'m>(&'m self, source: &Source<'_>) -> Vec<Match<'m>>;
}

/// A place that a rule matches.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Match<'m> {
    /// The rule.
    pub rule: &'m Rule,
    /// Where it matches, in bytes from the start of the file.
    pub span: Range<usize>,
    /// What to write there instead; at first the rule's replacement.
    pub replacement: Option<String>,
}

impl<'m> Match<'m> {
    /// `rule` matches at `span`.
    #[must_use]
    pub fn new(rule: &'m Rule, span: Range<usize>) -> Self {
        Self { rule, span, replacement: rule.replacement.clone() }
    }

    /// Says what to write there instead of what the rule says, such as one with parts of the match in it.
    #[must_use]
    pub fn replacement(mut self, replacement: impl Into<String>) -> Self {
        self.replacement = Some(replacement.into());
        self
    }
}

/// A file to look in.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Source<'s> {
    /// Its path below the root of the scan, with `/` between its parts.
    pub path: &'s str,
    /// All of it. It need not be UTF-8.
    pub bytes: &'s [u8],
    language: Language,
}

impl<'s> Source<'s> {
    /// The file at `path` with this content.
    #[must_use]
    pub fn new(path: &'s str, bytes: &'s [u8]) -> Self {
        Self { path, bytes, language: Language::of(path, bytes) }
    }

    /// Its language.
    #[must_use]
    pub const fn language(&self) -> Language {
        self.language
    }

    /// Whether no identifier goes on over an end of `span`: what is inside at that end and what is outside cannot
    /// stand in one identifier together. In JavaScript, TypeScript and Java `$` belongs to identifiers, too.
    ///
    /// ```
    /// use cutover_assess::Source;
    ///
    /// let source = Source::new("a.py", b"MyLLMChain LLMChain()");
    /// assert!(!source.is_whole(2..10));
    /// assert!(source.is_whole(11..19));
    /// ```
    #[must_use]
    pub fn is_whole(&self, span: Range<usize>) -> bool {
        let dollar = self.language.has_dollar_words();
        let in_word = |c: Option<char>| c.is_some_and(|c| is_xid_continue(c) || (dollar && c == '$'));
        let goes_on = |at: usize| in_word(char_before(self.bytes, at)) && in_word(char_behind(self.bytes, at));
        !goes_on(span.start) && !goes_on(span.end)
    }
}

fn char_before(bytes: &[u8], at: usize) -> Option<char> {
    bstr::decode_last_utf8(bytes.get(..at)?).0
}

fn char_behind(bytes: &[u8], at: usize) -> Option<char> {
    bstr::decode_utf8(bytes.get(at..)?).0
}
