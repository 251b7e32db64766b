//! What a process does that starts without its store: [`StartPolicy`].

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::error::OpenError;
use super::keeper::Keeper;
use super::known::{Heard, Known};
use super::last_known::{Emergency, LastKnown, LastKnownError, LastKnownFile};
use crate::clock::Clock;
use crate::mode::SystemMode;
use crate::store::{MigrationId, Record, Settings, StoreError};

/// What a controller routes by when the store gives no record that it understands while it opens.
///
/// Nobody but the host can choose: before the cut-over legacy is the safe side, after it legacy may hold old data. A store
/// that answers that it has no record is not meant here: that is a new migration, and legacy serves.
///
/// Whatever was chosen holds until the store answers. Until then [`MigrationStatus::assumed`](super::MigrationStatus) says
/// so, and this process can do nothing but an emergency.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum StartPolicy {
    /// What this process, or the one before it, knew last.
    ///
    /// While the store answers, the controller keeps `file` up to date: mode, rollout, and an emergency that is not stored
    /// yet, which is then pulled again. The file is replaced as a whole, synchronised to the disk, readable by its owner
    /// only, and belongs into a folder that only its owner writes to. One file per migration and process.
    LastKnownGood {
        /// The file.
        file: PathBuf,
        /// How long ago the store may have confirmed it.
        max_age: Duration,
    },
    /// This mode, at 0 %.
    Assume(SystemMode),
    /// Opening fails: the default.
    Fail,
}

/// How a controller starts.
pub(super) struct Start {
    pub(super) known: Known,
    /// An emergency that was not stored before the process ended.
    pub(super) emergency: Option<Emergency>,
}

/// The policies with their files opened.
pub(super) struct Policies<'a> {
    ordered: &'a [StartPolicy],
    file: Option<(LastKnownFile, Duration)>,
    migration: &'a MigrationId,
}

impl<'a> Policies<'a> {
    /// # Errors
    /// [`LastKnownError`] when a file's folder cannot be used: better known now than without the store.
    pub(super) fn new(policies: &'a [StartPolicy], migration: &'a MigrationId) -> Result<Self, LastKnownError> {
        let file = policies.iter().find_map(|policy| match policy {
            StartPolicy::LastKnownGood { file, max_age } => Some((file, *max_age)),
            StartPolicy::Assume(_) | StartPolicy::Fail => None,
        });
        let file = file.map(|(path, max_age)| Ok((LastKnownFile::new(path)?, max_age))).transpose()?;
        Ok(Self { ordered: policies, file, migration })
    }

    pub(super) fn keeper(&self) -> Option<Keeper> {
        let (file, max_age) = self.file.clone()?;
        Some(Keeper::new(self.migration.clone(), file, max_age))
    }

    /// What follows from the store's first answer.
    pub(super) fn start(
        &self,
        answer: Result<Option<Record>, StoreError>,
        clock: &dyn Clock,
    ) -> Result<Start, OpenError> {
        let heard = Heard::now(clock);
        match answer {
            Ok(record) => Ok(Start { known: Known::new(record, heard), emergency: self.unstored(heard.wall) }),
            Err(error) => self.without_store(error, heard),
        }
    }

    fn without_store(&self, store: StoreError, heard: Heard) -> Result<Start, OpenError> {
        let mut unusable = Vec::new();
        for policy in self.ordered {
            match policy {
                StartPolicy::Assume(mode) => return Ok(assumed(*mode, heard)),
                StartPolicy::LastKnownGood { .. } => match self.last_known(heard.wall) {
                    Ok(known) => return Ok(known_before(known, heard)),
                    Err(error) => unusable.extend(error),
                },
                StartPolicy::Fail => break,
            }
        }
        if unusable.is_empty() { Err(OpenError::Store(store)) } else { Err(OpenError::NoStart { store, unusable }) }
    }

    /// The emergency that the process before this one could not store.
    fn unstored(&self, now: SystemTime) -> Option<Emergency> {
        self.last_known(now).ok()?.emergency
    }

    fn last_known(&self, now: SystemTime) -> Result<LastKnown, Option<LastKnownError>> {
        let (file, max_age) = self.file.as_ref().ok_or(None)?;
        file.read(self.migration, *max_age, now).map_err(Some)
    }
}

fn assumed(mode: SystemMode, heard: Heard) -> Start {
    let settings = Settings { mode, ..Settings::default() };
    let known = Known { assumed: Some(settings), failed: true, ..Known::new(None, heard) };
    Start { known, emergency: None }
}

fn known_before(before: LastKnown, now: Heard) -> Start {
    let heard = Heard { wall: before.as_of, ..now };
    let known = Known { assumed: Some(before.settings), failed: true, ..Known::new(before.record, heard) };
    Start { known, emergency: before.emergency }
}
