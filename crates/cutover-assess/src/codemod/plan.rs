//! [`Plan`]: edits that were checked against the files, and what they make of them.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::fs;
use std::io;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::diff::{Diff, slashed};
use super::edit::{Edit, Splice, edited, line_of, places, splices};
use super::error::{CodemodError, PlanError};
use super::files::{Content, Disk, Files, Mode};
use super::folder::Folder;
use super::format::Entry;
use super::journal::{Journal, Scroll};
use super::run::{self, Moves};
use super::{Again, Repeat, paths};

/// Edits that were checked against the files, and what they make of them. Nothing is written before [`apply`](Self::apply).
///
/// It holds the old and the new content of each file that changes, and at least one file.
pub struct Plan {
    root: PathBuf,
    files: Vec<PlannedFile>,
}

impl Plan {
    /// The root, links resolved.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The files that change, by path.
    #[must_use]
    pub fn files(&self) -> &[PlannedFile] {
        &self.files
    }

    /// The number of edits in all files.
    #[must_use]
    pub fn edits(&self) -> usize {
        self.files.iter().map(PlannedFile::edits).sum()
    }

    /// What would change.
    #[must_use]
    pub fn diff(&self) -> Diff {
        let mut diff = Diff::default();
        for file in &self.files {
            diff.add(&slashed(&file.path), &file.before.bytes, &file.after);
        }
        diff
    }

    /// Edits the files: all of them, or none. The journal is on the disk before the first edit; each file is replaced in one step,
    /// with its mode and its owner.
    ///
    /// # Errors
    /// [`CodemodError`]. [`Changed`](CodemodError::Changed) names the files that are not any more what the plan was made of.
    pub fn apply(&self) -> Result<Journal, CodemodError> {
        self.run(|| Ok(()))?.journal()
    }

    /// Edits the files and lets `check` look at the result, such as by compiling it. All edits are backed out if it fails or
    /// panics. Where panics abort the process, [recover](Journal::recover) the journal afterwards.
    ///
    /// The check shall only look. If it succeeds but has edited planned files, as a formatter does, to back out would lose its edits,
    /// so that all edits stay and it is an error that names these files and the journal, which has the originals.
    ///
    /// # Errors
    /// As [`apply`](Self::apply), [`CodemodError::Refused`] or [`CodemodError::Panicked`] when the check did so, and
    /// [`CodemodError::EditedByCheck`].
    pub fn apply_checked<E: Into<Box<dyn Error + Send + Sync>>>(
        &self,
        check: impl FnOnce() -> Result<(), E>,
    ) -> Result<Journal, CodemodError> {
        let run = self.run(|| match catch_unwind(AssertUnwindSafe(check)) {
            Ok(checked) => checked.map_err(|error| CodemodError::Refused { source: error.into() }),
            Err(payload) => {
                // A payload may panic when it is dropped.
                std::mem::forget(payload);
                Err(CodemodError::Panicked)
            }
        })?;
        run.expect_unaltered()?;
        run.journal()
    }

    fn run(&self, check: impl FnOnce() -> Result<(), CodemodError>) -> Result<Run, CodemodError> {
        let folder = Folder::lock(&self.root)?;
        let scroll = Scroll::at(&folder.next(&self.root)?);
        let entries: Vec<_> = self.files.iter().map(PlannedFile::entry).collect();
        let moves = Moves::of(&self.root, &scroll, &entries)?;
        run::apply(&Disk, &scroll, &entries, &moves, check)?;
        Ok(Run { scroll, moves, _folder: folder })
    }
}

/// A run that is done. No other one starts while it lives.
struct Run {
    scroll: Scroll,
    moves: Moves,
    _folder: Folder,
}

impl Run {
    /// Refuses, by name, files that a check has edited.
    fn expect_unaltered(&self) -> Result<(), CodemodError> {
        let (journal, files) = (self.scroll.path.clone(), self.moves.altered(&Disk));
        if files.is_empty() { Ok(()) } else { Err(CodemodError::EditedByCheck { journal, files }) }
    }

    fn journal(self) -> Result<Journal, CodemodError> {
        Journal::open(self.scroll.path)
    }
}

/// Without the contents of files.
impl fmt::Debug for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plan").field("root", &self.root).field("files", &self.files).finish()
    }
}

/// One file that a [`Plan`] changes.
pub struct PlannedFile {
    path: PathBuf,
    before: Content,
    after: Vec<u8>,
    splices: Vec<Splice>,
    hard_links: u64,
}

