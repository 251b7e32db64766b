//! [`Literals`]: looks for the patterns of rules as they are written.

use std::fmt;

use aho_corasick::{AhoCorasick, MatchKind};

use crate::matcher::{Match, Matcher, Source};
use crate::rule::{RuleError, RuleSet};

/// Looks for the patterns of rules as they are written, where they are [whole](Source::is_whole).
///
/// Letter case counts, white space counts, and no Unicode normalisation is done.
pub struct Literals {
    rules: RuleSet,
    patterns: AhoCorasick,
    /// Finds only the first place, but much faster: most files have none.
    first: AhoCorasick,
}

impl Literals {
    /// For the patterns of `rules`.
    ///
    /// # Errors
    /// [`RuleError::TooManyRules`] if the patterns are too much for one automaton.
    pub fn new(rules: RuleSet) -> Result<Self, RuleError> {
        let patterns = build(&rules, MatchKind::Standard)?;
        let first = build(&rules, MatchKind::LeftmostFirst)?;
        Ok(Self { rules, patterns, first })
    }
}

fn build(rules: &RuleSet, kind: MatchKind) -> Result<AhoCorasick, RuleError> {
    let patterns = rules.rules().iter().map(|rule| &rule.pattern);
    let built = AhoCorasick::builder().match_kind(kind).build(patterns);
    built.map_err(|error| RuleError::TooManyRules { problem: error.to_string() })
}

impl Matcher for Literals {
    fn rules(&self) -> &RuleSet {
        &self.rules
    }

    fn find<'m>(&'m self, source: &Source<'_>) -> Vec<Match<'m>> {
        if !self.first.is_match(source.bytes) {
            return Vec::new();
        }
        let everywhere = self.patterns.find_overlapping_iter(source.bytes);
        let whole = everywhere.filter(|found| source.is_whole(found.range()));
        whole
            .filter_map(|found| Some(Match::new(self.rules.rules().get(found.pattern().as_usize())?, found.range())))
            .collect()
    }
}

impl fmt::Debug for Literals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Literals").field("rules", &self.rules).finish_non_exhaustive()
    }
}
