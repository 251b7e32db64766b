//! [`FlagCalls`]: where code asks for flags, as a [`Matcher`].

use std::collections::BTreeSet;
use std::ops::Range;

use cutover::FlagSet;

use super::definition;
use super::literal::{self, Literal};
use super::places::{self, Place, is_word, skip_space};
use crate::context::Context;
use crate::excerpt::excerpt;
use crate::lexer::{Language, Segment, context_at};
use crate::matcher::{Match, Matcher, Source};
use crate::rule::{Complexity, Rule, RuleError, RuleSet};

/// Looks for calls of some functions whose first argument is the key of a flag, and for texts that are names of flags: the
/// [`Matcher`] of the scan that [`FlagReferences`](super::FlagReferences) is made of.
///
/// A key is known if it stands in the call as one literal without escapes and interpolation, also behind type arguments. Any other
/// key is dynamic, and so is any other place in code that has the function's name as a whole word, such as one that hands it on. Only
/// imports that keep its name are passed over, and what can only be its definition; the best is to
/// [leave out](crate::Scan::leave_out) the file that defines it. Calls through a text, as in reflection, are not seen.
#[derive(Debug, Clone)]
pub struct FlagCalls {
    rules: RuleSet,
    functions: Vec<String>,
    flags: BTreeSet<String>,
}

/// A call with a key that stands there, which is the replacement of the match.
pub(super) const CALL: &str = "flag-call";
/// A call with a key that is made when the code runs, or a function that is handed on.
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

    /// A place, and how far it is known what its key is.
    fn place(&self, language: Language, bytes: &[u8], place: Place) -> Option<(Match<'_>, usize)> {
        let Place { span, argument: Some(argument) } = place else {
            let known = place.span.end;
            return Some((self.matched(DYNAMIC, place.span, None)?, known));
        };
        match literal::at(bytes, argument) {
            Some(Literal { text, end }) if ends_argument(bytes, end) => {
                Some((self.matched(CALL, span, Some(&text))?, end))
            }
            None if definition::has_shape(language, bytes, &span, argument) => None,
            _ => Some((self.matched(DYNAMIC, span, None)?, argument)),
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
        let language = Language::of(source.path, bytes);
        let segments = language.segments(bytes);
        let in_code = |place: &Place| context_at(&segments, place.span.start) == Context::Code;
        let places = self.functions.iter().flat_map(|function| places::of(language, bytes, function)).filter(in_code);
        let (mut found, keys): (Vec<_>, BTreeSet<_>) =
            places.filter_map(|place| self.place(language, bytes, place)).unzip();
        found.extend(self.mentions(bytes, &segments, &keys));
        found
    }
}

fn ends_argument(bytes: &[u8], end: usize) -> bool {
    matches!(bytes.get(skip_space(bytes, end)), Some(b',' | b')'))
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
