//! [`Inner`]: what the handles of one controller share.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, SystemTime};

use super::health::Checks;
use super::known::{Known, LOOK_BACK};
use super::port::{Port, backoff};
use super::routing::Routing;
use crate::clock::Clock;
use crate::lock::lock;
use crate::observe::{Event, Observer, Observers};
use crate::random::RandomSource;
use crate::store::{Expect, Stamp, StoreError};

pub(super) struct Inner {
    pub(super) port: Port,
    pub(super) routing: Routing,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) random: Arc<dyn RandomSource>,
    pub(super) observers: Observers,
    /// Held for moments, never across an await and never while foreign code runs.
    pub(super) known: Mutex<Known>,
    pub(super) health: Checks,
}

impl Inner {
    pub(super) fn known(&self) -> MutexGuard<'_, Known> {
        lock(&self.known)
    }

    /// Changes what is known, lets calls be routed by it, and tells the observer if the mode changed.
    pub(super) fn learn<R>(&self, change: impl FnOnce(&mut Known) -> R) -> R {
        let (result, event) = self.learn_quietly(change);
        self.tell(event);
        result
    }

    /// As [`learn`](Self::learn), but leaves it to the caller to tell the observer.
    pub(super) fn learn_quietly<R>(&self, change: impl FnOnce(&mut Known) -> R) -> (R, Option<Event>) {
        let mut known = self.known();
        let from = known.effective().mode;
        let result = change(&mut known);
        let snapshot = known.snapshot();
        self.routing.cell.publish(snapshot);
        let event = Event::ModeChanged { from, to: snapshot.mode, epoch: snapshot.epoch };
        (result, (from != snapshot.mode).then_some(event))
    }

    pub(super) fn tell(&self, event: Option<Event>) {
        if let Some(event) = event {
            self.observers.observe(self.port.id.as_str(), &event);
        }
    }

    /// Reads the stored record and takes it in.
    pub(super) async fn load(&self) -> Result<(), StoreError> {
        let start = Expect::of(self.known().record.as_ref());
        let loaded = self.port.load().await;
        let now = self.now();
        match loaded {
            Ok(found) => self.learn(|known| known.found(start, found, now)),
            Err(error) => {
                self.known().stale = true;
                return Err(error);
            }
        }
        Ok(())
    }

    /// Reads what is missing of the recent transitions. They are for people: a failure is left to the next time.
    pub(super) async fn read_recent(&self) {
        let missing = {
            let known = self.known();
            known.recent.missing(known.epoch())
        };
        let Some(after) = missing else { return };
        let limit = usize::try_from(LOOK_BACK).unwrap_or(usize::MAX);
        if let Ok(entries) = self.port.history(after, limit).await {
            self.known().recent.extend(entries);
        }
    }

    /// How long to wait after the failure number `attempt`.
    pub(super) fn backoff(&self, attempt: u32, base: Duration, cap: Duration) -> Duration {
        backoff(attempt, base, cap, self.random.next_u64())
    }

    pub(super) fn now(&self) -> SystemTime {
        self.clock.wall()
    }

    /// A stamp for one try of the operation `op_id`.
    pub(super) fn stamp(&self, op_id: u128) -> Stamp {
        Stamp { at: self.now(), etag: self.random.next_u128(), op_id }
    }
}
