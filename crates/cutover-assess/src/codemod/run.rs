//! Applying, undoing and recovering: all files become new, or all become old.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

use super::error::CodemodError;
use super::files::{Content, Files, Mode};
use super::format::{Entry, Mark};
use super::journal::{JournalState, Scroll};
use super::paths;

/// The two contents that a file may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Version {
    Old,
    New,
}

/// One file between its old and its new content.
#[derive(Debug)]
struct Move {
    /// As people know it: relative to the root.
    name: PathBuf,
    target: PathBuf,
    /// Where the next content is written before it takes the target's name.
    draft: PathBuf,
    mode: Mode,
    old: Vec<u8>,
    new: Vec<u8>,
}

/// All files of a run.
#[derive(Debug)]
pub(super) struct Moves {
    moves: Vec<Move>,
}

/// Edits all files, lets the host check the result, and only then calls it done.
pub(super) fn apply(
    files: &dyn Files,
    scroll: &Scroll,
    entries: &[Entry],
    moves: &Moves,
    check: impl FnOnce() -> Result<(), CodemodError>,
) -> Result<(), CodemodError> {
    moves.expect_all(files, Version::Old)?;
    scroll.write(files, entries)?;
    let applied =
        moves.settle(files, Version::New).and_then(|()| check()).and_then(|()| scroll.mark(files, Mark::Applied));
    applied.map_err(|cause| back_out(files, scroll, moves, Version::Old, cause))
}

/// Takes all edits back.
pub(super) fn undo(files: &dyn Files, scroll: &Scroll, moves: &Moves) -> Result<(), CodemodError> {
    moves.expect_all(files, Version::New)?;
    let undone = scroll
        .mark(files, Mark::Undoing)
        .and_then(|()| moves.settle(files, Version::Old))
        .and_then(|()| scroll.mark(files, Mark::Undone));
    undone.map_err(|cause| back_out(files, scroll, moves, Version::New, cause))
}

/// Ends a run that was interrupted.
pub(super) fn recover(
    files: &dyn Files,
    scroll: &Scroll,
    moves: &Moves,
    state: JournalState,
) -> Result<JournalState, CodemodError> {
    moves.remove_drafts(files)?;
    if state != JournalState::Interrupted {
        return Ok(state);
    }
    moves.settle(files, Version::Old)?;
    scroll.mark(files, Mark::Undone)?;
    Ok(JournalState::Undone)
}

/// Goes back to where a step that failed had begun.
fn back_out(files: &dyn Files, scroll: &Scroll, moves: &Moves, to: Version, cause: CodemodError) -> CodemodError {
    let begun = if to == Version::Old { Mark::Undone } else { Mark::Applied };
    let backed_out = reopen(files, scroll)
        .and_then(|()| moves.remove_drafts(files))
        .and_then(|()| moves.settle(files, to))
        .and_then(|()| scroll.mark(files, begun));
    match backed_out {
        Ok(()) => cause,
        Err(error) => {
            let (cause, backing_out) = (Box::new(cause), Box::new(error));
            CodemodError::Stuck { journal: scroll.path.clone(), cause, backing_out }
        }
    }
}

/// A mark of an end that failed may stand there all the same; no file may move while it does.
fn reopen(files: &dyn Files, scroll: &Scroll) -> Result<(), CodemodError> {
    let (_, state) = scroll.read(files)?;
    if state == JournalState::Interrupted { Ok(()) } else { scroll.mark(files, Mark::Undoing) }
}

impl Moves {
    /// What a journal says of files below `root`.
    pub(super) fn of(root: &Path, scroll: &Scroll, entries: &[Entry]) -> Result<Self, CodemodError> {
        let corrupt = || CodemodError::Corrupt { journal: scroll.path.clone() };
        let one = |(number, entry): (usize, &Entry)| {
            let name = paths::relative(Path::new(&entry.path)).ok_or_else(corrupt)?;
            let target = paths::inside(root, &name).map_err(CodemodError::io(&name))?.ok_or_else(corrupt)?;
            let draft = target.with_file_name(format!(".cutover-{}-{number}", scroll.name()));
            let new = entry.edited().ok_or_else(corrupt)?;
            Ok(Move { name, target, draft, mode: entry.mode, old: entry.original.bytes().to_vec(), new })
        };
        Ok(Self { moves: entries.iter().enumerate().map(one).collect::<Result<_, _>>()? })
    }

    /// Refuses, by name, all files that do not have this content.
    fn expect_all(&self, files: &dyn Files, version: Version) -> Result<(), CodemodError> {
        self.refuse(files, |found| found == Some(version))
    }

    /// By name, all files that do not have their new content, or cannot be read.
    pub(super) fn altered(&self, files: &dyn Files) -> Vec<PathBuf> {
        let altered = self.moves.iter().filter(|one| !matches!(one.version(files), Ok(Some(Version::New))));
        altered.map(|one| one.name.clone()).collect()
    }

    fn refuse(&self, files: &dyn Files, fits: impl Fn(Option<Version>) -> bool) -> Result<(), CodemodError> {
        let mut changed = Vec::new();
        for one in &self.moves {
            if !fits(one.version(files)?) {
                changed.push(one.name.clone());
            }
        }
        if changed.is_empty() { Ok(()) } else { Err(CodemodError::Changed { files: changed }) }
    }

    /// Gives all files one content and makes that last. If one has neither content, none is touched.
    fn settle(&self, files: &dyn Files, to: Version) -> Result<(), CodemodError> {
        self.refuse(files, |found| found.is_some())?;
        for one in &self.moves {
            one.become_version(files, to)?;
        }
        let folders: BTreeSet<_> = self.moves.iter().filter_map(|one| one.target.parent()).collect();
        folders.into_iter().try_for_each(|folder| files.sync_folder(folder).map_err(CodemodError::io(folder)))
    }

    fn remove_drafts(&self, files: &dyn Files) -> Result<(), CodemodError> {
        self.moves.iter().try_for_each(|one| files.remove(&one.draft).map_err(CodemodError::io(&one.draft)))
    }
}

impl Move {
    fn content(&self, version: Version) -> Content {
        let bytes = if version == Version::Old { &self.old } else { &self.new };
        Content { bytes: bytes.clone(), mode: self.mode }
    }

    /// Which of its contents the file has; `None` for another one, another mode, or no file.
    fn version(&self, files: &dyn Files) -> Result<Option<Version>, CodemodError> {
        let found = match files.read(&self.target) {
            Ok(found) => found,
            Err(error) if is_gone(&error) => return Ok(None),
            Err(error) => return Err(CodemodError::io(&self.target)(error)),
        };
        let version = if found.bytes == self.new { Version::New } else { Version::Old };
        Ok((found == self.content(version)).then_some(version))
    }

    fn become_version(&self, files: &dyn Files, to: Version) -> Result<(), CodemodError> {
        if self.version(files)? == Some(to) {
            return Ok(());
        }
        let draft = || {
            files.create(&self.draft, &self.content(to), Some(&self.target))?;
            files.sync(&self.draft)
        };
        draft().map_err(CodemodError::io(&self.draft))?;
        // Looked at again as late as can be: an editor may have saved it meanwhile.
        if self.version(files)?.is_none() {
            return Err(CodemodError::Changed { files: vec![self.name.clone()] });
        }
        files.rename(&self.draft, &self.target).map_err(CodemodError::io(&self.target))
    }
}

fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidInput)
}
