//! [`Journal`]: what a run wrote down before its first edit, and how to take it back.

use std::path::{Path, PathBuf};

use super::FOLDER;
use super::error::CodemodError;
use super::files::{Content, Disk, Files, Mode};
use super::folder::Folder;
use super::format::{self, Entry, Mark};
use super::run::{self, Moves};

/// The format of journals that is written.
pub(super) const FORMAT: u32 = 1;

/// The journal of one run: the originals of all edited files, the edits, and how far the run came.
///
/// It is written, and made to last, before the first edit, under a name of its own in the folder
/// [`FOLDER`] of the root. Nothing ever overwrites or removes it; remove the folder when you no longer want to undo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Journal {
    path: PathBuf,
    state: JournalState,
    files: Vec<PathBuf>,
}

/// How far a run came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JournalState {
    /// It is under way, or it was interrupted: files may be half old, half new. [`Journal::recover`] backs it out.
    Interrupted,
    /// All edits are made.
    Applied,
    /// All edits are taken back.
    Undone,
}

impl Journal {
    /// Reads a journal, such as `.cutover/0001.journal`.
    ///
    /// # Errors
    /// [`CodemodError`] if it cannot be read, is not what was written, or has an unknown format.
    pub fn open(path: impl AsRef<Path>) -> Result<Self, CodemodError> {
        let path = path.as_ref();
        let path = std::path::absolute(path).map_err(CodemodError::io(path))?;
        let (entries, state) = Scroll::at(&path).read(&Disk)?;
        Ok(Self { path, state, files: entries.into_iter().map(|entry| entry.path.into()).collect() })
    }

    /// All journals of the root, oldest first; none if nothing was ever applied.
    ///
    /// # Errors
    /// As [`open`](Self::open), for any of them.
    pub fn all(root: impl AsRef<Path>) -> Result<Vec<Self>, CodemodError> {
        super::folder::journals(root.as_ref())?.into_iter().map(Self::open).collect()
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How far the run had come when this was read.
    #[must_use]
    pub const fn state(&self) -> JournalState {
        self.state
    }

    /// The files that it edited, relative to the root, sorted.
    #[must_use]
    pub fn files(&self) -> &[PathBuf] {
        &self.files
    }

    /// Puts the originals back, bytes and mode. If any file was changed since, no file is touched.
    ///
    /// # Errors
    /// [`CodemodError`]: [`Changed`](CodemodError::Changed) names all files that were edited since; of two runs over one file, undo the
    /// later first. [`Interrupted`](CodemodError::Interrupted) if the run has to be [recovered](Self::recover) instead.
    pub fn undo(&self) -> Result<(), CodemodError> {
        let (_folder, root) = self.lock()?;
        let scroll = Scroll::at(&self.path);
        let (entries, state) = scroll.read(&Disk)?;
        let journal = || self.path.clone();
        match state {
            JournalState::Interrupted => Err(CodemodError::Interrupted { journal: journal() }),
            JournalState::Undone => Err(CodemodError::AlreadyUndone { journal: journal() }),
            JournalState::Applied => run::undo(&Disk, &scroll, &Moves::of(&root, &scroll, &entries)?),
        }
    }

    /// Brings a run that was interrupted, by a crash or a loss of power, to an end: what was not applied whole, or half undone, is
    /// backed out. A run that had ended stays as it is. Says which of the two holds now.
    ///
    /// # Errors
    /// [`CodemodError`]: [`Changed`](CodemodError::Changed) names the files that are neither as before nor as after the edits; then
    /// no file was touched. After any other error, recover again.
    pub fn recover(&self) -> Result<JournalState, CodemodError> {
        let (_folder, root) = self.lock()?;
        let scroll = Scroll::at(&self.path);
        let (entries, state) = scroll.read(&Disk)?;
        run::recover(&Disk, &scroll, &Moves::of(&root, &scroll, &entries)?, state)
    }

    /// The root is the folder around the folder of the journals, wherever it was moved to.
    fn lock(&self) -> Result<(Folder, PathBuf), CodemodError> {
        let misplaced = || CodemodError::Misplaced { journal: self.path.clone() };
        let folder = self.path.parent().filter(|folder| folder.ends_with(FOLDER));
        let root = folder.and_then(Path::parent).ok_or_else(misplaced)?;
        let root = root.canonicalize().map_err(CodemodError::io(root))?;
        Ok((Folder::lock(&root)?, root))
    }
}

/// The file of a journal.
#[derive(Debug)]
pub(super) struct Scroll {
    pub(super) path: PathBuf,
}

impl Scroll {
    pub(super) fn at(path: &Path) -> Self {
        Self { path: path.to_owned() }
    }

    /// The name of the run.
    pub(super) fn name(&self) -> String {
        self.path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
    }

    fn folder(&self) -> &Path {
        self.path.parent().unwrap_or(&self.path)
    }

    /// Writes the journal so that it has its name only when it is whole.
    pub(super) fn write(&self, files: &dyn Files, entries: &[Entry]) -> Result<(), CodemodError> {
        let draft = self.path.with_extension("draft");
        let write = || {
            let content = Content { bytes: format::written(entries)?.into_bytes(), mode: Mode::PRIVATE };
            files.remove(&draft)?;
            files.create(&draft, &content, None)?;
            files.sync(&draft)?;
            files.rename(&draft, &self.path)?;
            files.sync_folder(self.folder())
        };
        write().map_err(|source| {
            // Nothing is edited yet. What cannot be removed is recovered: it says that nothing was.
            drop(files.remove(&draft));
            drop(files.remove(&self.path));
            CodemodError::Io { path: self.path.clone(), source }
        })
    }

    pub(super) fn read(&self, files: &dyn Files) -> Result<(Vec<Entry>, JournalState), CodemodError> {
        let content = files.read(&self.path).map_err(CodemodError::io(&self.path))?;
        format::read(&self.path, &content.bytes)
    }

    pub(super) fn mark(&self, files: &dyn Files, mark: Mark) -> Result<(), CodemodError> {
        let marked = files.append(&self.path, mark.line().as_bytes()).and_then(|()| files.sync(&self.path));
        marked.map_err(CodemodError::io(&self.path))
    }
}
