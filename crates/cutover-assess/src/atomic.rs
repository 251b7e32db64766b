//! Files that are replaced as a whole.

use std::fs;
use std::io;
use std::path::Path;

use crate::codemod::{Content, Disk, Files, Mode};

/// Writes a file as a whole: after a crash it is the old one or the new one. One that is there keeps its mode and owner.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    // A link stays one.
    let path = &fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let (like, mode) = match fs::metadata(path) {
        Ok(metadata) => (Some(path.as_path()), Mode::of(&metadata)),
        Err(_) => (None, Mode::SHARED),
    };
    let mut draft = path.file_name().unwrap_or_default().to_owned();
    draft.push(format!(".draft-{}", std::process::id()));
    let draft = path.with_file_name(draft);
    let content = Content { bytes: bytes.to_vec(), mode };
    let written = Disk.remove(&draft).and_then(|()| Disk.create(&draft, &content, like));
    let written = written.and_then(|()| Disk.sync(&draft)).and_then(|()| Disk.rename(&draft, path));
    if written.is_err() {
        // What cannot be removed is replaced by the next draft.
        drop(Disk.remove(&draft));
    }
    written?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    Disk.sync_folder(folder.unwrap_or_else(|| Path::new(".")))
}
