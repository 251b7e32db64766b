//! [`Outcome`]: where a system stands.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a system stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "whoever counts systems has to count all of them")]
pub enum Outcome {
    /// Its migration has not begun.
    Pending,
    /// Its migration has begun and not ended: the next run goes on.
    UnderWay,
    /// Something kept it from being migrated before anything was changed: a checklist, the validation, a missing backup. The
    /// next run tries again.
    Blocked,
    /// It was taken back, and legacy was verified. A [retry](crate::SystemMigrator::retry) is a person's decision.
    RolledBack,
    /// It was to be taken back, and not all of that worked, or legacy could not be verified. A person has to look.
    Failed,
    /// New serves alone; legacy is still there.
    Migrated,
    /// New serves alone, and legacy is gone.
    Decommissioned,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Pending,
        Self::UnderWay,
        Self::Blocked,
        Self::RolledBack,
        Self::Failed,
        Self::Migrated,
        Self::Decommissioned,
    ];

    /// The name in data, such as `rolled_back`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::UnderWay => "under_way",
            Self::Blocked => "blocked",
            Self::RolledBack => "rolled_back",
            Self::Failed => "failed",
            Self::Migrated => "migrated",
            Self::Decommissioned => "decommissioned",
        }
    }

    /// Whether new serves alone, with or without legacy beside it.
    #[must_use]
    pub const fn is_migrated(self) -> bool {
        matches!(self, Self::Migrated | Self::Decommissioned)
    }

    /// Whether there is nothing left to do without a person, or before the next run.
    #[must_use]
    pub const fn has_ended(self) -> bool {
        self.is_migrated() || self.is_failure()
    }

    /// Whether its migration was tried and did not succeed.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Blocked | Self::RolledBack | Self::Failed)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UnderWay => "under way",
            Self::RolledBack => "rolled back",
            Self::Pending | Self::Blocked | Self::Failed | Self::Migrated | Self::Decommissioned => self.name(),
        })
    }
}
