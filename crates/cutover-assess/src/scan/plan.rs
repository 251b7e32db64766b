//! The rules of all matchers, and which of their globs have met a file.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::matcher::Matcher;
use crate::rule::{Rule, RuleError};
use crate::warning::Warning;

/// The rules of all matchers, numbered in their order, and which of their globs have met a file.
pub(super) struct Plan<'m> {
    pub(super) matchers: Vec<&'m dyn Matcher>,
    pub(super) rules: Vec<&'m Rule>,
    numbers: HashMap<&'m str, usize>,
    seen: Vec<Seen>,
}

/// Of one rule: whether it looked in a file, and for each of its globs whether it matched one.
struct Seen {
    file: AtomicBool,
    globs: Vec<AtomicBool>,
}

impl<'m> Plan<'m> {
    pub(super) fn new(matchers: Vec<&'m dyn Matcher>) -> Result<Self, RuleError> {
        let rules: Vec<&Rule> = matchers.iter().flat_map(|matcher| matcher.rules().rules()).collect();
        let mut numbers = HashMap::new();
        for (number, rule) in rules.iter().enumerate() {
            if numbers.insert(rule.id.as_str(), number).is_some() {
                return Err(RuleError::DuplicateId { id: rule.id.clone() });
            }
        }
        let seen = rules.iter().map(|rule| Seen::of(rule)).collect();
        Ok(Self { matchers, rules, numbers, seen })
    }

    /// The number of the rule with this id.
    pub(super) fn number(&self, id: &str) -> Option<usize> {
        self.numbers.get(id).copied()
    }

    /// Which rules look in the file at `path`.
    pub(super) fn interest(&self, path: &str) -> Interest {
        let (mut rules, mut globs) = (Vec::with_capacity(self.rules.len()), Vec::new());
        for matcher in &self.matchers {
            let first = rules.len();
            rules.extend(matcher.rules().applies_to(path, |rule, glob| globs.push((first + rule, glob))));
        }
        Interest { rules, globs }
    }

    /// A file was looked in.
    pub(super) fn saw(&self, interest: &Interest) {
        for (_, seen) in interest.rules.iter().zip(&self.seen).filter(|(looked, _)| **looked) {
            seen.file.store(true, Ordering::Relaxed);
        }
        for &(rule, glob) in &interest.globs {
            if let Some(seen) = self.seen.get(rule).and_then(|seen| seen.globs.get(glob)) {
                seen.store(true, Ordering::Relaxed);
            }
        }
    }

    /// What met no file.
    pub(super) fn unmet(&self) -> Vec<Warning> {
        self.rules.iter().zip(&self.seen).flat_map(|(rule, seen)| seen.unmet(rule)).collect()
    }

    /// How often each rule is among `rules`, by its id.
    pub(super) fn counts<K: Ord>(&self, rules: impl Iterator<Item = (usize, K)>) -> BTreeMap<(&'m str, K), u64> {
        let mut counts = BTreeMap::new();
        for (number, key) in rules {
            if let Some(rule) = self.rules.get(number) {
                *counts.entry((rule.id.as_str(), key)).or_default() += 1;
            }
        }
        counts
    }
}

impl Seen {
    fn of(rule: &Rule) -> Self {
        Self { file: AtomicBool::new(false), globs: rule.files.iter().map(|_| AtomicBool::new(false)).collect() }
    }

    fn unmet(&self, rule: &Rule) -> Vec<Warning> {
        let id = || rule.id.clone();
        if !self.file.load(Ordering::Relaxed) {
            return vec![Warning::RuleWithoutFiles { rule: id() }];
        }
        let globs = rule.files.iter().zip(&self.globs).filter(|(_, seen)| !seen.load(Ordering::Relaxed));
        globs.map(|(glob, _)| Warning::GlobWithoutFiles { rule: id(), glob: glob.clone() }).collect()
    }
}

/// Which rules look in one file.
pub(super) struct Interest {
    /// For each rule, by its number.
    pub(super) rules: Vec<bool>,
    /// The globs that match: the rule's number, and the glob's position in it.
    globs: Vec<(usize, usize)>,
}

impl Interest {
    pub(super) fn is_none(&self) -> bool {
        !self.rules.contains(&true)
    }

    pub(super) fn has(&self, rule: usize) -> bool {
        self.rules.get(rule).copied().unwrap_or_default()
    }
}
