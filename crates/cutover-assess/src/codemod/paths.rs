//! Paths below a root, and nowhere else.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::FOLDER;
use super::error::PlanError;

/// A relative path without `.`; `None` if it is empty, absolute, climbs, is not in UTF-8, or is in the folder of the journals.
pub(super) fn relative(path: &Path) -> Option<PathBuf> {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => clean.push(name.to_str()?),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => return None,
        }
    }
    let allowed = clean.components().next().is_some_and(|first| first.as_os_str() != FOLDER);
    allowed.then_some(clean)
}

/// The absolute path of a file whose folder is below the root, links resolved; the file itself may be anything. `None` if the
/// folder is elsewhere.
pub(super) fn inside(root: &Path, relative: &Path) -> io::Result<Option<PathBuf>> {
    let path = root.join(relative);
    let folder = path.parent().unwrap_or(root).canonicalize()?;
    Ok(folder.starts_with(root).then_some(path))
}

/// The file that an edit means, links resolved, relative to the root.
pub(super) fn resolve(root: &Path, path: &Path) -> Result<PathBuf, PlanError> {
    let refused = || PlanError::Path { path: path.to_owned() };
    let clean = relative(path).ok_or_else(refused)?;
    let target = root.join(&clean).canonicalize();
    let target = target.map_err(|source| PlanError::Io { path: path.to_owned(), source })?;
    let outside = || PlanError::OutsideRoot { path: path.to_owned(), target: target.clone() };
    let below = target.strip_prefix(root).map_err(|_| outside())?;
    relative(below).ok_or_else(refused)
}
