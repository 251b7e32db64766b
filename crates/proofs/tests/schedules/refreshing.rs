//! A refresh sees what was stored before it was asked for, although callers share their readings.

use cutover::{MigrationController, SystemMode};
use shuttle::future::spawn;

use crate::explore::{Seen, controller, explore, pause};
use crate::store::{Line, Remote};

/// How many callers ask.
const CALLERS: usize = 4;

#[test]
fn a_refresh_returns_after_a_reading_that_began_after_it_was_asked_for() {
    let (shared, waited) = (Seen::default(), Seen::default());
    let counted = (shared.clone(), waited.clone());
    explore("refreshing together", move || together(counted.0.clone(), counted.1.clone()));
    shared.assert_often("callers shared a reading");
    waited.assert_often("a caller came while a reading was under way");
}

async fn together(shared: Seen, waited: Seen) {
    let store = Remote::new(Line::Good);
    let changing = spawn(change(store.apart()));
    let reader = controller(store.clone(), 1).manual_refresh().open().await.expect("the store answers");
    let before = store.reads().begun();
    let callers: Vec<_> = (0..CALLERS).map(|_| spawn(ask(store.clone(), reader.clone(), waited.clone()))).collect();
    for caller in callers {
        caller.await.expect("it was not cancelled");
    }
    changing.await.expect("it was not cancelled");
    assert_eq!(store.reads().most(), 1, "readings at once");
    if store.reads().begun() - before < CALLERS {
        shared.happened();
    }
}

async fn ask(store: Remote, reader: MigrationController, waited: Seen) {
    pause().await;
    let begun = store.reads().begun();
    if store.reads().ended() < begun {
        waited.happened();
    }
    let stored = store.stored().await.map_or(0, |record| record.epoch);
    reader.refresh().await.expect("the store answers");
    assert!(store.reads().ended() > begun, "only reading {} has ended, and {begun} had begun", store.reads().ended());
    assert!(reader.status().epoch >= stored, "epoch {} after {stored} was stored", reader.status().epoch);
}

async fn change(store: Remote) {
    let changer = controller(store, 2).manual_refresh().open().await.expect("the store answers");
    changer.transition(SystemMode::Parallel, "ana", "compare").await.expect("it is allowed");
}
