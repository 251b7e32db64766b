//! [`Edit`], and what edits make of the bytes of a file.

use std::ops::Range;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::error::PlanError;

/// One replacement in one file, of exactly the bytes that it names.
///
/// A line feed in a replacement becomes `\r\n` where the line that it is put into ends so. Nothing else is changed: not the
/// bytes around it, not a byte order mark, not other line ends.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edit {
    /// The file, relative to the root.
    pub path: PathBuf,
    /// The bytes that are replaced, counted from 0. An empty range inserts.
    pub span: Range<usize>,
    /// The text that stands there. Anything else makes the edit stale.
    pub expected: String,
    /// The text that shall stand there.
    pub replacement: String,
}

impl Edit {
    /// Replaces `expected`, which stands at the byte `start` of the file `path`.
    #[must_use]
    pub fn new(
        path: impl Into<PathBuf>,
        start: usize,
        expected: impl Into<String>,
        replacement: impl Into<String>,
    ) -> Self {
        let expected = expected.into();
        let span = start..start.saturating_add(expected.len());
        Self { path: path.into(), span, expected, replacement: replacement.into() }
    }
}

/// An edit whose file is known, ready to be made and to be written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Splice {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) text: String,
}

/// The edits of one file, checked against its bytes, in the order of their places.
pub(super) fn splices(bytes: &[u8], mut edits: Vec<Edit>) -> Result<Vec<Splice>, PlanError> {
    edits.sort_by_key(|edit| (edit.span.start, edit.span.end));
    edits.dedup_by(|second, first| second == first && !first.span.is_empty());
    for edit in &edits {
        check(bytes, edit)?;
    }
    for (first, second) in edits.iter().zip(edits.iter().skip(1)) {
        check_apart(bytes, first, second)?;
    }
    Ok(edits.into_iter().map(|edit| splice(bytes, edit)).collect())
}

fn check(bytes: &[u8], edit: &Edit) -> Result<(), PlanError> {
    let path = || edit.path.clone();
    let Some(found) = bytes.get(edit.span.clone()) else {
        return Err(PlanError::OutOfBounds { path: path(), span: edit.span.clone(), length: bytes.len() });
    };
    if let Some(offset) = [edit.span.start, edit.span.end].into_iter().find(|offset| splits_char(bytes, *offset)) {
        return Err(PlanError::InsideChar { path: path(), offset });
    }
    let line = line_of(bytes, edit.span.start);
    if found != edit.expected.as_bytes() {
        return Err(PlanError::Unexpected { path: path(), line });
    }
    if edit.expected == edit.replacement {
        return Err(PlanError::Unchanged { path: path(), line });
    }
    Ok(())
}

/// Whether `offset` lies within a character of a text in UTF-8. In other encodings no byte is known to continue one.
fn splits_char(bytes: &[u8], offset: usize) -> bool {
    let continues = bytes.get(offset).is_some_and(|byte| byte & 0b1100_0000 == 0b1000_0000);
    continues && str::from_utf8(bytes).is_ok()
}

fn check_apart(bytes: &[u8], first: &Edit, second: &Edit) -> Result<(), PlanError> {
    let inserts_twice = first.span == second.span;
    if second.span.start >= first.span.end && !inserts_twice {
        return Ok(());
    }
    Err(PlanError::Overlap { path: first.path.clone(), line: line_of(bytes, second.span.start) })
}

fn splice(bytes: &[u8], edit: Edit) -> Splice {
    let Range { start, end } = edit.span;
    let text = if edit.replacement.contains('\n') && ends_with_crlf(bytes, end) {
        edit.replacement.replace("\r\n", "\n").replace('\n', "\r\n")
    } else {
        edit.replacement
    };
    Splice { start, end, text }
}

/// Whether the line around `offset` ends with `\r\n`; for the last line, which may have no end, whether the one before does.
fn ends_with_crlf(bytes: &[u8], offset: usize) -> bool {
    let (before, after) = bytes.split_at_checked(offset).unwrap_or((bytes, &[]));
    let end = |part: &[u8], feed: usize| feed.checked_sub(1).is_some_and(|at| part.get(at) == Some(&b'\r'));
    match after.iter().position(|byte| *byte == b'\n') {
        Some(0) => before.last() == Some(&b'\r'),
        Some(feed) => end(after, feed),
        None => before.iter().rposition(|byte| *byte == b'\n').is_some_and(|feed| end(before, feed)),
    }
}

/// The number of the line of `offset`, counted from 1.
pub(super) fn line_of(bytes: &[u8], offset: usize) -> usize {
    bytes.iter().take(offset).filter(|byte| **byte == b'\n').count() + 1
}

/// What becomes of `bytes`; `None` if the edits are not in order or not inside.
pub(super) fn edited(bytes: &[u8], splices: &[Splice]) -> Option<Vec<u8>> {
    let mut result = Vec::with_capacity(bytes.len());
    let mut done = 0;
    for splice in splices {
        result.extend_from_slice(bytes.get(done..splice.start)?);
        result.extend_from_slice(splice.text.as_bytes());
        bytes.get(splice.start..splice.end)?;
        done = splice.end;
    }
    result.extend_from_slice(bytes.get(done..)?);
    Some(result)
}

/// Where the replacements stand in the edited bytes.
pub(super) fn places(splices: &[Splice]) -> impl Iterator<Item = Range<usize>> + '_ {
    let (mut removed, mut added) = (0, 0);
    splices.iter().map(move |splice| {
        let start = splice.start + added - removed;
        removed += splice.end - splice.start;
        added += splice.text.len();
        start..start + splice.text.len()
    })
}
