//! [`State`]: what all requests share.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use cutover::{Clock, MigrationRegistry};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

use crate::origin::Origin;
use crate::rate::Limits;
use crate::series::Sampler;
use crate::view::Series;
use crate::{Authorizer, Migration};

/// What all requests share.
pub(crate) struct State {
    pub(crate) migrations: Vec<Watched>,
    /// Whose groups are shown.
    pub(crate) registries: Vec<MigrationRegistry>,
    pub(crate) authorizer: Box<dyn Authorizer>,
    pub(crate) origin: Option<Origin>,
    /// What stands before every path, if the host says so.
    pub(crate) base_path: Option<String>,
    pub(crate) timeout: Duration,
    pub(crate) sample_every: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) limits: Limits,
    /// A permit for each event stream.
    pub(crate) streams: Arc<Semaphore>,
    /// A permit for each audit that is read as a whole.
    pub(crate) verifications: Semaphore,
    /// Whether event streams are to end.
    pub(crate) closing: watch::Sender<bool>,
}

/// How many audits are read as a whole at once.
pub(crate) const VERIFICATIONS: usize = 4;

/// How many event streams there are at once.
pub(crate) const STREAMS: usize = 64;

impl State {
    /// The migration of this name.
    pub(crate) fn find(&self, id: &str) -> Option<&Watched> {
        self.migrations.iter().find(|watched| watched.migration.id().as_str() == id)
    }

    /// The time of day, in milliseconds since 1970.
    pub(crate) fn now(&self) -> u64 {
        let since = self.clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    }

    /// How long a page waits for a store, so that it comes in time without it.
    pub(crate) fn patience(&self) -> Duration {
        self.timeout.min(Duration::from_secs(10)) / 2
    }
}

/// A migration, and what the dashboard keeps of it between requests.
pub(crate) struct Watched {
    pub(crate) migration: Migration,
    kept: Mutex<Kept>,
}

/// What is kept between requests.
#[derive(Default)]
pub(crate) struct Kept {
    pub(crate) sampler: Sampler,
    pub(crate) counted: Counted,
    /// What was seen last, and how often it was something else.
    pub(crate) seen: (String, u64),
    /// The last stamp, and when it was made.
    pub(crate) stamped: Option<(Instant, String)>,
}

/// What stores were asked for in the background; `None` where they did not answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Counted {
    pub(crate) stuck: Option<usize>,
    pub(crate) discrepancies: Option<usize>,
}

impl Watched {
    pub(crate) fn new(migration: Migration) -> Self {
        Self { migration, kept: Mutex::default() }
    }

    pub(crate) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Both sides over time, in so many of the newest points at most; `None` without a monitor.
    pub(crate) fn series(&self, every: Duration, points: usize) -> Option<Series> {
        self.migration.monitor.as_ref()?;
        Some(self.kept().sampler.series(every, points))
    }
}
