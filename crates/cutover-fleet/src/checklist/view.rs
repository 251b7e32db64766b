//! [`View`]: how a check looks at a system.

use std::fmt;

use cutover::{Side, SystemMode};

use crate::host::{Backup, Host, HostError, ValidationCounts, Vitals};
use crate::system::System;

/// What a check may see of a system. There is no way to change anything through it.
pub struct View<'a> {
    system: &'a System,
    host: &'a Host,
    facts: Facts,
}

/// What the migration has found out so far.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Facts {
    pub(crate) mode: SystemMode,
    pub(crate) validation: Option<ValidationCounts>,
    pub(crate) baseline: Option<Vitals>,
}

impl<'a> View<'a> {
    pub(crate) const fn new(system: &'a System, host: &'a Host, facts: Facts) -> Self {
        Self { system, host, facts }
    }

    /// The system.
    #[must_use]
    pub const fn system(&self) -> &System {
        self.system
    }

    /// Who serves.
    #[must_use]
    pub const fn mode(&self) -> SystemMode {
        self.facts.mode
    }

    /// What the validation of this migration counted, if it has come so far.
    #[must_use]
    pub const fn validation(&self) -> Option<ValidationCounts> {
        self.facts.validation
    }

    /// How legacy did before new was deployed, if that was measured.
    #[must_use]
    pub const fn baseline(&self) -> Option<Vitals> {
        self.facts.baseline
    }

    /// The latest backup.
    ///
    /// # Errors
    /// As [`Backups::latest`](crate::Backups::latest).
    pub async fn latest_backup(&self) -> Result<Option<Backup>, HostError> {
        self.host.backups.latest(self.system).await
    }

    /// How a side does.
    ///
    /// # Errors
    /// As [`Diagnostics::vitals`](crate::Diagnostics::vitals).
    pub async fn vitals(&self, side: Side) -> Result<Vitals, HostError> {
        self.host.diagnostics.vitals(self.system, side).await
    }
}

impl fmt::Debug for View<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("View").field("system", &self.system.name).field("facts", &self.facts).finish_non_exhaustive()
    }
}
