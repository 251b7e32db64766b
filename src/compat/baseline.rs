//! [`DeprecationBaseline`]: how many callers there may be, as a file that only shrinks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::report::{Caller, DeprecationReport};
use super::unique::unique;

/// How many call sites of what is old each file may have. It is meant to be committed, and to shrink.
///
/// Files count and lines do not: who adds a line above a call has not added a call. A call that is moved to another file
/// is one more there, and wants a new baseline.
///
/// ```
/// use cutover::compat::{DeprecationBaseline, DeprecationReport};
///
/// let report: DeprecationReport = serde_json::from_str(
///     r#"{ "deprecated": { "price": { "new": "quote", "callers": [
///         { "file": "src/basket.rs", "line": 14, "column": 9, "uses": 17 },
///         { "file": "src/basket.rs", "line": 20, "column": 9, "uses": 1 }
///     ] } } }"#,
/// )?;
/// // a test reads the committed file: include_str!("deprecations.json")
/// let committed: DeprecationBaseline = serde_json::from_str(r#"{ "price": { "src/basket.rs": 1 } }"#)?;
///
/// assert_eq!(
///     report.check_callers(&committed).unwrap_err().to_string(),
///     "more call sites use what is deprecated than the baseline allows:
///   `price` in src/basket.rs: 2 call sites, allowed is 1; use `quote` (src/basket.rs:14:9, src/basket.rs:20:9)
/// if they are meant to be there, commit the baseline of this report, which `baseline()` makes",
/// );
/// assert!(report.check_callers(&report.baseline()).is_ok());
/// assert_eq!(serde_json::to_string(&report.baseline())?, r#"{"price":{"src/basket.rs":2}}"#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DeprecationBaseline {
    #[serde(deserialize_with = "unique")]
    allowed: BTreeMap<String, Files>,
}

/// The number of call sites in each file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
struct Files {
    #[serde(deserialize_with = "unique")]
    sites: BTreeMap<String, u64>,
}

impl DeprecationBaseline {
    /// How many call sites of `old` the file may have.
    #[must_use]
    pub fn allowed(&self, old: &str, file: &str) -> u64 {
        self.allowed.get(old).and_then(|files| files.sites.get(file)).copied().unwrap_or(0)
    }

    /// How many call sites are allowed in all.
    #[must_use]
    pub fn call_sites(&self) -> u64 {
        self.allowed.values().flat_map(|files| files.sites.values()).fold(0, |sum, sites| sum.saturating_add(*sites))
    }

    /// This baseline without what `report` does not need any more. It allows nothing that was not allowed before.
    ///
    /// A report knows the callers that ran: shrink to one that has seen all of them.
    #[must_use]
    pub fn shrunk_to(&self, report: &DeprecationReport) -> Self {
        let mut shrunk = report.baseline();
        for (old, files) in &mut shrunk.allowed {
            for (file, found) in &mut files.sites {
                *found = self.allowed(old, file).min(*found);
            }
            files.sites.retain(|_, left| *left > 0);
        }
        shrunk.allowed.retain(|_, files| !files.sites.is_empty());
        shrunk
    }
}

impl DeprecationReport {
    /// The callers of this report, as a baseline to commit.
    #[must_use]
    pub fn baseline(&self) -> DeprecationBaseline {
        let mut baseline = DeprecationBaseline::default();
        for (old, caller) in self.callers() {
            let files = baseline.allowed.entry(old.to_owned()).or_default();
            *files.sites.entry(caller.file.clone()).or_default() += 1;
        }
        baseline
    }

    fn callers(&self) -> impl Iterator<Item = (&str, &Caller)> {
        self.deprecated.iter().flat_map(|(old, entry)| entry.callers.iter().map(move |caller| (old.as_str(), caller)))
    }

    /// The files with more call sites than the baseline allows.
    pub(super) fn growth(&self, allowed: &DeprecationBaseline) -> Vec<Growth> {
        let found = self.baseline().allowed;
        let each =
            found.iter().flat_map(|(old, files)| files.sites.iter().map(move |(file, &found)| (old, file, found)));
        let grown = each.filter(|&(old, file, found)| found > allowed.allowed(old, file));
        let growth = |(old, file, found): (&String, &String, u64)| Growth {
            old: old.clone(),
            new: self.deprecated.get(old).and_then(|entry| entry.new.clone()),
            file: file.clone(),
            allowed: allowed.allowed(old, file),
            found,
            callers: self
                .callers()
                .filter(|(of, at)| of == old && at.file == *file)
                .map(|(_, at)| at.clone())
                .collect(),
        };
        grown.map(growth).collect()
    }
}

/// A file with more call sites than it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Growth {
    /// What is old.
    pub old: String,
    /// What to use instead, if there is something.
    pub new: Option<String>,
    /// The file, or the place that a host has named.
    pub file: String,
    /// How many call sites it may have.
    pub allowed: u64,
    /// How many it has.
    pub found: u64,
    /// All of them; which of them is new is not known.
    pub callers: Vec<Caller>,
}
