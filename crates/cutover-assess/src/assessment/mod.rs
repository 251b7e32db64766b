//! [`Assessment`]: what a scan found, and how much it has seen.

mod document;
mod totals;

pub use document::InvalidAssessment;
pub use totals::{FileTotal, RuleTotal, Tally, Totals};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::effort::EffortWeights;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::skipped::Skipped;
use crate::warning::Warning;
use document::Document;

/// What a scan found, and how much it has seen.
///
/// Through serde it is the JSON report, which README.md describes. The same tree and the same rules give the same bytes of it, on
/// any number of threads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Document", try_from = "Document")]
pub struct Assessment {
    pub(crate) rules: Vec<Rule>,
    pub(crate) scanned: Scanned,
    pub(crate) findings: Vec<Finding>,
    pub(crate) allowed: Vec<Finding>,
    pub(crate) elsewhere: Vec<Elsewhere>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) effort: EffortWeights,
}

impl Assessment {
    /// What it comes to.
    #[must_use]
    pub fn status(&self) -> Status {
        match self {
            Self { findings, .. } if !findings.is_empty() => Status::Findings,
            Self { scanned: Scanned { files: 0, .. }, .. } => Status::NothingScanned,
            _ if self.has_gaps() => Status::Incomplete,
            _ => Status::Clear,
        }
    }

    /// Whether something could be there that nobody has seen: a file [hides findings](crate::SkipReason::hides_findings), or a
    /// rule or one of its globs found no file to look in.
    #[must_use]
    pub fn has_gaps(&self) -> bool {
        self.skipped.iter().any(|skipped| skipped.reason.hides_findings()) || self.warnings.iter().any(Warning::is_gap)
    }

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

    /// How often rules match in contexts that they leave out, by rule and context. These places are no findings.
    #[must_use]
    pub fn elsewhere(&self) -> &[Elsewhere] {
        &self.elsewhere
    }

    /// What was not looked at, by path. Files and folders that ignore files name are not listed.
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

/// What an assessment comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Status {
    /// Nothing is left to migrate, and all of it was looked at.
    Clear,
    /// Something is left to migrate.
    Findings,
    /// Nothing was found, but [not all of it was looked at](Assessment::has_gaps).
    Incomplete,
    /// No file was looked at.
    NothingScanned,
}

/// How much was looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Scanned {
    /// The number of files that a rule looks in and that could be read.
    pub files: u64,
    /// Their size in bytes.
    pub bytes: u64,
}

/// How often a rule matches in a context that it leaves out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Elsewhere {
    /// The rule's id.
    pub rule: String,
    /// The context.
    pub context: Context,
    /// The number of places.
    pub places: u64,
}
