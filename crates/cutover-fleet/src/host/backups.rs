//! [`Backups`]: what can be put back.

use std::time::SystemTime;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::{Artifact, HostError};
use crate::system::System;

/// Backups of what legacy keeps.
///
/// The [laws](crate::host) of all host traits hold.
#[async_trait]
pub trait Backups: Send + Sync {
    /// The latest complete backup; `None` where there is none. It only looks: it never makes one.
    ///
    /// # Errors
    /// [`HostError`] when it is not known whether there is one.
    async fn latest(&self, system: &System) -> Result<Option<Backup>, HostError>;

    /// Makes a backup. It counts as one only when it is complete. It is called on the word of a person.
    ///
    /// # Errors
    /// [`HostError`] when there is no new backup.
    async fn create(&self, system: &System) -> Result<Backup, HostError>;

    /// Puts back what `backup` holds. What legacy has written since is lost. In a recovery legacy runs when it is called: where
    /// legacy keeps its data in memory or its files open, it has to be started anew with what was put back.
    ///
    /// # Errors
    /// [`HostError`] when something is not as the backup has it.
    async fn restore(&self, system: &System, backup: &Backup) -> Result<(), HostError>;
}

/// A complete backup.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a host makes its own")]
pub struct Backup {
    /// Where it is: a reference as those to artifacts are.
    pub at: Artifact,
    /// When it was made.
    pub made: SystemTime,
}
