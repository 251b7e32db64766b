//! [`Diff`]: what a plan would change, as a unified diff.

use std::fmt;
use std::io::{self, Write};
use std::ops::Range;
use std::path::Path;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

/// What a plan would change, as a unified diff that `git apply` and `patch -p1` read.
///
/// Its text shows what is no UTF-8 as `�`; [`write_to`](Self::write_to) writes the bytes as they are.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Diff {
    lines: Vec<DiffLine>,
}

impl Diff {
    /// Its lines, for whoever wants to colour them.
    #[must_use]
    pub fn lines(&self) -> &[DiffLine] {
        &self.lines
    }

    /// Writes it, byte by byte.
    ///
    /// # Errors
    /// Those of the writer.
    pub fn write_to(&self, writer: &mut impl Write) -> io::Result<()> {
        self.lines.iter().try_for_each(|line| writer.write_all(&line.bytes))
    }

    /// Adds a file. One that does not change adds nothing.
    pub(super) fn add(&mut self, path: &str, before: &[u8], after: &[u8]) {
        let (old, new) = (lines(before), lines(after));
        let operations = capture_diff_slices(Algorithm::Myers, &old, &new);
        let groups = group_diff_ops(operations, CONTEXT);
        if groups.is_empty() {
            return;
        }
        self.push(LineKind::File, format!("--- {}\n", file_name("a", path)));
        self.push(LineKind::File, format!("+++ {}\n", file_name("b", path)));
        for group in &groups {
            self.add_hunk(group, &old, &new);
        }
    }

    fn add_hunk(&mut self, group: &[DiffOp], old: &[&[u8]], new: &[&[u8]]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else { return };
        let removed = hunk_range(first.old_range().start..last.old_range().end);
        let added = hunk_range(first.new_range().start..last.new_range().end);
        self.push(LineKind::Hunk, format!("@@ -{removed} +{added} @@\n"));
        for operation in group {
            let (tag, was, is) = operation.as_tag_tuple();
            if tag == DiffTag::Equal {
                self.add_lines(LineKind::Context, old.get(was).unwrap_or_default());
            } else {
                self.add_lines(LineKind::Removed, old.get(was).unwrap_or_default());
                self.add_lines(LineKind::Added, new.get(is).unwrap_or_default());
            }
        }
    }

    fn add_lines(&mut self, kind: LineKind, lines: &[&[u8]]) {
        for line in lines {
            let unended = if line.ends_with(b"\n") { "" } else { NO_NEWLINE };
            self.push(kind, [kind.prefix().as_bytes(), line, unended.as_bytes()].concat());
        }
    }

    fn push(&mut self, kind: LineKind, bytes: impl Into<Vec<u8>>) {
        self.lines.push(DiffLine { kind, bytes: bytes.into() });
    }
}

impl fmt::Display for Diff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

/// One line of a [`Diff`], with its end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct DiffLine {
    /// What it says.
    pub kind: LineKind,
    bytes: Vec<u8>,
}

impl fmt::Display for DiffLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        String::from_utf8_lossy(&self.bytes).fmt(f)
    }
}

/// What a line of a [`Diff`] says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum LineKind {
    /// Which file follows.
    File,
    /// Which lines of it follow.
    Hunk,
    /// A line that stays.
    Context,
    /// A line that goes.
    Removed,
    /// A line that comes.
    Added,
}

impl LineKind {
    const fn prefix(self) -> &'static str {
        match self {
            Self::File | Self::Hunk => "",
            Self::Context => " ",
            Self::Removed => "-",
            Self::Added => "+",
        }
    }
}

/// How many unchanged lines are shown around a change.
const CONTEXT: usize = 3;
/// Stands behind a last line without an end.
const NO_NEWLINE: &str = "\n\\ No newline at end of file\n";

/// Split behind line feeds only, as every reader of diffs does.
fn lines(bytes: &[u8]) -> Vec<&[u8]> {
    bytes.split_inclusive(|byte| *byte == b'\n').collect()
}

/// First line and number of lines. An empty range names the line before it.
fn hunk_range(range: Range<usize>) -> String {
    match range.len() {
        0 => format!("{},0", range.start),
        1 => format!("{}", range.start + 1),
        many => format!("{},{many}", range.start + 1),
    }
}

/// A name as git writes it: quoted if it has quotes, backslashes or control characters, and ended by a tab if it has spaces.
fn file_name(side: &str, path: &str) -> String {
    let name = format!("{side}/{path}");
    if name.contains(|c: char| c.is_control() || c == '"' || c == '\\') {
        return format!("\"{}\"", name.chars().map(quoted).collect::<String>());
    }
    if name.contains(' ') { name + "\t" } else { name }
}

fn quoted(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\n' => "\\n".to_owned(),
        '\t' => "\\t".to_owned(),
        control if control.is_control() => {
            let mut utf8 = [0; 4];
            let octal: Vec<_> = control.encode_utf8(&mut utf8).bytes().map(|byte| format!("\\{byte:03o}")).collect();
            octal.concat()
        }
        plain => plain.to_string(),
    }
}

/// A relative path with `/` between its parts.
pub(super) fn slashed(path: &Path) -> String {
    let parts: Vec<_> = path.components().map(|part| part.as_os_str().to_string_lossy()).collect();
    parts.join("/")
}
