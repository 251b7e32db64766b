//! [`Inner`]: what the handles of one controller share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use super::emergency::Emergency;
use super::flight::Flights;
use super::follow::Alive;
use super::freshness::Freshness;
use super::health::Checks;
use super::keeper::Keeper;
use super::known::{Heard, Known, LOOK_BACK};
use super::news::{News, Outline};
use super::port::{Port, backoff};
use super::routing::Routing;
use crate::clock::Clock;
use crate::lock::lock;
use crate::monitor::PerformanceMonitor;
use crate::observe::{Event, Observer, Observers};
use crate::random::RandomSource;
use crate::store::{AuditKey, Record, Stamp, StoreError};

/// How often the store is read in a row while each reading is overtaken.
const READINGS: u32 = 5;

pub(super) struct Inner {
    pub(super) port: Port,
    pub(super) routing: Routing,
    pub(super) freshness: Freshness,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn RandomSource>,
    pub(super) observers: Observers,
    pub(super) performance: Option<Arc<PerformanceMonitor>>,
    /// Held for moments, never across an await and never while foreign code runs.
    pub(super) known: Mutex<Known>,
    pub(super) flights: Flights,
    pub(super) keeper: Option<Keeper>,
    pub(super) audit_key: Option<AuditKey>,
    pub(super) max_staleness: Duration,
    /// Ends whoever follows the store for this controller.
    pub(super) _alive: Alive,
    pub(super) health: Checks,
}

impl Inner {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    /// Changes what is known, lets calls be routed by it, and tells the observers what is different.
    pub(super) fn learn<R>(&self, change: impl FnOnce(&mut Known) -> R) -> R {
        let (result, news) = self.learn_quietly(change);
        self.tell(&news);
        result
    }

    /// As [`learn`](Self::learn), but leaves it to the caller to tell the observers.
    pub(super) fn learn_quietly<R>(&self, change: impl FnOnce(&mut Known) -> R) -> (R, News) {
        let mut known = self.known();
        let before = Outline::of(&known);
        let result = change(&mut known);
        self.routing.cell.publish(known.snapshot());
        self.freshness.publish(&known, self.max_staleness);
        let news = before.news(Outline::of(&known));
        if let Some(keeper) = &self.keeper {
            keeper.keep(&known);
        }
        (result, news)
    }

    pub(super) fn tell(&self, news: &News) {
        for event in news.iter().flatten() {
            self.tell_of(event);
        }
    }

    /// Tells the observers of something that is not known by the record.
    pub(super) fn tell_of(&self, event: &Event) {
        self.observers.observe(self.port.id.as_str(), event);
    }

    /// The first steps: what the last process left undone, and what people want to see.
    pub(super) async fn begin(self: &Arc<Self>, emergency: Option<Emergency>) {
        if let Some(emergency) = emergency {
            // Storing it goes on in the background.
            drop(self.pull_again(emergency)());
        }
        let heard = !self.known().failed;
        // An emergency may have been stored, and left since: then it holds no longer than this takes.
        if heard && self.persist_brake().await.is_ok() {
            self.learn(|_| ());
            self.read_recent().await;
        }
    }

    /// Reads the stored record and takes it in. What is overtaken by something else that is learnt is read again.
    pub(super) async fn load(&self) -> Result<(), StoreError> {
        for _ in 0..READINGS {
            if self.try_load().await? {
                break;
            }
        }
        Ok(())
    }

    async fn try_load(&self) -> Result<bool, StoreError> {
        let (generation, record) = {
            let known = self.known();
            (known.generation, known.record.clone())
        };
        let looked = self.port.look(record.as_ref()).await;
        let heard = self.heard();
        self.learn(|known| match looked {
            Ok((found, continues)) => Ok(known.found(generation, found, continues, heard)),
            Err(error) => {
                known.unheard();
                Err(error)
            }
        })
    }

    /// Reads the store and takes in what others have changed; stores an emergency that is not stored yet.
    pub(super) async fn catch_up(&self) -> Result<(), StoreError> {
        self.load().await?;
        self.persist_brake().await?;
        self.read_recent().await;
        Ok(())
    }

    /// Reads what is missing of the recent transitions. They are for people: a failure is left to the next time.
    pub(super) async fn read_recent(&self) {
        let Some((record, after)) = self.unread() else { return };
        let limit = usize::try_from(LOOK_BACK).unwrap_or(usize::MAX);
        if let Ok(entries) = self.port.history(after, limit).await {
            self.learn(|known| known.audited(&record, entries));
        }
    }

    /// The believed record and the epoch after which its audit has not been read.
    fn unread(&self) -> Option<(Record, u64)> {
        let known = self.known();
        let after = known.recent.missing(known.epoch())?;
        known.record.clone().map(|record| (record, after))
    }

    /// How long to wait after the failure number `attempt`.
    pub(super) fn backoff(&self, attempt: u32, base: Duration, cap: Duration) -> Duration {
        backoff(attempt, base, cap, self.random.next_u64())
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.wall()
    }

    pub(super) fn heard(&self) -> Heard {
        Heard::now(&*self.clock)
    }

    /// A stamp for one try of the operation `op_id`.
    pub(super) fn stamp(&self, op_id: u128) -> Stamp {
        Stamp { at: self.now(), etag: self.random.next_u128(), op_id }
    }
}
