//! Who follows the store ends where the store is, and never goes back.

use std::time::Duration;

use cutover::{MigrationController, SystemMode};
use shuttle::future::{spawn, yield_now};

use crate::explore::{Seen, controller, explore, one_in};
use crate::store::{Line, Remote};

/// How often others may go on before a follower must have arrived.
const PATIENCE: usize = 5_000;

#[test]
fn polling_arrives_whatever_happens_to_wake_ups() {
    let behind = Seen::default();
    let counted = behind.clone();
    explore("watching and polling, wake-ups lost", move || {
        let store = Remote::new(Line::Bad);
        let follower = controller(store.clone(), 1);
        follow(store, follower.open(), counted.clone())
    });
    behind.assert_often("the follower was behind when the last change was acknowledged");
}

#[test]
fn wake_ups_arrive_without_polling() {
    let behind = Seen::default();
    let counted = behind.clone();
    explore("watching alone", move || {
        let store = Remote::new(Line::Good);
        // The first poll comes at a random part of the interval.
        let follower = controller(store.clone(), 1).poll_interval(Duration::MAX);
        follow(store, follower.open(), counted.clone())
    });
    behind.assert_often("the follower was behind when the last change was acknowledged");
}

async fn follow<E: std::fmt::Debug>(
    store: Remote,
    opening: impl Future<Output = Result<MigrationController, E>> + Send + 'static,
    behind: Seen,
) {
    let changes = spawn(change(store.clone()));
    let follower = opening.await.expect("the store answers");
    let mut seen = follower.status().epoch;
    let mut look = || {
        let epoch = follower.status().epoch;
        assert!(epoch >= seen, "epoch {epoch} after {seen}");
        assert_eq!(follower.status().doubt, None);
        seen = epoch;
        epoch
    };
    let mut changing = Some(changes);
    for _ in 0..PATIENCE {
        yield_now().await;
        let epoch = look();
        if changing.as_ref().is_some_and(|changes| !changes.is_finished()) {
            continue;
        }
        let stored = store.stored().await.map_or(0, |record| record.epoch);
        if changing.take().is_some() && epoch < stored {
            behind.happened();
        }
        if epoch == stored {
            return;
        }
    }
    panic!("the follower stays at epoch {seen} of {:?}", store.stored().await);
}

async fn change(store: Remote) {
    let changer = controller(store, 2).manual_refresh().open().await.expect("the store answers");
    drop(changer.transition(SystemMode::Parallel, "ana", "compare").await);
    drop(changer.transition(SystemMode::GradualRollout, "ana", "roll out").await);
    if one_in(2) {
        changer.emergency_rollback("ben", "wrong totals").await;
    }
}
