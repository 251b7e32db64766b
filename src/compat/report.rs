//! [`DeprecationReport`]: who still uses what is old, as a plain value.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::deprecation::{DeclareError, Deprecation, Fact};
use super::{Release, file};

/// Who still uses what is old: a plain value that can be shown, stored, sent, merged and compared.
///
/// What was [declared](super::Deprecations::declare) and never used is there too, without callers.
///
/// ```
/// use cutover::Deprecations;
/// use cutover::compat::{Deprecation, DeprecationReport};
///
/// static OLD: Deprecations = Deprecations::of(&[Deprecation::new("price").instead("quote"), Deprecation::new("fax")]);
/// OLD.used_in(&Deprecation::new("price"), "the nightly job");
///
/// let report = OLD.report();
/// assert_eq!((report.call_sites(), report.uses()), (1, 1));
/// assert_eq!(
///     report.to_string(),
///     "2 deprecated, 1 caller left
/// `fax`, nothing replaces it: no use was seen
/// `price`, use `quote`: 1 use
///   the nightly job: 1 use",
/// );
/// let text = serde_json::to_string(&report)?;
/// assert_eq!(serde_json::from_str::<DeprecationReport>(&text)?, report);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct DeprecationReport {
    /// The old things, by their names.
    pub deprecated: BTreeMap<String, Deprecated>,
    /// Uses at call sites beyond the capacity. Unless it is 0, callers are missing here.
    #[serde(default)]
    pub uncounted: u64,
    /// What was declared and cannot be so.
    #[serde(default)]
    pub problems: Vec<DeclareError>,
}

impl DeprecationReport {
    /// How many callers are left. A place that uses two old things counts twice.
    #[must_use]
    pub fn call_sites(&self) -> usize {
        self.deprecated.values().map(|entry| entry.callers.len()).sum()
    }

    /// How often old things were used, also beyond the capacity.
    #[must_use]
    pub fn uses(&self) -> u64 {
        self.deprecated.values().map(Deprecated::uses).fold(self.uncounted, u64::saturating_add)
    }

    /// The names of which no use was seen. They can go, if what this report has seen is all that there is.
    pub fn unused(&self) -> impl Iterator<Item = &str> {
        self.deprecated.iter().filter(|(_, entry)| entry.callers.is_empty()).map(|(old, _)| old.as_str())
    }

    /// This report with the files below the folder `root` named from there, so that it is the same on every machine.
    ///
    /// The compiler names the files of a workspace from its root already. Those of other folders it names in full.
    ///
    /// ```
    /// # use cutover::compat::DeprecationReport;
    /// let report: DeprecationReport = serde_json::from_str(
    ///     r#"{ "deprecated": { "price": { "callers": [{ "file": "/home/ana/shop/src/main.rs", "line": 3, "uses": 1 }] } } }"#,
    /// )?;
    /// let report = report.relative_to("/home/ana/shop");
    /// assert_eq!(report.deprecated["price"].callers[0].file, "src/main.rs");
    /// # Ok::<(), serde_json::Error>(())
    /// ```
    #[must_use]
    pub fn relative_to(mut self, root: &str) -> Self {
        for entry in self.deprecated.values_mut() {
            let mut callers = std::mem::take(&mut entry.callers);
            for caller in &mut callers {
                if let Some(inside) = file::below(root, &caller.file) {
                    caller.file = inside;
                }
            }
            entry.add(callers);
        }
        self
    }

    /// Both reports in one, as of several processes or test programs. Callers in one place are one, and their uses add
    /// up. Where facts differ, those of this report hold, and a [problem](Self::problems) says so.
    #[must_use]
    pub fn merge(mut self, other: Self) -> Self {
        let Self { deprecated, uncounted, problems } = other;
        self.uncounted = self.uncounted.saturating_add(uncounted);
        for problem in problems {
            self.note(problem);
        }
        for (old, entry) in deprecated {
            self.learn_or_note(&entry.facts(&old));
            self.deprecated.entry(old).or_default().add(entry.callers);
        }
        self
    }

