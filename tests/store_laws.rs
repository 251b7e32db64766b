//! The laws of a state store, for the one that is built in.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::{Duration, UNIX_EPOCH};

use cutover::store::{AuditEntry, Author, Change, ChangeKind, Expect, MigrationId, Record, Settings, Stamp};
use cutover::{MemoryStore, Percentage, StateStore, StoreError, SystemMode};
use futures::executor::block_on;
use futures::future::join_all;

fn id(name: &str) -> MigrationId {
    name.parse().unwrap()
}

/// A change to a rollout of `ppm` by the operation `op_id`; the etag is ten times that.
fn change(before: Option<&Record>, ppm: u32, op_id: u128) -> Change {
    let rollout = Percentage::from_ppm(ppm).unwrap();
    let after = Settings { mode: SystemMode::GradualRollout, rollout, shadow_share: None };
    let stamp = Stamp { at: UNIX_EPOCH + Duration::from_millis(1234), etag: op_id * 10, op_id };
    Change::new(before, after, ChangeKind::Rollout, Author::new("ana", "test").unwrap(), stamp)
}

async fn put(store: &impl StateStore, before: Option<&Record>, ppm: u32, op_id: u128) -> Result<Record, StoreError> {
    store.compare_and_swap(&id("a"), Expect::of(before), &change(before, ppm, op_id)).await
}

#[test]
fn absent_is_none_and_never_a_default() {
    let store = MemoryStore::new();
    assert_eq!(block_on(store.load(&id("a"))).unwrap(), None);
    assert_eq!(block_on(store.history(&id("a"), 0, 10)).unwrap(), []);
}

#[test]
fn what_was_stored_is_read_by_every_handle_and_only_under_its_name() {
    let store = MemoryStore::new();
    let other_handle = store.clone();
    let stored = block_on(put(&store, None, 5, 1)).unwrap();
    assert_eq!(stored, *change(None, 5, 1).record());
    assert_eq!(block_on(other_handle.load(&id("a"))).unwrap(), Some(stored));
    assert_eq!(block_on(store.load(&id("b"))).unwrap(), None);
}

#[test]
fn the_expectation_covers_absence_epoch_and_etag_and_a_refusal_changes_nothing() {
    let store = MemoryStore::new();
    let first = block_on(put(&store, None, 5, 1)).unwrap();
    let second = block_on(put(&store, Some(&first), 6, 2)).unwrap();
    let Record { epoch, etag, .. } = second;
    let twin = change(Some(&first), 6, 77);
    let wrong = [
        Expect::Absent,
        Expect::of(Some(twin.record())),
        Expect::of(Some(&first)),
        Expect::Exact { epoch, etag: etag ^ 1 },
        Expect::Exact { epoch: epoch + 1, etag },
        Expect::Exact { epoch: epoch - 1, etag },
    ];
    for (expect, op_id) in wrong.into_iter().zip(10..) {
        let refused = block_on(store.compare_and_swap(&id("a"), expect, &change(Some(&second), 9, op_id)));
        let Err(StoreError::Conflict { current }) = refused else { unreachable!("{expect:?}: {refused:?}") };
        assert_eq!(current.as_deref(), Some(&second));
        assert_eq!(block_on(store.load(&id("a"))).unwrap().as_ref(), Some(&second));
        assert_eq!(block_on(store.history(&id("a"), 0, 10)).unwrap().len(), 2);
    }
    let absent = block_on(store.compare_and_swap(&id("b"), Expect::of(Some(&first)), &change(None, 1, 99)));
    assert!(matches!(absent, Err(StoreError::Conflict { current: None })), "{absent:?}");
    assert_eq!(block_on(store.load(&id("b"))).unwrap(), None);
}

#[test]
fn a_repeated_operation_answers_its_first_commit_whatever_has_happened_since() {
    let store = MemoryStore::new();
    let first = block_on(put(&store, None, 5, 1)).unwrap();
    assert_eq!(block_on(put(&store, None, 5, 1)).unwrap(), first);
    let second = block_on(put(&store, Some(&first), 6, 2)).unwrap();
    assert_eq!(block_on(put(&store, None, 5, 1)).unwrap(), first);
    assert_eq!(block_on(put(&store, Some(&second), 7, 1)).unwrap(), first);
    assert_eq!(block_on(store.load(&id("a"))).unwrap(), Some(second));
    assert_eq!(block_on(store.history(&id("a"), 0, 10)).unwrap().len(), 2);
}

#[test]
fn the_audit_is_gapless_ordered_and_paged() {
    let store = MemoryStore::new();
    let mut last = None;
    for op in 1..=20 {
        last = Some(block_on(put(&store, last.as_ref(), op, op.into())).unwrap());
    }
    let epochs = |after, limit| {
        let page = block_on(store.history(&id("a"), after, limit)).unwrap();
        page.iter().map(|entry| entry.epoch).collect::<Vec<_>>()
    };
    assert_eq!(epochs(0, 100), (1..=20).collect::<Vec<_>>());
    assert_eq!(epochs(7, 3), [8, 9, 10]);
    assert_eq!(epochs(19, 3), [20]);
    assert!(epochs(20, 3).is_empty() && epochs(0, 0).is_empty());
}

