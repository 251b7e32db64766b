//! Wake-ups: at once for what this store commits, and by looking at the file for what others do.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use cutover::StoreError;
use cutover::store::{MigrationId, WakeUps};
use futures_channel::mpsc::{Sender, channel};
use futures_util::StreamExt;

use crate::link::{Link, Version};
use crate::state::text_of_record;

/// Who watches, and the thread that looks at the file as long as somebody does.
#[derive(Debug)]
pub(crate) struct Watch {
    watched: Mutex<Watched>,
    added: Condvar,
    interval: Duration,
}

#[derive(Debug, Default)]
struct Watched {
    migrations: HashMap<MigrationId, Watchers>,
    /// Whether somebody came after the last look.
    fresh: bool,
    running: bool,
}

#[derive(Debug)]
struct Watchers {
    /// The record that they know of, as it is stored.
    seen: Option<String>,
    senders: Vec<Sender<()>>,
}

impl Watch {
    pub(crate) fn new(interval: Duration) -> Arc<Self> {
        Arc::new(Self { watched: Mutex::default(), added: Condvar::new(), interval })
    }

    /// Wakes for every record of `id` other than `seen`. The thread looks with a link of its own.
    pub(crate) fn add(
        self: &Arc<Self>,
        id: MigrationId,
        seen: Option<String>,
        link: impl FnOnce() -> Link,
    ) -> Result<WakeUps, StoreError> {
        let (sender, wake_ups) = channel(0);
        let mut watched = self.lock();
        let none = || Watchers { seen, senders: Vec::new() };
        watched.migrations.entry(id).or_insert_with(none).senders.push(sender);
        watched.fresh = true;
        self.added.notify_one();
        if !watched.running {
            self.start(link())?;
            watched.running = true;
        }
        Ok(wake_ups.boxed())
    }

    fn start(self: &Arc<Self>, link: Link) -> Result<(), StoreError> {
        let watch = Arc::clone(self);
        let thread = thread::Builder::new().name("cutover-watch".to_owned());
        thread.spawn(move || watch.run(link)).map(drop).map_err(StoreError::unavailable)
    }

    /// Wakes the watchers of `id`, whose record is now `record`.
    pub(crate) fn wake(&self, id: &MigrationId, record: Option<String>) {
        if let Some(watchers) = self.lock().migrations.get_mut(id) {
            watchers.wake(record);
        }
    }

    fn run(&self, mut link: Link) {
        let mut last = None;
        while let Some(fresh) = self.wait() {
            match self.look(&mut link, last, fresh) {
                Ok(version) => last = Some(version),
                // Their streams end, which tells them to ask anew.
                Err(_) => self.lock().migrations.clear(),
            }
        }
    }

    /// Waits for the next look, and says whether somebody came since the last one; `None` when nobody watches any more.
    fn wait(&self) -> Option<bool> {
        let watched = self.lock();
        let nobody_came = |watched: &mut Watched| !watched.fresh;
        let waited = self.added.wait_timeout_while(watched, self.interval, nobody_came);
        let (mut watched, _) = waited.unwrap_or_else(PoisonError::into_inner);
        watched.migrations.retain(|_, watchers| watchers.are_there());
        watched.running = !watched.migrations.is_empty();
        let fresh = std::mem::take(&mut watched.fresh);
        watched.running.then_some(fresh)
    }

    fn look(&self, link: &mut Link, last: Option<Version>, fresh: bool) -> Result<Version, StoreError> {
        let version = link.version()?;
        if fresh || last != Some(version) {
            let ids: Vec<_> = self.lock().migrations.keys().cloned().collect();
            for id in ids {
                let record = link.read(|connection| Ok(text_of_record(connection, &id)?))?;
                self.compare(&id, record);
            }
        }
        Ok(version)
    }

    fn compare(&self, id: &MigrationId, record: Option<String>) {
        if let Some(watchers) = self.lock().migrations.get_mut(id)
            && watchers.seen != record
        {
            watchers.wake(record);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watched> {
        self.watched.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watchers {
    /// A watcher that has not taken its last wake-up needs no other one.
    fn wake(&mut self, record: Option<String>) {
        self.seen = record;
        self.senders.retain_mut(|sender| !sender.try_send(()).is_err_and(|error| error.is_disconnected()));
    }

    fn are_there(&mut self) -> bool {
        self.senders.retain(|sender| !sender.is_closed());
        !self.senders.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use cutover::store::MigrationId;

    use super::*;
    use crate::SqliteStore;
    use crate::builder::Tuning;
    use crate::place::Place;

    /// Between reading the record and watching, the thread may already have looked past a change.
    #[tokio::test]
    async fn who_comes_with_an_old_record_is_woken_though_nothing_changes_any_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        drop(SqliteStore::open(&path).unwrap());
        let link = || Link::later(Place::new(&path).unwrap(), Tuning::default());
        let watch = Watch::new(Duration::from_millis(5));
        let [first, second]: [MigrationId; 2] = ["first", "second"].map(|id| id.parse().unwrap());
        let mut up_to_date = watch.add(first, None, link).unwrap();
        let quiet = tokio::time::timeout(Duration::from_millis(100), up_to_date.next()).await;
        assert!(quiet.is_err(), "{quiet:?}");

        let mut behind = watch.add(second, Some("old".to_owned()), link).unwrap();
        assert_eq!(tokio::time::timeout(Duration::from_secs(10), behind.next()).await, Ok(Some(())));
    }
}
