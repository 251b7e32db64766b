//! [`Step`].

use std::fmt;

use cutover::Percentage;
use serde::{Deserialize, Serialize};

/// One step of a migration. A step whose end is not in the audit is repeated by whoever goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Step {
    /// The checklist before the migration.
    CheckBefore,
    /// Whether there is a backup.
    FindBackup,
    /// What legacy is.
    Load,
    /// The conversion of it.
    Convert,
    /// What can be deployed.
    Generate,
    /// Known answers: the gate.
    Validate,
    /// How legacy does, to compare with.
    Baseline,
    /// New runs, without traffic. From here on there is something to take back.
    Deploy,
    /// New is tested from outside, without traffic.
    Test,
    /// The checklist during the migration.
    CheckDuring,
    /// Legacy is stopped.
    StopLegacy,
    /// New gets this share of the traffic.
    Shift(Percentage),
    /// New is watched at this share.
    Watch(Percentage),
}

impl Step {
    /// Whether it changes something outside, which has to be taken back when the migration fails.
    #[must_use]
    pub const fn has_effect(self) -> bool {
        match self {
            Self::Deploy | Self::StopLegacy | Self::Shift(_) => true,
            Self::CheckBefore
            | Self::FindBackup
            | Self::Load
            | Self::Convert
            | Self::Generate
            | Self::Validate
            | Self::Baseline
            | Self::Test
            | Self::CheckDuring
            | Self::Watch(_) => false,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CheckBefore => f.pad("checklist before"),
            Self::FindBackup => f.pad("find the backup"),
            Self::Load => f.pad("load"),
            Self::Convert => f.pad("convert"),
            Self::Generate => f.pad("generate"),
            Self::Validate => f.pad("validate"),
            Self::Baseline => f.pad("measure legacy"),
            Self::Deploy => f.pad("deploy"),
            Self::Test => f.pad("test"),
            Self::CheckDuring => f.pad("checklist during"),
            Self::StopLegacy => f.pad("stop legacy"),
            Self::Shift(share) => write!(f, "switch {share} to new"),
            Self::Watch(share) => write!(f, "watch at {share}"),
        }
    }
}
