//! What a process does that starts without its store: [`StartPolicy`].

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::emergency::Emergency;
use super::error::OpenError;
use super::keeper::Keeper;
use super::known::{Heard, Known};
use super::last_known::{LastKnown, LastKnownError, LastKnownFile};
use super::port::Port;
use crate::clock::Clock;
use crate::mode::SystemMode;
use crate::store::{MigrationId, Settings, StoreError};

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
    /// The controller keeps `file` up to date in the background: what it knows, and an emergency that is not stored yet.
    /// [`flush`](super::MigrationController::flush) waits until it is written. The file is replaced as a whole, synchronised to
    /// the disk, readable by its owner only, and belongs into a folder that only its owner writes to. One file per migration
    /// and process.
    LastKnownGood {
        /// The file.
        file: PathBuf,
        /// How long ago the store may have confirmed what is routed by. What does not age: an emergency that was not
        /// stored, which is pulled again, and which record was the last, so that a store that lost it is
        /// [in doubt](super::Doubt) after a restart too.
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

    /// What follows from the store's first answer and from what was known before.
    ///
    /// What the last process knew does not age: a store that has lost it since is in doubt, and an emergency that was not
    /// stored is still to be stored. Only for routing without the store it may be too old.
    pub(super) async fn start(&self, port: &Port, clock: &dyn Clock) -> Result<Start, OpenError> {
        let before = self.before(clock.wall());
        let (record, emergency) = match &before {
            Ok(Some(before)) => (before.record.clone(), before.emergency.clone()),
            Ok(None) | Err(_) => (None, None),
        };
        let looked = port.look(record.as_ref()).await;
        let heard = Heard::now(clock);
        let known = match looked {
            Ok((found, continues)) => {
                warn_of(before.as_ref().err());
                let mut known = Known::new(record, heard);
                known.found(0, found, continues, heard);
                known
            }
            Err(error) => self.without_store(error, before, heard)?,
        };
        Ok(Start { known, emergency })
    }

    fn before(&self, now: SystemTime) -> Result<Option<LastKnown>, LastKnownError> {
        self.file.as_ref().map_or(Ok(None), |(file, _)| file.read(self.migration, now))
    }

    fn without_store(
        &self,
        store: StoreError,
        before: Result<Option<LastKnown>, LastKnownError>,
        heard: Heard,
    ) -> Result<Known, OpenError> {
        let mut before = Some(before);
        let mut unusable = Vec::new();
        for policy in self.ordered {
            match policy {
                StartPolicy::Assume(mode) => return Ok(assumed(*mode, heard)),
                StartPolicy::LastKnownGood { .. } => match self.usable(before.take(), heard.wall) {
                    Ok(known) => return Ok(known_before(known, heard)),
                    Err(error) => unusable.extend(error),
                },
                StartPolicy::Fail => break,
            }
        }
        if unusable.is_empty() { Err(OpenError::Store(store)) } else { Err(OpenError::NoStart { store, unusable }) }
    }

    /// What was known, if it may be routed by.
    fn usable(
        &self,
        before: Option<Result<Option<LastKnown>, LastKnownError>>,
        now: SystemTime,
    ) -> Result<LastKnown, Option<LastKnownError>> {
        let (file, max_age) = self.file.as_ref().ok_or(None)?;
        let known = before.ok_or(None)??.ok_or_else(|| file.missing())?;
        file.check_age(known.as_of, *max_age, now)?;
        Ok(known)
    }
}

/// The store answers, so a file that cannot be used is no reason not to start; what stood in it is lost all the same.
fn warn_of(error: Option<&LastKnownError>) {
    if let Some(error) = error {
        tracing::warn!(%error, "what the last process knew could not be read");
    }
}

fn assumed(mode: SystemMode, heard: Heard) -> Known {
    let settings = Settings { mode, ..Settings::default() };
    Known { assumed: Some(settings), failed: true, ..Known::new(None, heard) }
}

fn known_before(before: LastKnown, now: Heard) -> Known {
    let heard = Heard { wall: before.as_of, ..now };
    Known { assumed: Some(before.settings), failed: true, ..Known::new(before.record, heard) }
}
