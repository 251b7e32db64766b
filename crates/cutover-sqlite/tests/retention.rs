//! Completed claims can be purged by age, and nothing else goes: not what is held, and not the growth of tokens.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::store::{ClaimError, ClaimRequest, ClaimState, ClaimStore, Expect, Grant, ItemId, MigrationId};
use cutover::{Side, StateStore};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;
use rusqlite::Connection;

mod common;

use common::{advance, id};

fn item(name: &str) -> ItemId {
    name.parse().unwrap()
}

async fn claim(store: &SqliteStore, name: &str, op_id: u128) -> Result<Grant, ClaimError> {
    let request = ClaimRequest {
        item: item(name),
        side: Side::Legacy,
        expect: Expect::Absent,
        holder: "test".parse().unwrap(),
        op_id,
        ttl: Duration::from_secs(60),
    };
    store.claim(&id(), &request).await
}

#[test]
fn only_what_was_completed_long_enough_ago_is_purged() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    block_on(async {
        let done = claim(&store, "done", 1).await.unwrap();
        store.complete(&id(), &item("done"), done.token).await.unwrap();
        let back = claim(&store, "back", 2).await.unwrap();
        store.release(&id(), &item("back"), back.token).await.unwrap();
        claim(&store, "held", 3).await.unwrap();

        assert_eq!(store.purge_completed(&id(), Duration::from_secs(3_600)).await.unwrap(), 0);
        assert_eq!(store.purge_completed(&"other".parse().unwrap(), Duration::ZERO).await.unwrap(), 0);
        assert!(matches!(claim(&store, "done", 4).await, Err(ClaimError::Completed)));

        assert_eq!(store.purge_completed(&id(), Duration::ZERO).await.unwrap(), 1);
        assert_eq!(store.claimed(&id(), &item("done")).await.unwrap(), None);
        assert_eq!(store.claimed(&id(), &item("back")).await.unwrap().unwrap().state, ClaimState::Released);
        let held = store.claimed(&id(), &item("held")).await.unwrap().unwrap();
        assert!(matches!(held.state, ClaimState::Held { .. }), "{held:?}");
        advance(&store, 1).await.unwrap();
    });
}

#[test]
fn a_purged_item_that_comes_back_gets_a_token_that_no_earlier_holder_has() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    block_on(async {
        for round in 1..=3 {
            let grant = claim(&store, "ticket", round).await.unwrap();
            assert_eq!(u128::from(grant.token), round);
            store.complete(&id(), &item("ticket"), grant.token).await.unwrap();
            assert_eq!(store.purge_completed(&id(), Duration::ZERO).await.unwrap(), 1);
        }
        let grant = claim(&store, "ticket", 9).await.unwrap();
        let stale = store.complete(&id(), &item("ticket"), 3).await;
        assert!(matches!(stale, Err(ClaimError::Lost { token: 3 })), "{stale:?}");
        store.complete(&id(), &item("ticket"), grant.token).await.unwrap();
    });
}

#[test]
fn more_than_one_step_is_purged_completely() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    block_on(async {
        for number in 0..210 {
            let name = format!("item {number}");
            let grant = claim(&store, &name, number).await.unwrap();
            store.complete(&id(), &item(&name), grant.token).await.unwrap();
        }
        assert_eq!(store.purge_completed(&id(), Duration::ZERO).await.unwrap(), 210);
    });
}

#[test]
fn the_statements_of_the_readme_work_and_one_retired_migration_leaves_the_others() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let other: MigrationId = "other".parse().unwrap();
    block_on(async {
        advance(&store, 1).await.unwrap();
        claim(&store, "ticket", 1).await.unwrap_err();
        store.compare_and_swap(&other, Expect::Absent, &common::change(None, 2)).await.unwrap();
    });
    let by_hand = Connection::open(store.path()).unwrap();
    let statements: Vec<_> = README.split("```sql\n").skip(1).filter_map(|rest| rest.split("```").next()).collect();
    assert_eq!(statements.len(), 2);
    for sql in statements {
        by_hand.execute_batch(sql).unwrap();
    }

    assert_eq!(block_on(store.load(&id())).unwrap(), None);
    assert_eq!(block_on(store.history(&id(), 0, 10)).unwrap(), []);
    assert_eq!(block_on(store.history(&other, 0, 10)).unwrap().len(), 1);
    assert!(by_hand.execute_batch("DELETE FROM audit").is_err(), "the audit is guarded as before");
    assert_eq!(block_on(advance(&store, 3)).unwrap().epoch, 1, "the name may be used again");
}

const README: &str = include_str!("../README.md");
