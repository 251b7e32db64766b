//! [`Matcher`]: how places are looked for in one file.

use std::ops::Range;

use crate::rule::{Rule, RuleSet};

/// How places are looked for in one file. The host may bring its own, on a regular-expression engine or a parser.
///
/// What a matcher gives is only where its rules match. Globs, contexts and `migrate:allow(..)` comments are
/// applied to it afterwards, and of matches that overlap only the longest is kept.
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
}

impl<'s> Source<'s> {
    /// The file at `path` with this content.
    #[must_use]
    pub const fn new(path: &'s str, bytes: &'s [u8]) -> Self {
        Self { path, bytes }
    }
}