impl PlannedFile {
    /// Where it is, relative to the root. Where an edit named a link: the file that the link leads to.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The number of edits.
    #[must_use]
    pub const fn edits(&self) -> usize {
        self.splices.len()
    }

    /// How many further names the file has. They keep the old content, since the file is replaced and not written over.
    #[must_use]
    pub const fn hard_links(&self) -> u64 {
        self.hard_links
    }

    /// What the file shall hold.
    #[must_use]
    pub fn after(&self) -> &[u8] {
        &self.after
    }

    fn read(root: &Path, path: PathBuf, edits: Vec<Edit>) -> Result<Self, PlanError> {
        let target = root.join(&path);
        let io = |source| PlanError::Io { path: path.clone(), source };
        let metadata = fs::metadata(&target).map_err(io)?;
        if !metadata.is_file() {
            return Err(PlanError::NotAFile { path });
        }
        if Mode::of(&metadata).is_read_only() {
            return Err(PlanError::ReadOnly { path });
        }
        let before = Disk.read(&target).map_err(io)?;
        let splices = splices(&before.bytes, edits)?;
        let after = edited(&before.bytes, &splices).unwrap_or_else(|| before.bytes.clone());
        Ok(Self { path, before, after, splices, hard_links: further_names(&metadata) })
    }

    fn changes(&self) -> bool {
        self.after != self.before.bytes
    }

    /// Refuses edits that a second run would make again.
    fn check_convergence(&self, repeats: &[Repeat]) -> Result<(), PlanError> {
        let path = slashed(&self.path);
        let own: Vec<_> = repeats.iter().filter(|repeat| repeat.path == path).collect();
        for (splice, place) in self.splices.iter().zip(places(&self.splices)) {
            if let Some(repeat) = own.iter().find(|repeat| meet(&repeat.span, &place)) {
                let line = line_of(&self.before.bytes, splice.start);
                return Err(PlanError::NotConvergent { path: self.path.clone(), line, rule: repeat.rule.clone() });
            }
        }
        Ok(())
    }

    fn entry(&self) -> Entry {
        let path = slashed(&self.path);
        Entry::new(path, self.before.mode, &self.before.bytes, &self.after, self.splices.clone())
    }
}

impl fmt::Debug for PlannedFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("PlannedFile");
        shown.field("path", &self.path).field("edits", &self.edits()).field("hard_links", &self.hard_links);
        shown.finish_non_exhaustive()
    }
}

/// Whether two ranges have a byte in common, or one is empty and within the other.
fn meet(one: &Range<usize>, other: &Range<usize>) -> bool {
    one.start < other.end && other.start < one.end
}

/// The plan for these edits below `root`.
pub(super) fn plan(root: &Path, edits: Vec<Edit>, again: Option<&Again<'_>>) -> Result<Plan, PlanError> {
    let io = |source| PlanError::Io { path: root.to_owned(), source };
    let root = root.canonicalize().map_err(io)?;
    if !root.is_dir() {
        return Err(io(io::ErrorKind::NotADirectory.into()));
    }
    let files = by_file(&root, edits)?.into_iter().map(|(path, edits)| PlannedFile::read(&root, path, edits));
    let mut files = files.collect::<Result<Vec<_>, _>>()?;
    files.retain(PlannedFile::changes);
    if files.is_empty() {
        return Err(PlanError::Nothing);
    }
    let repeats = again.map_or(Ok(Vec::new()), |again| again(&files))?;
    files.iter().try_for_each(|file| file.check_convergence(&repeats))?;
    Ok(Plan { root, files })
}

/// The edits by the file that they mean: a link and its target are one file.
fn by_file(root: &Path, edits: Vec<Edit>) -> Result<BTreeMap<PathBuf, Vec<Edit>>, PlanError> {
    let mut targets = BTreeMap::new();
    let mut files = BTreeMap::<_, Vec<_>>::new();
    for edit in edits {
        let target = match targets.get(&edit.path) {
            Some(target) => PathBuf::clone(target),
            None => paths::resolve(root, &edit.path)?,
        };
        targets.insert(edit.path.clone(), target.clone());
        files.entry(target.clone()).or_default().push(Edit { path: target, ..edit });
    }
    Ok(files)
}

#[cfg(unix)]
fn further_names(metadata: &fs::Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::nlink(metadata).saturating_sub(1)
}

/// Not told there.
#[cfg(not(unix))]
fn further_names(_metadata: &fs::Metadata) -> u64 {
    0
}
