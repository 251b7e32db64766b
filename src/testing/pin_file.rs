//! Reads and writes the files of [`RolloutPins`](super::RolloutPins).

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use super::pins::{Assignment, PinError, PinKey};
use crate::outcome::Side;

/// One key per line, so that a move is one line out and one line in.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PinFile {
    legacy: BTreeSet<PinKey>,
    new: BTreeSet<PinKey>,
}

pub(super) fn read(path: &Path) -> Result<Assignment, PinError> {
    let text = fs::read(path).map_err(|source| unread(path, source))?;
    let file: PinFile =
        serde_json::from_slice(&text).map_err(|source| PinError::Invalid { path: path.to_owned(), source })?;
    if let Some(key) = file.legacy.intersection(&file.new).next() {
        return Err(PinError::Ambiguous { path: path.to_owned(), key: key.clone() });
    }
    let pinned_to = |side| move |key| (key, side);
    let legacy = file.legacy.into_iter().map(pinned_to(Side::Legacy));
    Ok(legacy.chain(file.new.into_iter().map(pinned_to(Side::New))).collect())
}

fn unread(path: &Path, source: io::Error) -> PinError {
    let path = path.to_owned();
    if source.kind() == ErrorKind::NotFound { PinError::Missing { path } } else { PinError::Read { path, source } }
}

pub(super) fn write(path: &Path, assignment: &Assignment) -> Result<(), PinError> {
    let on = |side| assignment.iter().filter(move |&(_, &at)| at == side).map(|(key, _)| key.clone()).collect();
    let file = PinFile { legacy: on(Side::Legacy), new: on(Side::New) };
    write_json(path, &file).map_err(|source| PinError::Write { path: path.to_owned(), source })
}

fn write_json(path: &Path, file: &PinFile) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(file)?;
    text.push(b'\n');
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder)?;
    }
    let draft = draft_beside(path)?;
    fill(&draft, &text).and_then(|()| fs::rename(&draft, path)).inspect_err(|_| drop(fs::remove_file(&draft)))
}

/// A path in the same folder, because a rename is atomic only within one file system.
fn draft_beside(path: &Path) -> io::Result<PathBuf> {
    static DRAFTS: AtomicU64 = AtomicU64::new(0);
    let no_name = || io::Error::new(ErrorKind::InvalidInput, "the path does not end in a file name");
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().ok_or_else(no_name)?);
    name.push(format!(".{}-{}.tmp", std::process::id(), DRAFTS.fetch_add(1, Ordering::Relaxed)));
    Ok(path.with_file_name(name))
}

fn fill(draft: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = File::create_new(draft)?;
    file.write_all(text)?;
    file.sync_all()
}
