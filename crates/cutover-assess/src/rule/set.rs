//! [`RuleSet`]: rules that have been checked.

use std::collections::BTreeSet;

use globset::{Glob, GlobBuilder, GlobSet};
use serde::{Deserialize, Serialize};

use super::error::RuleError;
use super::one::Rule;
use crate::excerpt::excerpt;

/// Rules that have been checked: each has a pattern, and an id of its own.
///
/// In a file it is an object with the member `rules`, a list of [`Rule`]s.
///
/// ```
/// use cutover_assess::RuleSet;
///
/// let rules: RuleSet = serde_json::from_str(
///     r#"{"rules": [{"id": "llm-chain", "pattern": "LLMChain", "name": "Legacy LLMChain", "complexity": "low"}]}"#,
/// )?;
/// assert!(rules.get("llm-chain").is_some());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(into = "Written", try_from = "Written")]
pub struct RuleSet {
    rules: Vec<Rule>,
    /// The globs of all rules, in the order of rules and of globs.
    globs: GlobSet,
}

impl RuleSet {
    /// Checks `rules` and takes them, in this order.
    ///
    /// # Errors
    /// See [`RuleError`]; the first rule at fault is named.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Result<Self, RuleError> {
        let rules: Vec<Rule> = rules.into_iter().collect();
        check(&rules)?;
        let globs = compile(&rules)?;
        Ok(Self { rules, globs })
    }

    /// The rules, in their order.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// The rule of this id.
    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id == id)
    }

    /// For each rule whether it looks in the file at `path`. `matched` is told each glob that matches: the
    /// position of its rule, and its own in the rule.
    pub(crate) fn applies_to(&self, path: &str, mut matched: impl FnMut(usize, usize)) -> Vec<bool> {
        let all = self.globs.matches(path);
        let mut before = 0;
        let rules = self.rules.iter().enumerate();
        rules
            .map(|(rule, Rule { files, .. })| {
                let own = before..before + files.len();
                let here = all.iter().filter(|&glob| own.contains(glob));
                let count = here.map(|glob| matched(rule, glob - own.start)).count();
                before = own.end;
                files.is_empty() || count > 0
            })
            .collect()
    }
}

fn check(rules: &[Rule]) -> Result<(), RuleError> {
    if rules.is_empty() {
        return Err(RuleError::NoRules);
    }
    let mut ids = BTreeSet::new();
    rules.iter().try_for_each(|rule| {
        check_one(rule)?;
        let fresh = ids.insert(&rule.id);
        fresh.then_some(()).ok_or_else(|| RuleError::DuplicateId { id: rule.id.clone() })
    })
}

fn check_one(rule: &Rule) -> Result<(), RuleError> {
    let id = || rule.id.clone();
    match rule {
        Rule { id, .. } if !is_id(id) => Err(RuleError::InvalidId { id: excerpt(id) }),
        Rule { pattern, .. } if pattern.trim().is_empty() => Err(RuleError::EmptyPattern { rule: id() }),
        Rule { pattern, .. } if pattern.chars().any(breaks_a_line) => Err(RuleError::ControlCharacter { rule: id() }),
        Rule { name, .. } if name.trim().is_empty() => Err(RuleError::EmptyName { rule: id() }),
        Rule { contexts, .. } if contexts.is_empty() => Err(RuleError::NoContexts { rule: id() }),
        Rule { .. } => Ok(()),
    }
}

fn is_id(id: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._-".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(known)
}

/// A tab may stand within a line.
fn breaks_a_line(c: char) -> bool {
    c.is_control() && c != '\t'
}

fn compile(rules: &[Rule]) -> Result<GlobSet, RuleError> {
    let mut set = GlobSet::builder();
    for rule in rules {
        for glob in &rule.files {
            set.add(compile_one(glob).map_err(|problem| invalid(rule, glob, problem))?);
        }
    }
    set.build().map_err(|error| RuleError::TooManyRules { problem: error.to_string() })
}

fn compile_one(glob: &str) -> Result<Glob, String> {
    if glob.trim().is_empty() {
        return Err("it is empty".into());
    }
    let anywhere = if glob.contains('/') { "" } else { "**/" };
    let whole = format!("{anywhere}{}", glob.trim_start_matches('/'));
    GlobBuilder::new(&whole).literal_separator(true).build().map_err(|error| error.kind().to_string())
}

fn invalid(rule: &Rule, glob: &str, problem: String) -> RuleError {
    RuleError::InvalidGlob { rule: rule.id.clone(), glob: excerpt(glob), problem }
}

/// Rules as they stand in a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    rules: Vec<Rule>,
}

impl TryFrom<Written> for RuleSet {
    type Error = RuleError;

    fn try_from(written: Written) -> Result<Self, RuleError> {
        Self::new(written.rules)
    }
}

impl From<RuleSet> for Written {
    fn from(set: RuleSet) -> Self {
        Self { rules: set.rules }
    }
}
