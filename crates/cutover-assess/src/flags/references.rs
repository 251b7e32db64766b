//! [`FlagReferences`]: the flags of a set, and where code asks for them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cutover::{FlagSet, Percentage};
use serde::Serialize;

use super::calls::{CALL, DYNAMIC, MENTION};
use crate::assessment::Assessment;
use crate::finding::Finding;
use crate::skipped::Skipped;

/// Which flags of a set the code asks for, which it does not, and which no longer decide anything.
///
/// A flag whose name only stands in a text, such as a constant, counts as referenced. While there are dynamic calls or files that were
/// not looked at, a flag without references may have some all the same; its text says so.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct FlagReferences {
    /// Each flag that is referenced, and where.
    pub referenced: BTreeMap<String, Vec<FlagPlace>>,
    /// Flags that no configuration has, and where code asks for them.
    pub unknown: BTreeMap<String, Vec<FlagPlace>>,
    /// Calls whose key is made when the code runs, and places that hand the function on. They may ask for any flag.
    pub dynamic: Vec<FlagPlace>,
    /// Flags that nothing refers to.
    pub unreferenced: Vec<String>,
    /// Flags at 0 % or 100 % that are referenced: their code can lose a branch.
    pub settled: Vec<SettledFlag>,
    /// What was not looked at and may hold references.
    pub unseen: Vec<Skipped>,
}

impl FlagReferences {
    /// What a scan by [`FlagCalls`](super::FlagCalls) of the same set has found.
    ///
    /// # Errors
    /// [`FlagScanError`] if the scan did not look for flags, or saw no file.
    pub fn of(flags: &FlagSet, assessment: &Assessment) -> Result<Self, FlagScanError> {
        if ![CALL, DYNAMIC, MENTION].iter().all(|id| assessment.rules().iter().any(|rule| rule.id == *id)) {
            return Err(FlagScanError::NotForFlags);
        }
        if assessment.scanned().files == 0 {
            return Err(FlagScanError::NothingScanned);
        }
        let names: BTreeSet<String> = flags.names().into_iter().collect();
        let found = || assessment.findings().iter().chain(assessment.allowed());
        let (referenced, unknown): (BTreeMap<_, _>, _) =
            by_flag(found()).into_iter().partition(|(key, _)| names.contains(key));
        let dynamic = found().filter(|finding| finding.rule == DYNAMIC).map(FlagPlace::of).collect();
        let unseen = assessment.skipped().iter().filter(|skipped| skipped.reason.hides_findings()).cloned().collect();
        let unreferenced = names.into_iter().filter(|name| !referenced.contains_key(name)).collect();
        let settled = settled(flags, &referenced);
        Ok(Self { referenced, unknown, dynamic, unreferenced, settled, unseen })
    }

    /// Whether there is nothing to do and nothing that was not seen: all keys are known, all flags are referenced, and each of them
    /// still decides something.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        let Self { referenced: _, unknown, dynamic, unreferenced, settled, unseen } = self;
        let listed = dynamic.is_empty() && unreferenced.is_empty() && settled.is_empty() && unseen.is_empty();
        listed && unknown.is_empty()
    }

    /// Whether a flag that seems to be unreferenced may be referenced all the same.
    pub(super) fn is_uncertain(&self) -> bool {
        !self.dynamic.is_empty() || !self.unseen.is_empty()
    }
}

/// A place in the sources.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FlagPlace {
    /// The file, below the root of the scan.
    pub path: String,
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
}

impl FlagPlace {
    fn of(finding: &Finding) -> Self {
        Self { path: finding.path.clone(), line: finding.line, column: finding.column }
    }
}

impl fmt::Display for FlagPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.path, self.line, self.column)
    }
}

/// A flag that says the same to nearly everybody.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SettledFlag {
    /// Its name.
    pub flag: String,
    /// 0 % or 100 %. Listed keys, and flags that it requires, may still make a difference.
    pub rollout: Percentage,
    /// Where it is referenced.
    pub places: Vec<FlagPlace>,
}

/// A scan from which nothing can be said of flags.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlagScanError {
    /// The rules of the scan are not those of [`FlagCalls`](super::FlagCalls).
    #[error("the assessment did not look for flags; scan with FlagCalls")]
    NotForFlags,
    /// Not a single file was scanned.
    #[error("no file was scanned, so nothing is known; check the root of the scan, and what it leaves out")]
    NothingScanned,
}

fn by_flag<'a>(findings: impl Iterator<Item = &'a Finding>) -> BTreeMap<String, Vec<FlagPlace>> {
    let mut places = BTreeMap::<String, Vec<FlagPlace>>::new();
    for finding in findings.filter(|finding| finding.rule != DYNAMIC) {
        if let Some(key) = &finding.replacement {
            places.entry(key.clone()).or_default().push(FlagPlace::of(finding));
        }
    }
    for places in places.values_mut() {
        places.sort_unstable();
    }
    places
}

fn settled(flags: &FlagSet, referenced: &BTreeMap<String, Vec<FlagPlace>>) -> Vec<SettledFlag> {
    let settled = referenced.iter().filter_map(|(name, places)| {
        let flag = flags.get(name)?;
        let rollout = if flag.is_off_for_all() { Percentage::ZERO } else { flag.share() };
        let is_settled = [Percentage::ZERO, Percentage::HUNDRED].contains(&rollout);
        is_settled.then(|| SettledFlag { flag: name.clone(), rollout, places: places.clone() })
    });
    settled.collect()
}
