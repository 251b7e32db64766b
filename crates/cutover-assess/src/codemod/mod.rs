//! Edits of many files as one step: planned, shown as a diff, applied, and taken back byte by byte.
//!
//! Nothing is written until [`Plan::apply`]. From there on all files are edited, or none:
//!
//! - The [`Journal`] has the original bytes and the mode of each file, and is on the disk before the first edit. No later run
//!   overwrites it.
//! - Each file is replaced in one step: written beside the old one, made to last, and renamed. It keeps its mode and its owner; it
//!   loses extended attributes and further hard links.
//! - When anything fails, what was edited is backed out. When the process or the machine dies, [`Journal::recover`] does that.
//! - [`Journal::undo`] brings the original bytes and modes back, unless a file was changed since: then it names such files and touches
//!   none.
//! - A check after the edits shall only look. One that edits planned files itself is
//!   [told](CodemodError::EditedByCheck), and nothing of it is lost.
//! - Two processes do not edit below one root at the same time: the second one is refused.
//!
//! An editor that saves a file within the moment between the last look at it and its replacement is not noticed.

mod aliases;
mod diff;
mod edit;
mod error;
#[cfg(test)]
mod failing_disk;
#[cfg(test)]
mod faults;
mod files;
mod folder;
mod format;
mod journal;
mod paths;
mod plan;
mod rename;
mod run;

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

use crate::assessment::Assessment;
use crate::scan::Scan;

pub use aliases::alias_rules;
pub use diff::{Diff, DiffLine, LineKind};
pub use edit::Edit;
pub use error::{CodemodError, PlanError};
pub use folder::FOLDER;
pub use journal::{Journal, JournalState};
pub use plan::{Plan, PlannedFile};

pub(crate) use files::{Content, Disk, Files, Mode};

/// Collects edits of files below one root, and plans them.
///
/// ```
/// use cutover_assess::{Codemod, codemod::Edit};
///
/// let folder = tempfile::tempdir()?;
/// std::fs::write(folder.path().join("app.py"), "chain = LLMChain(llm)\n")?;
///
/// let plan = Codemod::new(folder.path()).edit(Edit::new("app.py", 8, "LLMChain", "Runnable")).plan()?;
/// assert_eq!(
///     plan.diff().to_string(),
///     "--- a/app.py\n+++ b/app.py\n@@ -1 +1 @@\n-chain = LLMChain(llm)\n+chain = Runnable(llm)\n",
/// );
///
/// let journal = plan.apply()?; // only this writes
/// assert_eq!(std::fs::read_to_string(folder.path().join("app.py"))?, "chain = Runnable(llm)\n");
/// journal.undo()?;
/// assert_eq!(std::fs::read_to_string(folder.path().join("app.py"))?, "chain = LLMChain(llm)\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[must_use]
pub struct Codemod<'s> {
    root: PathBuf,
    edits: Vec<Edit>,
    again: Option<Box<Again<'s>>>,
}

/// Finds the first place of edited files that a second run would edit.
type Again<'s> = dyn Fn(&[PlannedFile]) -> Result<Vec<Repeat>, PlanError> + 's;

/// What a second run would edit.
struct Repeat {
    /// With `/` between its parts.
    path: String,
    span: Range<usize>,
    rule: Option<String>,
}

impl<'s> Codemod<'s> {
    /// For files below the folder `root`.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into(), edits: Vec::new(), again: None }
    }

    /// The findings that have a replacement, of an assessment of `root`. `scan` is what made it; it looks at the planned result,
    /// and what it would replace again is [refused](PlanError::NotConvergent).
    ///
    /// Text in comments and strings is edited only where a rule's contexts name them, and nothing that is allowed to stay. In an
    /// [unknown](crate::Language::Unknown) language all text is code.
    ///
    /// # Errors
    /// [`PlanError::NothingScanned`] if the assessment has seen no file, and [`PlanError::TooLong`] for a finding that it shows only a
    /// part of.
    ///
    /// ```
    /// use cutover_assess::{Codemod, Complexity, Rule, RuleSet, Scan};
    ///
    /// # let folder = tempfile::tempdir()?;
    /// # let root = folder.path();
    /// std::fs::write(root.join("app.py"), "chain = LLMChain(llm)  # an LLMChain\n")?;
    /// let rule = Rule::new("llm-chain", "LLMChain", "Legacy LLMChain", Complexity::Low).replacement("Runnable");
    /// let scan = Scan::new(RuleSet::new([rule])?);
    ///
    /// let plan = Codemod::from_assessment(root, &scan.run(root)?, &scan)?.plan()?;
    /// assert_eq!(plan.files()[0].after(), b"chain = Runnable(llm)  # an LLMChain\n");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_assessment(
        root: impl Into<PathBuf>,
        assessment: &Assessment,
        scan: &'s Scan,
    ) -> Result<Self, PlanError> {
        let edits = rename::edits(assessment)?;
        let paths = assessment.findings().iter().filter(|finding| finding.replacement.is_some());
        let paths = paths.map(|finding| finding.path.clone()).collect();
        let again = move |files: &[PlannedFile]| rename::repeats(scan, &paths, files);
        Ok(Self { root: root.into(), edits, again: Some(Box::new(again)) })
    }

    /// Adds an edit.
    pub fn edit(mut self, edit: Edit) -> Self {
        self.edits.push(edit);
        self
    }

    /// Adds edits.
    pub fn edits(mut self, edits: impl IntoIterator<Item = Edit>) -> Self {
        self.edits.extend(edits);
        self
    }

    /// Refuses plans whose result would be edited again by a second run. `search` gets the path of a file, with `/`, and its bytes, and
    /// gives the places that it would edit. Default: not checked.
    pub fn refuse_repeats(mut self, search: impl Fn(&str, &[u8]) -> Vec<Range<usize>> + 's) -> Self {
        self.again = Some(Box::new(move |files| {
            let repeats = files.iter().flat_map(|file| {
                let path = diff::slashed(file.path());
                let found = search(&path, file.after()).into_iter();
                found.map(move |span| Repeat { path: path.clone(), span, rule: None })
            });
            Ok(repeats.collect())
        }));
        self
    }

    /// Checks all edits against the files. Writes nothing.
    ///
    /// # Errors
    /// [`PlanError`] for the first edit that cannot be made, and if nothing would change.
    pub fn plan(self) -> Result<Plan, PlanError> {
        plan::plan(&self.root, self.edits, self.again.as_deref())
    }
}

impl fmt::Debug for Codemod<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Codemod").field("root", &self.root).field("edits", &self.edits.len()).finish_non_exhaustive()
    }
}
