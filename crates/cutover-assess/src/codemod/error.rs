//! What can go wrong: [`PlanError`] before anything is touched, [`CodemodError`] afterwards.

use std::error::Error;
use std::io;
use std::ops::Range;
use std::path::{Path, PathBuf};

use crate::skipped::SkipReason;

/// Edits that cannot be made. Nothing has been touched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// A file or folder could not be read.
    #[error("{}: it cannot be read", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// It names no file below the root.
    #[error("{}: not a path of a file below the root; allowed: relative, in UTF-8, without `..`, not in `{}`", path.display(), super::FOLDER)]
    Path {
        /// The path.
        path: PathBuf,
    },
    /// A link leads out of the root.
    #[error("{}: a link that leads out of the root, to {}", path.display(), target.display())]
    OutsideRoot {
        /// The path.
        path: PathBuf,
        /// Where it leads to.
        target: PathBuf,
    },
    /// It is a folder, a device, or something else that is no file.
    #[error("{}: not a regular file", path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Nobody may write to it.
    #[error("{}: the file is read-only; make it writable, or leave it out", path.display())]
    ReadOnly {
        /// The path.
        path: PathBuf,
    },
    /// The edit reaches beyond the file.
    #[error("{}: an edit of the bytes {} to {}; allowed: 0 to {length}", path.display(), span.start, span.end)]
    OutOfBounds {
        /// The file.
        path: PathBuf,
        /// The bytes of the edit.
        span: Range<usize>,
        /// The length of the file, in bytes.
        length: usize,
    },
    /// The edit begins or ends within a character.
    #[error("{}: an edit that begins or ends within a character, at byte {offset}", path.display())]
    InsideChar {
        /// The file.
        path: PathBuf,
        /// The byte.
        offset: usize,
    },
    /// Something else stands where the edit expects its text.
    #[error("{}:{line}: the edit expects another text here; search again, the file may have changed", path.display())]
    Unexpected {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The replacement is what stands there.
    #[error("{}:{line}: the replacement is what stands there already", path.display())]
    Unchanged {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// Two edits want the same bytes, or insert at the same place.
    #[error("{}:{line}: two edits of the same text; leave one of them out", path.display())]
    Overlap {
        /// The file.
        path: PathBuf,
        /// The line of the second one, from 1.
        line: usize,
    },
    /// There are no edits, or together they change nothing.
    #[error("nothing to edit")]
    Nothing,
    /// The assessment has seen no file, so nothing is known.
    #[error("the assessment has seen no file; check the root of the scan, and what it leaves out")]
    NothingScanned,
    /// The assessment shows only a part of what it found, so it cannot be checked that it still stands there.
    #[error("{path}:{line}: what was found is too long to be edited; edit it by hand", path = path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The planned result could not be searched again.
    #[error("the planned result cannot be searched for what the next run would edit")]
    Search {
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A planned file would be skipped by the next scan.
    #[error("{}: the next scan would skip it: {reason}", path.display())]
    Unsearched {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: SkipReason,
    },
    /// A second run would edit the replacement again.
    #[error("{}:{line}: {} would be found in what replaces it, so that the next run edits it again", path.display(), named(rule.as_deref()))]
    NotConvergent {
        /// The file.
        path: PathBuf,
        /// The line of the edit, from 1.
        line: usize,
        /// The rule that would be found again, if a rule is known.
        rule: Option<String>,
    },
}

fn named(rule: Option<&str>) -> String {
    rule.map_or_else(|| "what is searched for".to_owned(), |rule| format!("the rule `{rule}`"))
}

/// A plan that was not applied, or a journal that was not undone.
///
/// All files are as they were before the call, unless it is [`Stuck`](Self::Stuck) or
/// [`EditedByCheck`](Self::EditedByCheck).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CodemodError {
    /// A file or folder could not be read or written.
    #[error("{}: it cannot be read or written", path.display())]
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// Another process edits files below this root.
    #[error("{}: another process is editing; wait for it to end", folder.display())]
    Busy {
        /// The folder of the journals.
        folder: PathBuf,
    },
    /// An earlier run was interrupted, and its files may be half old, half new.
    #[error("{}: this run was interrupted; recover it first, with `Journal::recover` or `cutover-assess undo`", journal.display())]
    Interrupted {
        /// Its journal.
        journal: PathBuf,
    },
    /// Files are not as they were when the edits were planned or made: the contents or the mode.
    #[error("changed since: {}; plan again, or put them back", listed(files))]
    Changed {
        /// All of these files, relative to the root.
        files: Vec<PathBuf>,
    },
    /// The journal is not what was written.
    #[error(
        "{}: it is not what was written, so it is not followed; look at the files that it may name, then move it out of the \
         folder `{}`",
        journal.display(),
        super::FOLDER
    )]
    Corrupt {
        /// The journal.
        journal: PathBuf,
    },
    /// The journal was moved away from its root, which is where its folder is.
    #[error("{}: a journal is followed only in the folder `{}` of its root; put it back", journal.display(), super::FOLDER)]
    Misplaced {
        /// The journal.
        journal: PathBuf,
    },
    /// A newer version wrote the journal.
    #[error("{}: it has format {format}; known up to {}", journal.display(), super::journal::FORMAT)]
    UnknownFormat {
        /// The journal.
        journal: PathBuf,
        /// Its format.
        format: u32,
    },
    /// The journal is undone already.
    #[error("{}: it is undone already", journal.display())]
    AlreadyUndone {
        /// The journal.
        journal: PathBuf,
    },
    /// What the host checked after the edits failed, so they were backed out.
    #[error("the check after the edits failed, so they were backed out")]
    Refused {
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What the host checked after the edits succeeded, but edited planned files itself. All edits stay, those of the check as well;
    /// the journal is applied, and [undo](super::Journal::undo) refuses while these files are not as they were planned.
    #[error(
        "the check after the edits succeeded, but it changed {}. All edits stay; {} can be undone only with these files as they \
         were planned. Let a check only look",
        listed(files),
        journal.display()
    )]
    EditedByCheck {
        /// The journal, which is applied.
        journal: PathBuf,
        /// All of these files, relative to the root.
        files: Vec<PathBuf>,
    },
    /// What the host checked after the edits panicked, so they were backed out.
    #[error("the check after the edits panicked, so they were backed out")]
    Panicked,
    /// It failed, and so did backing it out: files may be half old, half new. The journal has all originals.
    #[error(
        "{cause}; backing out failed as well: {backing_out}. Files may be half old, half new: remove the cause, then recover {}",
        journal.display()
    )]
    Stuck {
        /// The journal to recover.
        journal: PathBuf,
        /// What failed first.
        cause: Box<Self>,
        /// Why it could not be backed out.
        #[source]
        backing_out: Box<Self>,
    },
}

impl CodemodError {
    pub(super) fn io(path: &Path) -> impl FnOnce(io::Error) -> Self + '_ {
        move |source| Self::Io { path: path.to_owned(), source }
    }
}

/// The most files that a message names.
const NAMED: usize = 10;

fn listed(files: &[PathBuf]) -> String {
    let names: Vec<_> = files.iter().take(NAMED).map(|file| file.display().to_string()).collect();
    let rest = files.len().saturating_sub(NAMED);
    if rest == 0 { names.join(", ") } else { format!("{} and {rest} more", names.join(", ")) }
}
