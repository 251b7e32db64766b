//! [`FlagCalls`]: where code asks for flags, as a [`Matcher`].

use std::collections::BTreeSet;
use std::ops::Range;

use cutover::FlagSet;
use memchr::memmem;

use super::literal::{self, Literal};
use crate::context::Context;
use crate::excerpt::excerpt;
use crate::lexer::{Language, Segment, context_at};
use crate::matcher::{Match, Matcher, Source};
use crate::rule::{Complexity, Rule, RuleError, RuleSet};

/// Looks for calls of some functions whose first argument is the key of a flag, and for texts that are names of flags: the
/// [`Matcher`] of the scan that [`FlagReferences`](super::FlagReferences) is made of.
///
/// A key is known if it stands in the call as one literal without escapes and interpolation. Any other key is dynamic.
#[derive(Debug, Clone)]
pub struct FlagCalls {
    rules: RuleSet,
    functions: Vec<String>,
    flags: BTreeSet<String>,
}

/// A call with a key that stands there, which is the replacement of the match.
pub(super) const CALL: &str = "flag-call";
/// A call with a key that is made when the code runs.
pub(super) const DYNAMIC: &str = "flag-dynamic";
/// The name of a flag in another place, which is the replacement of the match.
pub(super) const MENTION: &str = "flag-mention";

impl FlagCalls {
    /// For flags of this set, and for functions or methods of these names, such as `is_enabled`.
    ///
    /// # Errors
    /// [`FlagCallsError`] without a function, and for what is no name of one.
    pub fn new<S: Into<String>>(
        flags: &FlagSet,
        functions: impl IntoIterator<Item = S>,
    ) -> Result<Self, FlagCallsError> {
        let functions: Vec<String> = functions.into_iter().map(Into::into).collect();
        if functions.is_empty() {
            return Err(FlagCallsError::NoFunction);
        }
        let is_name = |function: &&String| !function.is_empty() && function.bytes().all(is_word);
        if let Some(refused) = functions.iter().find(|function| !is_name(function)) {
            return Err(FlagCallsError::InvalidFunction { function: excerpt(refused) });
        }
        let rule = |id, name, context| Rule::new(id, id, name, Complexity::Low).contexts([context]);
        let rules = RuleSet::new([
            rule(CALL, "flag", Context::Code),
            rule(DYNAMIC, "flag with a dynamic key", Context::Code),
            rule(MENTION, "name of a flag", Context::String),
        ])?;
        Ok(Self { rules, functions, flags: flags.names().into_iter().collect() })
    }

    fn matched(&self, id: &str, span: Range<usize>, key: Option<&str>) -> Option<Match<'_>> {
        let found = Match::new(self.rules.get(id)?, span);
        Some(match key {
            Some(key) => found.replacement(key),
            None => found,
        })
    }

    /// A call, and how far it is known what its key is.
    fn call(&self, bytes: &[u8], call: Range<usize>) -> Option<(Match<'_>, usize)> {
        let argument = skip_space(bytes, call.end + 1);
        match literal::at(bytes, argument) {
            Some(Literal { text, end }) if ends_argument(bytes, end) => {
                Some((self.matched(CALL, call, Some(&text))?, end))
            }
            _ => Some((self.matched(DYNAMIC, call, None)?, argument)),
        }
    }

    /// The texts that are names of flags, but for those at `keys`.
    fn mentions(&self, bytes: &[u8], segments: &[Segment], keys: &BTreeSet<usize>) -> Vec<Match<'_>> {
        let texts = segments.iter().filter(|segment| segment.context == Context::String);
        let others = texts.filter(|segment| !keys.contains(&segment.range.end));
        others.filter_map(|segment| self.mention(bytes, &segment.range)).collect()
    }

    fn mention(&self, bytes: &[u8], range: &Range<usize>) -> Option<Match<'_>> {
        let Literal { text, end } = literal::at(bytes, range.start)?;
        let is_flag = end == range.end && self.flags.contains(&text);
        if is_flag { self.matched(MENTION, range.clone(), Some(&text)) } else { None }
    }
}

impl Matcher for FlagCalls {
    fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn find<'m>(&'m self, source: &Source<'_>) -> Vec<Match<'m>> {
        let bytes = source.bytes;
        let segments = Language::of(source.path, bytes).segments(bytes);
        let in_code = |call: &Range<usize>| context_at(&segments, call.start) == Context::Code;
        let calls = self.functions.iter().flat_map(|function| calls_of(bytes, function)).filter(in_code);
        let (mut found, keys): (Vec<_>, BTreeSet<_>) = calls.filter_map(|call| self.call(bytes, call)).unzip();
        found.extend(self.mentions(bytes, &segments, &keys));
        found
    }
}

/// From the name of the function to before its opening parenthesis, for each call and not for its definition.
fn calls_of<'b>(bytes: &'b [u8], function: &'b str) -> impl Iterator<Item = Range<usize>> + 'b {
    let calls = memmem::find_iter(bytes, function.as_bytes()).filter_map(move |start| {
        let parenthesis = skip_space(bytes, start + function.len());
        (bytes.get(parenthesis) == Some(&b'(')).then_some(start..parenthesis)
    });
    calls.filter(|call| {
        let before = bytes.get(..call.start).unwrap_or_default();
        !before.last().is_some_and(|byte| is_word(*byte)) && !defines(before)
    })
}

/// Whether what follows is a definition of a function.
fn defines(before: &[u8]) -> bool {
    let before = before.trim_ascii_end();
    let start = before.iter().rposition(|byte| !is_word(*byte)).map_or(0, |at| at + 1);
    matches!(before.get(start..), Some(b"fn" | b"def" | b"func" | b"function"))
}

/// Bytes beyond ASCII belong to letters, or to nothing that code has before a name.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn ends_argument(bytes: &[u8], end: usize) -> bool {
    matches!(bytes.get(skip_space(bytes, end)), Some(b',' | b')'))
}

fn skip_space(bytes: &[u8], from: usize) -> usize {
    let rest = bytes.get(from..).unwrap_or_default();
    from + rest.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Functions that cannot be looked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagCallsError {
    /// There is no function.
    #[error("no function is named; name those that are called with the key of a flag, such as is_enabled")]
    NoFunction,
    /// It cannot be the name of a function.
    #[error("`{function}` is no name of a function; allowed: letters, digits and `_`, such as is_enabled")]
    InvalidFunction {
        /// The name, cut after 40 characters.
        function: String,
    },
    /// The rules of the scan are not sound.
    #[error("the rules for flags are not sound")]
    Rules(#[from] RuleError),
}
