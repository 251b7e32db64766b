//! [`RatchetReport`]: how an assessment differs from a baseline.

use std::collections::{BTreeMap, BTreeSet};

use super::baseline::{Baseline, Known};
use super::error::RatchetError;
use crate::assessment::Assessment;
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;
use crate::warning::Warning;

/// How an assessment differs from a baseline.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RatchetReport {
    /// How many findings are known and still there, edited ones included.
    pub known: usize,
    /// What the baseline does not know, by path and position.
    pub new: Vec<Finding>,
    /// What the baseline knows and is not there any more, by path.
    pub gone: Vec<Known>,
    /// What is there on an edited line: the file has no more findings of the rule than before.
    pub edited: Vec<(Known, Finding)>,
}

impl RatchetReport {
    pub(super) fn judged(self) -> Result<Self, RatchetError> {
        if !self.new.is_empty() {
            return Err(RatchetError::Grown { new: self.new, gone: self.gone.len() });
        }
        if !self.gone.is_empty() {
            return Err(RatchetError::Shrunk { gone: self.gone });
        }
        Ok(self)
    }
}

pub(super) fn compared(baseline: Baseline, assessment: &Assessment) -> Result<(Baseline, RatchetReport), RatchetError> {
    let found: BTreeSet<_> = assessment.findings().iter().map(|finding| finding.fingerprint).collect();
    let gone: Vec<_> = baseline.findings.iter().filter(|known| !found.contains(&known.fingerprint)).collect();
    check_seen(&baseline, &gone, assessment)?;
    let report = pair(&baseline, gone, assessment.findings());
    check_gaps(&report, assessment)?;
    Ok((baseline, report))
}

/// What is new is new, whatever else was not seen. Everything else can be said only by who has looked everywhere.
fn check_gaps(report: &RatchetReport, assessment: &Assessment) -> Result<(), RatchetError> {
    let only_new = !report.new.is_empty() && report.gone.is_empty();
    if only_new || !assessment.has_gaps() {
        return Ok(());
    }
    let skipped = assessment.skipped().iter().filter(|skipped| skipped.reason.hides_findings());
    let skipped = skipped.map(|skipped| format!("{}: {}", skipped.path, skipped.reason));
    let unmet = assessment.warnings().iter().filter(|warning| warning.is_gap()).map(ToString::to_string);
    Err(RatchetError::Unproven { gaps: skipped.chain(unmet).collect() })
}

/// That something is gone can be said only by who has looked for it.
fn check_seen(baseline: &Baseline, gone: &[&Known], assessment: &Assessment) -> Result<(), RatchetError> {
    if assessment.scanned().files == 0 {
        return Err(RatchetError::NothingScanned);
    }
    if let Some(known) = baseline.findings.iter().find(|known| !is_looked_for(&known.rule, assessment)) {
        let count = baseline.findings.iter().filter(|other| other.rule == known.rule).count();
        return Err(RatchetError::RuleNotLookedFor { rule: known.rule.clone(), count });
    }
    let skipped = |known: &&Known| assessment.skipped().iter().find(|skipped| holds(&skipped.path, &known.path));
    match gone.iter().find_map(skipped) {
        Some(skipped) => Err(RatchetError::Unseen { skipped: skipped.clone() }),
        None => Ok(()),
    }
}

fn is_looked_for(rule: &str, assessment: &Assessment) -> bool {
    let without_files = Warning::RuleWithoutFiles { rule: rule.to_owned() };
    assessment.rules().iter().any(|other| other.id == rule) && !assessment.warnings().contains(&without_files)
}

/// Whether a file or folder is the file at `path`, or holds it. The root has the empty path.
fn holds(skipped: &str, path: &str) -> bool {
    let rest = path.strip_prefix(skipped);
    skipped.is_empty() || rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Tells what was edited from what came and went.
fn pair(baseline: &Baseline, gone: Vec<&Known>, findings: &[Finding]) -> RatchetReport {
    let known: BTreeSet<Fingerprint> = baseline.findings.iter().map(|known| known.fingerprint).collect();
    let mut lost = BTreeMap::<_, Vec<_>>::new();
    for known in gone {
        lost.entry((&known.path, &known.rule)).or_default().push(known);
    }
    let (mut new, mut edited) = (Vec::new(), Vec::new());
    for finding in findings.iter().filter(|finding| !known.contains(&finding.fingerprint)) {
        match lost.get_mut(&(&finding.path, &finding.rule)).and_then(Vec::pop) {
            Some(known) => edited.push((known.clone(), finding.clone())),
            None => new.push(finding.clone()),
        }
    }
    let gone: Vec<Known> = lost.into_values().flatten().cloned().collect();
    RatchetReport { known: findings.len() - new.len(), new, gone, edited }
}
