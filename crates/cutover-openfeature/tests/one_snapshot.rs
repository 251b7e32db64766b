//! Promise: an evaluation is of one snapshot, however many run while flags and migrations change.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test")]

mod common;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use common::{boolean, client_of, flags, migration, reason, to};
use cutover::random::RandomSource;
use cutover::testing::SeededRandom;
use cutover::{MigrationController, Percentage, SystemMode};
use cutover_openfeature::CutoverProvider;
use open_feature::{Client, EvaluationDetails, FlagMetadataValue};
use tokio::task::JoinHandle;

const TASKS: usize = 4_000;
const EACH: usize = 10;

fn text(details: &EvaluationDetails<bool>, name: &str) -> String {
    let value = &details.flag_metadata.values[name];
    if let FlagMetadataValue::String(text) = value { text.clone() } else { String::new() }
}

fn number(details: &EvaluationDetails<bool>, name: &str) -> Option<i64> {
    if let FlagMetadataValue::Int(number) = details.flag_metadata.values.get(name)? { Some(*number) } else { None }
}

/// A task that panicked is done too.
fn all_done<T>(tasks: &[JoinHandle<T>]) -> bool {
    tasks.iter().all(JoinHandle::is_finished)
}

/// What each epoch stands for.
type Book = HashMap<String, (String, i64)>;

/// Changes mode and rollout until the evaluations are done, and writes down what each epoch stands for.
async fn change<T>(search: &MigrationController, tasks: &[JoinHandle<T>]) -> Book {
    let random = SeededRandom::new(4711);
    let mut book = Book::new();
    let mut note = || {
        let status = search.status();
        book.insert(status.epoch.to_string(), (status.mode.to_string(), i64::from(status.rollout.ppm())));
    };
    note();
    while !all_done(tasks) {
        let from = search.mode();
        let next = match from {
            SystemMode::GradualRollout if random.next_u64() % 4 == 0 => SystemMode::EmergencyRollback,
            SystemMode::GradualRollout => SystemMode::NewOnly,
            SystemMode::EmergencyRollback => SystemMode::LegacyOnly,
            SystemMode::LegacyOnly | SystemMode::Parallel | SystemMode::NewOnly => SystemMode::GradualRollout,
        };
        to(search, next).await;
        note();
        if next == SystemMode::GradualRollout {
            let ppm = u32::try_from(random.next_u64() % 1_000_000 + 1).unwrap();
            search.set_rollout(Percentage::from_ppm(ppm).unwrap(), "ana", "a test").await.unwrap();
            note();
        }
        tokio::task::yield_now().await;
    }
    book
}

async fn evaluate(client: Arc<Client>, task: usize) -> Vec<EvaluationDetails<bool>> {
    let mut all = Vec::with_capacity(EACH);
    for round in 0..EACH {
        all.push(boolean(&client, "search", Some(&format!("user-{}", task * EACH + round))).await.unwrap());
        tokio::task::yield_now().await;
    }
    all
}

fn check(details: &EvaluationDetails<bool>, book: &Book) {
    let (mode, threshold) = (text(details, "mode"), number(details, "threshold").unwrap());
    let epoch = text(details, "epoch");
    // An emergency of this process holds before it is stored: until then under the epoch before.
    let unstored = mode == "emergency_rollback" && book[&epoch].0 != mode;
    assert!(unstored || book[&epoch] == (mode.clone(), threshold), "{epoch}: {mode} {threshold}");
    let position = number(details, "bucket_ppm");
    let (new, expected) = match mode.as_str() {
        "gradual_rollout" if threshold == 0 => (false, "STATIC"),
        "gradual_rollout" => (position.unwrap() < threshold, "SPLIT"),
        "new_only" => (true, "STATIC"),
        "emergency_rollback" => (false, "DISABLED"),
        _ => (false, "STATIC"),
    };
    assert_eq!((details.value, reason(details).as_str()), (new, expected), "{epoch} {mode} {threshold}");
    assert_eq!(details.variant.as_deref(), Some(if new { "new" } else { "legacy" }));
    assert_eq!(position.is_some(), mode == "gradual_rollout", "{mode}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_of_evaluations_during_changes_are_each_of_one_record() {
    let search = migration("search").await;
    let provider = CutoverProvider::builder().migration(search.clone()).build().unwrap();
    let client = Arc::new(client_of(provider).await);
    let tasks: Vec<_> = (0..TASKS).map(|task| tokio::spawn(evaluate(Arc::clone(&client), task))).collect();
    let book = change(&search, &tasks).await;
    let mut epochs = HashSet::new();
    for task in tasks {
        for details in task.await.unwrap() {
            check(&details, &book);
            epochs.insert(text(&details, "epoch"));
        }
    }
    assert!(epochs.len() > 10, "{} of {} records were seen", epochs.len(), book.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn thousands_of_evaluations_of_a_flag_see_one_whole_configuration_each() {
    // The allow list and the rollout change together: never is one of them seen without the other.
    const CLOSED: &str = r#"{ "beta": { "rollout": 0, "allow": ["anna"] } }"#;
    const OPEN: &str = r#"{ "beta": { "rollout": 100, "allow": [] } }"#;
    let set = flags(CLOSED);
    let client = Arc::new(client_of(CutoverProvider::builder().flags(set.clone()).build().unwrap()).await);
    let ask = |client: Arc<Client>| async move {
        for _ in 0..EACH {
            let details = boolean(&client, "beta", Some("anna")).await.unwrap();
            let found = (details.value, reason(&details), number(&details, "threshold").unwrap());
            let expected = [(true, "TARGETING_MATCH".to_owned(), 0), (true, "SPLIT".to_owned(), 1_000_000)];
            assert!(expected.contains(&found), "{found:?}");
            tokio::task::yield_now().await;
        }
    };
    let tasks: Vec<_> = (0..TASKS).map(|_| tokio::spawn(ask(Arc::clone(&client)))).collect();
    while !all_done(&tasks) {
        for config in [OPEN, CLOSED] {
            set.replace("file", serde_json::from_str(config).unwrap()).unwrap();
            tokio::task::yield_now().await;
        }
    }
    for task in tasks {
        task.await.unwrap();
    }
}
