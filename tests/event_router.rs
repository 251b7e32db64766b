//! The event router: each event is taken by one system, once, while modes change and in an emergency.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../examples/event_router.rs"]
#[expect(dead_code, reason = "the example is a program of its own")]
mod event_router;

use std::collections::BTreeSet;
use std::sync::Arc;

use cutover::testing::ModuloRouter;
use cutover::{BucketKey, MemoryStore, MigrationController, Percentage, Router, Side, SystemMode};
use event_router::{Taken, TicketEvent, Worker, deliver, events, operate};
use futures::future::join;

const HANDLED: [&str; 4] = ["opened", "edited", "labeled", "assigned"];

async fn processes(store: &MemoryStore, count: usize) -> Vec<MigrationController> {
    let mut opened = Vec::new();
    for _ in 0..count {
        opened.push(MigrationController::open("triage", store.clone()).await.unwrap());
    }
    opened
}

fn workers(store: &MemoryStore, processes: &[MigrationController], each: usize) -> Vec<Worker> {
    let all = processes.iter().flat_map(|process| std::iter::repeat_n(process, each)).enumerate();
    let worker = |(number, process): (usize, &MigrationController)| {
        Worker::new(&format!("worker {number}"), process, process.clone(), store.clone()).unwrap()
    };
    all.map(worker).collect()
}

#[track_caller]
fn assert_each_once(events: &[TicketEvent], taken: &[Taken]) {
    let handled: Vec<_> = events.iter().filter(|event| HANDLED.contains(&event.kind)).copied().collect();
    assert_eq!(taken.iter().map(|taken| taken.event).collect::<Vec<_>>(), handled);
    for taken in taken {
        let may_serve = [false, true].map(|in_rollout| taken.mode.routing(in_rollout).serves);
        assert!(may_serve.contains(&taken.side), "{taken}");
    }
}

/// Real threads: workers of four processes, and an operator who changes the mode all the time.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn each_event_is_taken_once_while_the_mode_changes_and_in_an_emergency() {
    let store = MemoryStore::new();
    let processes = processes(&store, 4).await;
    let events = Arc::new(events(1_000));
    let delivered: Vec<_> = workers(&store, &processes, 2)
        .into_iter()
        .map(|worker| {
            let events = Arc::clone(&events);
            tokio::spawn(async move { deliver(&[worker], &events).await.unwrap() })
        })
        .collect();
    let operator = processes[0].clone();
    while !delivered.iter().all(tokio::task::JoinHandle::is_finished) {
        operator.transition(SystemMode::GradualRollout, "ana", "go").await.unwrap();
        operator.set_rollout(Percentage::new(50.0).unwrap(), "ana", "go").await.unwrap();
        tokio::task::yield_now().await;
        operator.transition(SystemMode::NewOnly, "ana", "go").await.unwrap();
        operator.emergency_rollback("ben", "stop").await;
        operator.transition(SystemMode::LegacyOnly, "ana", "again").await.unwrap();
    }
    let mut taken = Vec::new();
    for delivered in delivered {
        taken.extend(delivered.await.unwrap());
    }
    taken.sort_by_key(|taken| taken.event.number);
    assert_each_once(&events, &taken);
}

/// One thread, on which workers and operator take turns in an order that never changes.
#[tokio::test]
async fn what_was_taken_is_answered_with_the_system_and_the_mode() {
    let store = MemoryStore::new();
    let processes = processes(&store, 3).await;
    let (workers, events) = (workers(&store, &processes, 1), events(60));
    let (taken, operated) = join(deliver(&workers, &events), operate(&processes[0])).await;
    operated.unwrap();
    let taken = taken.unwrap();
    assert_each_once(&events, &taken);
    let (legacy, new) = (Side::Legacy, Side::New);
    let seen: BTreeSet<_> = taken.iter().map(|taken| (taken.mode, taken.side)).collect();
    let expected = [
        (SystemMode::LegacyOnly, legacy),
        (SystemMode::Parallel, legacy),
        (SystemMode::GradualRollout, legacy),
        (SystemMode::GradualRollout, new),
        (SystemMode::EmergencyRollback, legacy),
    ];
    assert_eq!(seen, BTreeSet::from(expected));
}

#[tokio::test]
async fn other_kinds_of_events_are_ignored() {
    let store = MemoryStore::new();
    let processes = processes(&store, 1).await;
    let events: Vec<_> = ["closed", "deleted", "", "OPENED", "opened "]
        .into_iter()
        .zip(1..)
        .map(|(kind, number)| TicketEvent { number, kind, item: 1 })
        .collect();
    assert_eq!(deliver(&workers(&store, &processes, 2), &events).await.unwrap(), []);
}

#[tokio::test]
async fn at_a_quarter_new_takes_items_1_24_and_100_and_legacy_takes_25_and_99() {
    let store = MemoryStore::new();
    let processes = processes(&store, 2).await;
    processes[0].transition(SystemMode::GradualRollout, "ana", "a quarter").await.unwrap();
    processes[1].refresh().await.unwrap();
    let worker = |process: &MigrationController| {
        let controller = process.clone();
        let by_number = move |key: BucketKey<'_>| {
            let mut route = ModuloRouter::new(25).route(key);
            route.epoch = controller.route(key).epoch;
            route
        };
        Worker::new("worker", process, by_number, store.clone()).unwrap()
    };
    let workers: Vec<_> = processes.iter().map(worker).collect();
    let items = [1, 24, 25, 99, 100];
    let events: Vec<_> = (1..).zip(items).map(|(number, item)| TicketEvent { number, kind: "opened", item }).collect();
    let taken = deliver(&workers, &events).await.unwrap();
    assert_each_once(&events, &taken);
    let sides: Vec<_> = taken.iter().map(|taken| (taken.event.item, taken.side)).collect();
    let (legacy, new) = (Side::Legacy, Side::New);
    assert_eq!(sides, [(1, new), (24, new), (25, legacy), (99, legacy), (100, new)]);
}
