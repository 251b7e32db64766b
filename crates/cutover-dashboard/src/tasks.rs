//! What goes on between requests: charts are sampled and stores are asked, as long as the router is there.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Weak;
use std::time::Duration;

use cutover::monitor::Evidence as _;
use cutover::store::StoreError;
use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join, select};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::Migration;
use crate::migration::Discrepancies;
use crate::pages::words::millis;
use crate::records::{MAX_PAGE, in_time};
use crate::series::{Beside, evidence};
use crate::state::{Counted, State, Watched};

/// How long it is between two questions to the stores.
const ASKED_EVERY: Duration = Duration::from_secs(30);
/// More discrepancies are not counted.
const COUNTED: usize = 1_000;

/// Ends all event streams when `until` comes, if that is before the router is gone.
pub(crate) async fn close(closing: watch::Sender<bool>, state: Weak<State>, until: BoxFuture<'static, ()>) {
    let gone = gone(state);
    drop(select(until, pin!(gone)).await);
    closing.send_replace(true);
}

async fn gone(state: Weak<State>) {
    while state.strong_count() > 0 {
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

/// How long it is at most until a change is sampled: what a monitor counted before it is gone with the next one.
const CHANGES_EVERY: Duration = Duration::from_secs(1);

/// Samples until the router is gone, and at each change.
pub(crate) async fn sample(state: Weak<State>, every: Duration) {
    let mut due = Instant::now();
    while let Some(state) = state.upgrade() {
        let is_due = due <= Instant::now();
        for watched in &state.migrations {
            // What the host counts by may panic, which must not end the charts of the others.
            drop(catch_unwind(AssertUnwindSafe(|| sample_one(&state, watched, is_due))));
        }
        drop(state);
        if is_due {
            due = Instant::now() + every;
        }
        tokio::time::sleep(CHANGES_EVERY.min(due.saturating_duration_since(Instant::now()))).await;
    }
}

fn sample_one(state: &State, watched: &Watched, is_due: bool) {
    let Some(monitor) = &watched.migration.monitor else { return };
    if !is_due && !watched.kept().sampler.is_behind(&monitor.counts()) {
        return;
    }
    let (snapshot, ended) = (monitor.snapshot(), monitor.ended_phase());
    let controller = &watched.migration.controller;
    let report = crate::look::guard(&watched.migration);
    let evidence = report.filter(|report| report.epoch == snapshot.counts.epoch).map(|report| evidence(&report));
    let (at, since) = (state.now(), controller.status().since.map(millis));
    let (since, rollout) = (since.unwrap_or(at), controller.rollout());
    let beside = Beside { at, since, rollout, evidence: evidence.unwrap_or_default() };
    watched.kept().sampler.take(snapshot, ended.as_ref(), beside);
}

/// Asks the stores what is shown of them at a glance, until the router is gone. A store that hangs holds up no page.
pub(crate) async fn ask(state: Weak<State>) {
    while let Some(asked) = state.upgrade() {
        let patience = asked.patience();
        let migrations: Vec<Migration> = asked.migrations.iter().map(|watched| watched.migration.clone()).collect();
        drop(asked);
        let counted = futures_util::future::join_all(migrations.iter().map(|one| count(one, patience))).await;
        drop(migrations);
        if let Some(state) = state.upgrade() {
            for (watched, counted) in state.migrations.iter().zip(counted) {
                watched.kept().counted = counted;
            }
        }
        tokio::time::sleep(ASKED_EVERY).await;
    }
}

async fn count(migration: &Migration, patience: Duration) -> Counted {
    // A store that panics has not answered.
    let counted = AssertUnwindSafe(count_both(migration, patience)).catch_unwind();
    counted.await.unwrap_or_default()
}

async fn count_both(migration: &Migration, patience: Duration) -> Counted {
    let stuck = async {
        let claims = migration.claims.as_ref()?;
        in_time(patience, claims.stuck(MAX_PAGE)).await.ok().map(|stuck| stuck.len())
    };
    let discrepancies = async { in_time(patience, count_discrepancies(migration)).await.ok().flatten() };
    let (stuck, discrepancies) = join(stuck, discrepancies).await;
    Counted { stuck, discrepancies }
}

async fn count_discrepancies(migration: &Migration) -> Result<Option<usize>, StoreError> {
    let Some(Discrepancies::Store(store)) = &migration.discrepancies else { return Ok(None) };
    let (mut counted, mut after) = (0, None);
    loop {
        let page = store.page(migration.id(), after, MAX_PAGE).await?;
        counted += page.len();
        after = page.last().map(|last| last.fingerprint);
        if page.len() < MAX_PAGE || counted >= COUNTED {
            return Ok(Some(counted));
        }
    }
}