#[test]
fn of_racing_writers_one_wins_each_round() {
    let store = MemoryStore::new();
    let threads: Vec<_> = (0..8_u128)
        .map(|writer| {
            let store = store.clone();
            std::thread::spawn(move || {
                for step in 0..50_u128 {
                    loop {
                        let before = block_on(store.load(&id("a"))).unwrap();
                        if block_on(put(&store, before.as_ref(), 1, 1 + writer * 50 + step)).is_ok() {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    let audit = block_on(store.history(&id("a"), 0, 1000)).unwrap();
    assert_eq!(audit.iter().map(|entry| entry.epoch).collect::<Vec<_>>(), (1..=400).collect::<Vec<_>>());
}

#[test]
fn of_racing_creations_one_wins() {
    let store = MemoryStore::new();
    let results = block_on(join_all((1..=9).map(|op| put(&store, None, 1, op))));
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1);
}

#[test]
fn records_and_entries_read_back_as_they_were_written() {
    let whole = change(None, 123_456, u128::MAX / 10).with_evidence(serde_json::json!({"errors": 7}));
    let json = serde_json::to_vec(whole.record()).unwrap();
    assert_eq!(Record::from_json(&json).unwrap(), *whole.record());
    let text = String::from_utf8(json).unwrap();
    assert!(text.contains(r#""since":1234"#) && text.contains(r#""op_id":"1999999999999999"#), "{text}");
    let entry = serde_json::to_string(whole.entry()).unwrap();
    assert_eq!(serde_json::from_str::<AuditEntry>(&entry).unwrap(), *whole.entry());
    assert_eq!(whole.entry().record(), *whole.record());
}

#[test]
fn what_a_newer_version_stored_is_an_unknown_format_and_never_taken_for_something_else() {
    let good = serde_json::to_value(change(None, 5, 1).record()).unwrap();
    let with = |field: &str, value: serde_json::Value| {
        let mut json = good.clone();
        json[field] = value;
        Record::from_json(json.to_string().as_bytes())
    };
    assert!(with("new_field", 1.into()).is_ok());
    for (field, value) in [("mode", "canary".into()), ("format", 2.into())] {
        let result = with(field, value);
        assert!(matches!(result, Err(StoreError::UnknownFormat(_))), "{field}: {result:?}");
    }
    for (field, value) in [("mode", 7.into()), ("etag", "x".into()), ("rollout", 101.into()), ("actor", "\n".into())] {
        let result = with(field, value);
        assert!(matches!(result, Err(StoreError::Corrupt(_))), "{field}: {result:?}");
    }
    assert!(matches!(Record::from_json(b"{}"), Err(StoreError::Corrupt(_))));
    assert!(matches!(Record::from_json(&vec![b' '; 70_000]), Err(StoreError::TooLarge { .. })));
}

#[test]
fn an_entry_of_a_newer_version_is_an_unknown_format_too() {
    let first = change(None, 5, 1);
    let good = serde_json::to_value(change(Some(first.record()), 6, 2).entry()).unwrap();
    let with = |path: &str, value: serde_json::Value| {
        let mut json = good.clone();
        *json.pointer_mut(path).unwrap() = value;
        AuditEntry::from_json(json.to_string().as_bytes())
    };
    for (path, value) in [("/after/mode", "canary".into()), ("/before/mode", "canary".into()), ("/format", 2.into())] {
        let result = with(path, value);
        assert!(matches!(result, Err(StoreError::UnknownFormat(_))), "{path}: {result:?}");
    }
    assert_eq!(with("/kind", "barrier".into()).unwrap().kind, ChangeKind::Other);
    for (path, value) in [("/after/mode", 7.into()), ("/after", 7.into()), ("/before", 7.into()), ("/etag", "x".into())]
    {
        let result = with(path, value);
        assert!(matches!(result, Err(StoreError::Corrupt(_))), "{path}: {result:?}");
    }
}

/// Compiles only while the trait can be used as an object.
#[test]
fn a_store_can_be_an_object() {
    let store: std::sync::Arc<dyn StateStore> = std::sync::Arc::new(MemoryStore::new());
    assert!(block_on(store.load(&id("a"))).unwrap().is_none());
}

/// JSON gives `null` back as nothing, which must not look like a change of the entry.
#[test]
fn evidence_of_null_is_no_evidence_and_its_entry_is_read_back_whole() {
    let change = change(None, 5, 1).with_evidence(serde_json::Value::Null);
    let json = change.entry().to_json().unwrap();
    let read = AuditEntry::from_json(json.as_bytes()).unwrap();
    assert_eq!((&read, read.evidence.as_ref()), (change.entry(), None));
    cutover::store::AuditVerifier::new().follow(&read).unwrap();
}
