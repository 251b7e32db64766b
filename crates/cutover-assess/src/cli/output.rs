//! Files that the program writes for people and other programs.

use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::Path;

use tempfile::Builder;

/// Writes a file as a whole: whoever reads it sees the old one or the new one. One that is there keeps its mode, and a link stays one.
/// What is no file, such as a pipe, is written to.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut there = match OpenOptions::new().write(true).open(path) {
        Ok(there) => there,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return replace(path, None, bytes),
        Err(error) => return Err(error),
    };
    let metadata = there.metadata()?;
    if metadata.is_file() {
        return replace(&path.canonicalize()?, Some(metadata.permissions()), bytes);
    }
    there.write_all(bytes)
}

fn replace(path: &Path, mode: Option<Permissions>, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or_else(|| Path::new("."));
    let mut draft = readable(Builder::new().prefix(".cutover-")).tempfile_in(folder)?;
    draft.write_all(bytes)?;
    mode.map_or(Ok(()), |mode| draft.as_file().set_permissions(mode))?;
    draft.as_file().sync_all()?;
    draft.persist(path).map_err(io::Error::from).map(drop::<File>)
}

/// As any new file, by the mask of the process, and not for its owner alone.
#[cfg(unix)]
fn readable<'b, 'p, 's>(builder: &'b mut Builder<'p, 's>) -> &'b mut Builder<'p, 's> {
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666))
}

#[cfg(not(unix))]
fn readable<'b, 'p, 's>(builder: &'b mut Builder<'p, 's>) -> &'b mut Builder<'p, 's> {
    builder
}
