//! Why a scan did not begin.

use std::io;
use std::path::{Path, PathBuf};

use crate::rule::RuleError;

/// Why a scan did not begin.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ScanError {
    /// There is no file or folder to look in.
    #[error("there is no file or folder `{}` to look in", root.display())]
    MissingRoot {
        /// The path that was given.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system does not let the root be looked at.
    #[error("`{}` cannot be looked at", root.display())]
    UnreadableRoot {
        /// The path that was given.
        root: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The rules of all matchers do not fit together.
    #[error("the rules do not fit together")]
    Rules(#[from] RuleError),
}

impl ScanError {
    pub(super) fn of_root(root: &Path, source: io::Error) -> Self {
        let root = root.to_owned();
        if source.kind() == io::ErrorKind::NotFound {
            Self::MissingRoot { root, source }
        } else {
            Self::UnreadableRoot { root, source }
        }
    }
}
