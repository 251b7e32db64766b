//! The audit only grows, even for somebody who writes SQL by hand, and every epoch of 64 bits is kept exactly.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover::store::{Expect, Record};
use cutover::{StateStore, StoreError};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;
use rusqlite::Connection;

mod common;

use common::{advance, change, id};

#[test]
fn no_statement_changes_or_deletes_what_is_in_the_audit() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    (1..=3).for_each(|op_id| drop(block_on(advance(&store, op_id)).unwrap()));
    let before = block_on(store.history(&id(), 0, 10)).unwrap();
    let by_hand = Connection::open(store.path()).unwrap();
    let epoch = "00000000000000000002";
    let statements = [
        "UPDATE audit SET entry = '{}'".to_owned(),
        "UPDATE audit SET epoch = '00000000000000000009' WHERE epoch = '00000000000000000003'".to_owned(),
        "DELETE FROM audit".to_owned(),
        format!("REPLACE INTO audit SELECT migration, epoch, op_id, '{{}}' FROM audit WHERE epoch = '{epoch}'"),
        "INSERT INTO audit VALUES ('search', '00000000000000000001', zeroblob(16), '{}')".to_owned(),
        format!("REPLACE INTO audit VALUES ('search', '{epoch}', zeroblob(16), '{{}}')"),
        "REPLACE INTO audit SELECT migration, '00000000000000000009', op_id, '{}' FROM audit LIMIT 1".to_owned(),
        "DELETE FROM record".to_owned(),
        "UPDATE record SET epoch = '00000000000000000009'".to_owned(),
        "INSERT INTO record VALUES ('other', '00000000000000000001', '{}')".to_owned(),
    ];
    for statement in statements {
        let refused = by_hand.execute_batch(&statement);
        assert!(refused.is_err(), "{statement}");
        assert_eq!(block_on(store.history(&id(), 0, 10)).unwrap(), before, "{statement}");
    }
}

#[test]
fn a_change_that_does_not_follow_the_audit_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let first = block_on(advance(&store, 1)).unwrap();
    let again = change(None, 2);
    let refused = block_on(store.compare_and_swap(&id(), Expect::of(Some(&first)), &again));
    assert!(matches!(refused, Err(StoreError::Denied(_))), "{refused:?}");
    assert_eq!(block_on(store.load(&id())).unwrap(), Some(first));
}

#[test]
fn epochs_up_to_the_largest_are_kept_and_sorted() {
    for epoch in [1 << 53, i64::MAX.unsigned_abs() - 1, i64::MAX.unsigned_abs(), u64::MAX - 4] {
        let folder = tempfile::tempdir().unwrap();
        let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
        let mut before = change(None, 1).record().clone();
        before.epoch = epoch;
        let first = stored(&store, Expect::Absent, &before, 2);
        let second = stored(&store, Expect::of(Some(&first)), &first, 3);
        let third = stored(&store, Expect::of(Some(&second)), &second, 4);
        assert_eq!(third.epoch, epoch + 3);
        assert_eq!(block_on(store.load(&id())).unwrap(), Some(third));
        let after: Vec<_> = block_on(store.history(&id(), epoch + 1, 10)).unwrap();
        assert_eq!(after.iter().map(|entry| entry.epoch).collect::<Vec<_>>(), [epoch + 2, epoch + 3]);
    }
}

fn stored(store: &SqliteStore, expect: Expect, before: &Record, op_id: u128) -> Record {
    block_on(store.compare_and_swap(&id(), expect, &change(Some(before), op_id))).unwrap()
}
