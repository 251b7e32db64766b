//! [`Keeper`]: writes what is known to the file of the last known state, on a thread of its own.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::known::Known;
use super::last_known::{LastKnown, LastKnownFile};
use crate::handover::{FlushTimeout, Handover, Limits, Parcel};
use crate::lock::lock;
use crate::store::MigrationId;

/// Nobody waits for the disk: only the newest of what waits is written.
#[derive(Debug)]
pub(super) struct Keeper {
    migration: MigrationId,
    /// How much older than what is known the file may get.
    lag: Duration,
    kept: Mutex<Option<LastKnown>>,
    /// Whether the last one could not be written.
    failed: Arc<AtomicBool>,
    handover: Handover<LastKnown>,
}

impl Keeper {
    /// Keeps `file` fresh enough for a start that allows `max_age`.
    pub(super) fn new(migration: MigrationId, file: LastKnownFile, max_age: Duration) -> Self {
        let limits = Limits { entries: 1, bytes: usize::MAX };
        let failed = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&failed);
        let handover = Handover::new("cutover-last-known", limits, move |known: LastKnown| {
            let written = written(&file, &known);
            told.store(!written, Ordering::Relaxed);
            written
        });
        Self { migration, lag: max_age / 8, kept: Mutex::default(), failed, handover }
    }

    /// Hands over what is known, if the file does not say so already.
    pub(super) fn keep(&self, known: &Known) {
        if known.assumed.is_some() && known.brake.is_none() {
            // It came from the file, or from nowhere: the store has said nothing yet.
            return;
        }
        let news = self.last_known(known);
        let mut kept = lock(&self.kept);
        // What could not be written is tried again with whatever happens next, such as the next poll.
        let again = self.failed.swap(false, Ordering::Relaxed);
        if again || kept.as_ref().is_none_or(|kept| self.outdated(kept, &news)) {
            self.handover.push(news.clone());
            *kept = Some(news);
        }
    }

    fn outdated(&self, kept: &LastKnown, news: &LastKnown) -> bool {
        let lag = news.as_of.duration_since(kept.as_of).unwrap_or(Duration::MAX);
        let confirmed = LastKnown { as_of: kept.as_of, ..news.clone() } == *kept;
        !confirmed || lag > self.lag
    }

    fn last_known(&self, known: &Known) -> LastKnown {
        let emergency = known.brake.as_ref().map(|brake| brake.emergency.clone());
        let (as_of, settings) = (known.heard.wall, known.effective());
        LastKnown::new(self.migration.clone(), as_of, known.record.clone(), settings, emergency)
    }

    pub(super) fn flush(&self, deadline: Duration) -> Result<(), FlushTimeout> {
        self.handover.flush(deadline)
    }
}

fn written(file: &LastKnownFile, known: &LastKnown) -> bool {
    let written = file.write(known);
    if let Err(error) = &written {
        tracing::warn!(migration = %known.migration, %error, "the last known state could not be kept in its file");
    }
    written.is_ok()
}

impl Parcel for LastKnown {
    type Label = ();

    fn label(&self) -> Option<()> {
        Some(())
    }

    fn size(&self) -> usize {
        0
    }

    fn merge(&mut self, later: &Self) {
        self.clone_from(later);
    }
}
