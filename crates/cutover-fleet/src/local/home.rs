//! [`Home`]: where the files of a system are.

use std::path::{Path, PathBuf};

use crate::Side;
use crate::system::SystemName;

/// The folder of one system.
#[derive(Debug, Clone)]
pub(super) struct Home(PathBuf);

impl Home {
    pub(super) fn new(root: &Path, system: &SystemName) -> Self {
        Self(root.join(system.as_str()))
    }

    /// Where a side's process runs. No other process does, so that this tells who a process is.
    pub(super) fn side(&self, side: Side) -> PathBuf {
        self.0.join(name_of(side))
    }

    pub(super) fn data(&self, side: Side) -> PathBuf {
        self.side(side).join("data")
    }

    pub(super) fn log(&self, side: Side) -> PathBuf {
        self.side(side).join("log")
    }

    pub(super) fn pid(&self, side: Side) -> PathBuf {
        self.side(side).join("pid")
    }

    pub(super) fn port(&self, side: Side) -> PathBuf {
        self.side(side).join("port")
    }

    /// What the new side was deployed from.
    pub(super) fn artifact(&self) -> PathBuf {
        self.side(Side::New).join("artifact")
    }

    /// Who serves.
    pub(super) fn route(&self) -> PathBuf {
        self.0.join("route.json")
    }

    pub(super) fn backups(&self) -> PathBuf {
        self.0.join("backups")
    }
}

pub(super) const fn name_of(side: Side) -> &'static str {
    match side {
        Side::Legacy => "legacy",
        Side::New => "new",
    }
}
