//! Walks the tree and looks in its files, on several threads.

use std::ffi::OsStr;
use std::fs::FileType;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicU64, Ordering};

use ignore::{DirEntry, WalkBuilder, WalkState};

use super::Scan;
use super::plan::Plan;
use super::read::read;
use super::search::{Searched, search};
use crate::lexer::Language;
use crate::matcher::Source;
use crate::skipped::SkipReason;

/// What became of one file or folder: its path below the root, and what was found in it or why not.
pub(super) struct Outcome {
    pub(super) path: String,
    pub(super) result: Result<Searched, SkipReason>,
}

/// What became of each file, in any order.
pub(super) fn walk(scan: &Scan, plan: &Plan<'_>, root: &Path) -> Vec<Outcome> {
    let walk = Walk { scan, plan, root, count: AtomicU64::new(0), outcomes: Mutex::default() };
    walker(scan, root).run(|| {
        let mut buffer = Vec::new();
        let walk = &walk;
        Box::new(move |entry| {
            walk.visit(entry, &mut buffer);
            WalkState::Continue
        })
    });
    walk.outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

fn walker(scan: &Scan, root: &Path) -> ignore::WalkParallel {
    let in_repository = is_in_repository(root);
    WalkBuilder::new(root)
        .threads(scan.threads)
        .hidden(!scan.hidden)
        .parents(in_repository)
        // Without it, what is above the top of a repository would count, too.
        .require_git(in_repository)
        .git_global(false)
        .git_exclude(false)
        .filter_entry(|entry| entry.depth() == 0 || entry.file_name() != OsStr::new(".git"))
        .build_parallel()
}

/// Whether the root or a folder above it is the top of a Git repository.
fn is_in_repository(root: &Path) -> bool {
    let whole = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    whole.ancestors().any(|folder| folder.join(".git").exists())
}

struct Walk<'w> {
    scan: &'w Scan,
    plan: &'w Plan<'w>,
    root: &'w Path,
    count: AtomicU64,
    outcomes: Mutex<Vec<Outcome>>,
}

impl Walk<'_> {
    fn visit(&self, entry: Result<DirEntry, ignore::Error>, buffer: &mut Vec<u8>) {
        let outcome = match entry {
            Ok(entry) => self.look_at(&entry, buffer),
            Err(error) => Some(self.unreadable(&error)),
        };
        if let Some(outcome) = outcome {
            self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
            (self.scan.on_file)(self.count.fetch_add(1, Ordering::Relaxed) + 1);
        }
    }

    /// Nothing becomes of folders, and of files that no rule looks in.
    fn look_at(&self, entry: &DirEntry, buffer: &mut Vec<u8>) -> Option<Outcome> {
        let kind = entry.file_type();
        if kind.is_some_and(|kind| kind.is_dir()) {
            return None;
        }
        let Some(path) = self.below_root(entry.path()) else {
            return Some(Outcome { path: self.lossy(entry.path()), result: Err(SkipReason::PathNotUnicode) });
        };
        let interest = self.plan.interest(&path);
        if interest.is_none() {
            return None;
        }
        let result = self.open(entry, kind, buffer).and_then(|bytes| {
            search(self.plan, &interest, &Source::new(&path, bytes)).inspect(|_| self.plan.saw(&interest))
        });
        Some(Outcome { path, result })
    }

    fn open<'b>(
        &self,
        entry: &DirEntry,
        kind: Option<FileType>,
        buffer: &'b mut Vec<u8>,
    ) -> Result<&'b [u8], SkipReason> {
        match kind {
            _ if self.is_left_out(entry) => Err(SkipReason::LeftOut),
            // The root is followed if it is a link.
            Some(kind) if kind.is_symlink() && entry.depth() > 0 => Err(SkipReason::Symlink),
            Some(kind) if kind.is_file() || kind.is_symlink() => {
                read(entry.path(), self.scan.max_file_bytes, buffer).map_err(|reason| suspicious(entry, reason))?;
                Ok(buffer)
            }
            _ => Err(SkipReason::Special),
        }
    }

    fn is_left_out(&self, entry: &DirEntry) -> bool {
        let mut left_out = self.scan.left_out.iter();
        let named = left_out.any(|path| path.file_name() == entry.path().file_name());
        named && entry.path().canonicalize().is_ok_and(|path| self.scan.left_out.contains(&path))
    }

    fn unreadable(&self, error: &ignore::Error) -> Outcome {
        let problem = error.io_error().map_or_else(|| error.to_string(), ToString::to_string);
        let path = path_of(error).map(|path| self.lossy(&path)).unwrap_or_default();
        Outcome { path, result: Err(SkipReason::Unreadable { problem }) }
    }

    /// Its parts below the root with `/` between them; the file's name, if it is the root.
    fn below_root(&self, path: &Path) -> Option<String> {
        let parts: Option<Vec<&str>> = self.parts(path).into_iter().map(OsStr::to_str).collect();
        parts.map(|parts| parts.join("/"))
    }

    fn lossy(&self, path: &Path) -> String {
        let parts: Vec<_> = self.parts(path).into_iter().map(OsStr::to_string_lossy).collect();
        parts.join("/")
    }

    fn parts<'p>(&self, path: &'p Path) -> Vec<&'p OsStr> {
        match path.strip_prefix(self.root) {
            Ok(below) if below.as_os_str().is_empty() => path.file_name().into_iter().collect(),
            Ok(below) => below.iter().collect(),
            Err(_) => path.iter().collect(),
        }
    }
}

/// A zero byte hides nothing in an image, but may do so in what is source code by its name.
fn suspicious(entry: &DirEntry, reason: SkipReason) -> SkipReason {
    let is_source = Language::of(&entry.file_name().to_string_lossy(), &[]) != Language::Unknown;
    if reason == SkipReason::Binary && is_source { SkipReason::ZeroByte } else { reason }
}

fn path_of(error: &ignore::Error) -> Option<PathBuf> {
    match error {
        ignore::Error::WithPath { path, .. } => Some(path.clone()),
        ignore::Error::Loop { child, .. } => Some(child.clone()),
        ignore::Error::WithDepth { err, .. } | ignore::Error::WithLineNumber { err, .. } => path_of(err),
        ignore::Error::Partial(errors) => errors.iter().find_map(path_of),
        ignore::Error::Io(_)
        | ignore::Error::Glob { .. }
        | ignore::Error::UnrecognizedFileType(_)
        | ignore::Error::InvalidDefinition => None,
    }
}
