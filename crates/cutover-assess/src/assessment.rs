//! [`Assessment`]: what a scan found, and how much it has seen.

use serde::{Deserialize, Serialize};

use crate::effort::EffortWeights;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::skipped::Skipped;
use crate::warning::Warning;

/// What a scan found, and how much it has seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assessment {
    pub(crate) rules: Vec<Rule>,
    pub(crate) scanned: Scanned,
    pub(crate) findings: Vec<Finding>,
    pub(crate) allowed: Vec<Finding>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) effort: EffortWeights,
}

impl Assessment {
    /// The rules that were looked for.
    #[must_use]
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// How much was looked at.
    #[must_use]
    pub const fn scanned(&self) -> Scanned {
        self.scanned
    }

    /// What has to be migrated, by path, position and rule.
    #[must_use]
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// What `migrate:allow(..)` comments allow to stay, in the same order. It is in no total.
    #[must_use]
    pub fn allowed(&self) -> &[Finding] {
        &self.allowed
    }

    /// What was not looked at, by path.
    #[must_use]
    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    /// What makes it weaker than it looks.
    #[must_use]
    pub fn warnings(&self) -> &[Warning] {
        &self.warnings
    }

    /// What places of each complexity cost.
    #[must_use]
    pub const fn effort(&self) -> &EffortWeights {
        &self.effort
    }
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scanned {
    /// The number of files.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}
