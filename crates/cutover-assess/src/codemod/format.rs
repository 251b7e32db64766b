//! The text of a journal: a head, a line for each file, a checksum of all these, and then how far the run came.

use std::path::Path;

use hmac_sha256::Hash;
use serde::{Deserialize, Serialize};

use super::edit::{Splice, edited};
use super::error::CodemodError;
use super::files::Mode;
use super::journal::{FORMAT, JournalState};

/// The first line, which every version can read.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    format: u32,
    files: usize,
}

/// One file: all that is needed to make it old or new.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// Relative to the root, with `/`.
    pub(super) path: String,
    pub(super) mode: Mode,
    pub(super) before: Digest,
    pub(super) after: Digest,
    pub(super) edits: Vec<Splice>,
    pub(super) original: Original,
}

impl Entry {
    pub(super) fn new(path: String, mode: Mode, before: &[u8], after: &[u8], edits: Vec<Splice>) -> Self {
        let original = Original::new(before);
        Self { path, mode, before: Digest::of(before), after: Digest::of(after), edits, original }
    }

    /// The bytes of the file after the edits; `None` if the entry contradicts itself.
    pub(super) fn edited(&self) -> Option<Vec<u8>> {
        let original = self.original.bytes();
        let after = edited(original, &self.edits)?;
        (Digest::of(original) == self.before && Digest::of(&after) == self.after).then_some(after)
    }
}

/// The bytes of a file before the edits: as a text where they are one, so that people can read journals.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Original {
    Text(String),
    Bytes(Vec<u8>),
}

impl Original {
    fn new(bytes: &[u8]) -> Self {
        str::from_utf8(bytes).map_or_else(|_| Self::Bytes(bytes.to_vec()), |text| Self::Text(text.to_owned()))
    }

    pub(super) fn bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }
}

/// A SHA-256, in hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Digest(String);

impl Digest {
    pub(super) fn of(bytes: &[u8]) -> Self {
        Self(Hash::hash(bytes).map(|byte| format!("{byte:02x}")).concat())
    }
}

/// How far a run came, as written behind the entries; nothing at first, while it edits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mark {
    Applied,
    Undoing,
    Undone,
}

impl Mark {
    const ALL: [Self; 3] = [Self::Applied, Self::Undoing, Self::Undone];

    const fn word(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Undoing => "undoing",
            Self::Undone => "undone",
        }
    }

    /// On a line of its own, even behind one that was torn.
    pub(super) fn line(self) -> String {
        format!("\n{}\n", self.word())
    }
}

/// The text of a new journal.
pub(super) fn written(entries: &[Entry]) -> serde_json::Result<String> {
    let mut text = serde_json::to_string(&Head { format: FORMAT, files: entries.len() })? + "\n";
    for entry in entries {
        text += &serde_json::to_string(entry)?;
        text.push('\n');
    }
    let Digest(sum) = Digest::of(text.as_bytes());
    Ok(text + &sum + "\n")
}

/// What a journal says; an error for anything that was not written so.
pub(super) fn read(journal: &Path, bytes: &[u8]) -> Result<(Vec<Entry>, JournalState), CodemodError> {
    let corrupt = || CodemodError::Corrupt { journal: journal.to_owned() };
    let text = str::from_utf8(bytes).map_err(|_| corrupt())?;
    let (head, rest) = text.split_once('\n').ok_or_else(corrupt)?;
    let Head { format, files } = serde_json::from_str(head).map_err(|_| corrupt())?;
    if format != FORMAT {
        return Err(CodemodError::UnknownFormat { journal: journal.to_owned(), format });
    }
    let mut lines = rest.split_inclusive('\n');
    let entries: Vec<&str> = lines.by_ref().take(files).collect();
    let length = head.len() + 1 + entries.iter().map(|line| line.len()).sum::<usize>();
    let Digest(sum) = Digest::of(bytes.get(..length).ok_or_else(corrupt)?);
    if lines.next().and_then(|line| line.strip_suffix('\n')) != Some(&sum) {
        return Err(corrupt());
    }
    let entries = entries.into_iter().map(serde_json::from_str).collect::<Result<_, _>>().map_err(|_| corrupt())?;
    Ok((entries, state(lines).ok_or_else(corrupt)?))
}

/// The last mark. One that was torn while it was written was never relied on.
fn state<'a>(lines: impl Iterator<Item = &'a str>) -> Option<JournalState> {
    let mut state = JournalState::Interrupted;
    for line in lines.filter_map(|line| line.strip_suffix('\n')) {
        match Mark::ALL.into_iter().find(|mark| mark.word() == line) {
            Some(Mark::Applied) => state = JournalState::Applied,
            Some(Mark::Undoing) => state = JournalState::Interrupted,
            Some(Mark::Undone) => state = JournalState::Undone,
            None if Mark::ALL.iter().any(|mark| mark.word().starts_with(line)) => {}
            None => return None,
        }
    }
    Some(state)
}
