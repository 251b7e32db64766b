//! [`Totals`]: places and effort, by complexity, rule and file.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Assessment;
use crate::effort::EffortWeights;
use crate::finding::Finding;
use crate::rule::Complexity;

/// Places and effort, by complexity, rule and file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Totals {
    /// Of all findings.
    pub all: Tally,
    /// Of those of low complexity.
    pub low: Tally,
    /// Of those of medium complexity.
    pub medium: Tally,
    /// Of those of high complexity.
    pub high: Tally,
    /// Of each rule, in the order of the rules; also of those that found nothing.
    pub rules: Vec<RuleTotal>,
    /// Of each file with findings, by path.
    pub files: Vec<FileTotal>,
}

/// The findings of one rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct RuleTotal {
    /// The rule's id.
    pub rule: String,
    /// Its findings.
    pub total: Tally,
}

/// The findings in one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct FileTotal {
    /// The file, below the root.
    pub path: String,
    /// The findings in it.
    pub total: Tally,
}

/// How many places there are, and what they cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Tally {
    /// The number of places.
    pub places: u64,
    /// What they cost, in the [unit](EffortWeights::unit) of the assessment's weights.
    pub effort: u64,
}

impl Tally {
    fn of<'f>(findings: impl IntoIterator<Item = &'f Finding>, weights: &EffortWeights) -> Self {
        let cost = |finding: &Finding| u64::from(weights.of(finding.complexity));
        findings
            .into_iter()
            .fold(Self::default(), |sum, finding| Self { places: sum.places + 1, effort: sum.effort + cost(finding) })
    }
}

impl Assessment {
    /// The findings, added up.
    #[must_use]
    pub fn totals(&self) -> Totals {
        let [low, medium, high] = Complexity::ALL.map(|complexity| {
            Tally::of(self.findings.iter().filter(|finding| finding.complexity == complexity), &self.effort)
        });
        let all = Tally::of(&self.findings, &self.effort);
        Totals { all, low, medium, high, rules: self.by_rule(), files: self.by_file() }
    }

    fn by_rule(&self) -> Vec<RuleTotal> {
        let mut found = self.grouped(|finding| &finding.rule);
        let ids = self.rules.iter().map(|rule| &rule.id);
        ids.map(|id| RuleTotal { rule: id.clone(), total: found.remove(id.as_str()).unwrap_or_default() }).collect()
    }

    fn by_file(&self) -> Vec<FileTotal> {
        let found = self.grouped(|finding| &finding.path);
        found.into_iter().map(|(path, total)| FileTotal { path: path.into(), total }).collect()
    }

    fn grouped(&self, key: impl Fn(&Finding) -> &str) -> BTreeMap<&str, Tally> {
        let mut groups: BTreeMap<&str, Vec<&Finding>> = BTreeMap::new();
        for finding in &self.findings {
            groups.entry(key(finding)).or_default().push(finding);
        }
        groups.into_iter().map(|(key, findings)| (key, Tally::of(findings, &self.effort))).collect()
    }
}