    /// Adds what is said to what is known of this old thing, or nothing.
    pub(super) fn learn(&mut self, said: &Deprecation<'_>) -> Result<(), DeclareError> {
        if said.old.is_empty() {
            return Err(DeclareError::NoName);
        }
        let unknown = Deprecated::default();
        let facts = self.deprecated.get(said.old).unwrap_or(&unknown).agreed(said)?;
        let entry = self.deprecated.entry(said.old.to_owned()).or_default();
        *entry = Deprecated { callers: std::mem::take(&mut entry.callers), ..facts };
        Ok(())
    }

    pub(super) fn learn_or_note(&mut self, said: &Deprecation<'_>) {
        if let Err(problem) = self.learn(said) {
            self.note(problem);
        }
    }

    /// Keeps a problem, once.
    fn note(&mut self, problem: DeclareError) {
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }
}

/// One old thing: what is known of it, and who uses it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Deprecated {
    /// What to use instead, if there is something.
    #[serde(default)]
    pub new: Option<String>,
    /// The first release in which it is deprecated.
    #[serde(default)]
    pub since: Option<Release>,
    /// The last release that has it.
    #[serde(default)]
    pub remove_after: Option<Release>,
    /// Who uses it, in the order of their places.
    pub callers: Vec<Caller>,
}

impl Deprecated {
    /// How often it was used.
    #[must_use]
    pub fn uses(&self) -> u64 {
        self.callers.iter().fold(0, |sum, caller| sum.saturating_add(caller.uses))
    }

    /// What is known of it, under its name.
    #[must_use]
    pub fn facts<'a>(&'a self, old: &'a str) -> Deprecation<'a> {
        Deprecation { old, new: self.new.as_deref(), since: self.since, remove_after: self.remove_after }
    }

    /// Adds callers; those in one place become one.
    pub(super) fn add(&mut self, callers: impl IntoIterator<Item = Caller>) {
        self.callers.extend(callers);
        self.callers.sort_by(|a, b| a.place().cmp(&b.place()));
        self.callers.dedup_by(|later, kept| {
            let same = later.place() == kept.place();
            kept.uses = kept.uses.saturating_add(if same { later.uses } else { 0 });
            same
        });
    }

    /// What is known and what is said, as one, without callers.
    fn agreed(&self, said: &Deprecation<'_>) -> Result<Self, DeclareError> {
        let new = agreed(said.old, Fact::Instead, self.new.as_deref(), said.new)?.map(ToOwned::to_owned);
        let since = agreed(said.old, Fact::Since, self.since, said.since)?;
        let remove_after = agreed(said.old, Fact::RemoveAfter, self.remove_after, said.remove_after)?;
        match (since, remove_after) {
            (Some(since), Some(remove_after)) if since.is_after(remove_after) => {
                Err(DeclareError::GoneBefore { old: said.old.to_owned(), since, remove_after })
            }
            _ => Ok(Self { new, since, remove_after, callers: Vec::new() }),
        }
    }
}

/// A fact that is not said agrees with every other.
fn agreed<T: PartialEq + fmt::Display>(
    old: &str,
    fact: Fact,
    known: Option<T>,
    said: Option<T>,
) -> Result<Option<T>, DeclareError> {
    match (known, said) {
        (Some(first), Some(second)) if first != second => {
            let (first, second) = (first.to_string(), second.to_string());
            Err(DeclareError::Differs { old: old.to_owned(), fact, first, second })
        }
        (known, said) => Ok(known.or(said)),
    }
}

/// A place that uses something old.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Caller {
    /// The file, with `/` between folders, or the place that a host has named.
    pub file: String,
    /// The line, from 1, of a call in code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// The column, from 1, of a call in code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<u32>,
    /// How often it used it.
    pub uses: u64,
}

impl Caller {
    fn place(&self) -> (&str, Option<u32>, Option<u32>) {
        (&self.file, self.line, self.column)
    }
}

/// The place, such as `src/main.rs:14:9`.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        [self.line, self.column].into_iter().flatten().try_for_each(|number| write!(f, ":{number}"))
    }
}
