//! Epochs and tokens above 2^53 keep every digit, although Lua's numbers do not.

use super::common::{change, claim, claim_of, epochs, id, put, server, store};
use cutover::StoreError;
use cutover::store::{ClaimError, ClaimRequest, ClaimStore, Expect, Record, StateStore};

const LONG: u64 = (1 << 53) + 1;

/// A record of `epoch`, as another store may have made it.
fn record_of(epoch: u64) -> Record {
    let mut record = change(None, 1, 99).record().clone();
    record.epoch = epoch;
    record
}

#[tokio::test]
async fn neighbouring_epochs_above_two_to_the_fifty_three_are_told_apart() {
    for epoch in [LONG, u64::MAX - 3] {
        let server = server();
        let store = store(&server).await;
        let before = record_of(epoch - 1);
        let first = store.compare_and_swap(&id("a"), Expect::Absent, &change(Some(&before), 1, 1)).await.unwrap();
        assert_eq!(first.epoch, epoch);
        for wrong in [epoch - 1, epoch + 1] {
            let expect = Expect::Exact { epoch: wrong, etag: first.etag };
            let refused = store.compare_and_swap(&id("a"), expect, &change(Some(&first), 2, 2)).await;
            assert!(matches!(refused, Err(StoreError::Conflict { .. })), "{wrong}: {refused:?}");
        }
        let second = put(&store, Some(&first), 2, 2).await.unwrap();
        assert_eq!(store.load(&id("a")).await.unwrap(), Some(second.clone()));
        assert_eq!(epochs(&store).await, [epoch, epoch + 1]);
        let after: Vec<_> = store.history(&id("a"), epoch, 10).await.unwrap();
        assert_eq!(after.iter().map(|entry| entry.epoch).collect::<Vec<_>>(), [epoch + 1]);
        assert!(store.history(&id("a"), epoch + 1, 10).await.unwrap().is_empty());
        assert!(store.history(&id("a"), u64::MAX, 10).await.unwrap().is_empty());
        assert_eq!(put(&store, None, 2, 2).await.unwrap(), second);
    }
}

#[tokio::test]
async fn a_claim_tells_neighbouring_epochs_apart() {
    let server = server();
    let store = store(&server).await;
    let before = record_of(LONG - 1);
    let record = store.compare_and_swap(&id("a"), Expect::Absent, &change(Some(&before), 1, 1)).await.unwrap();
    let expecting = |epoch| {
        let expect = Expect::Exact { epoch, etag: record.etag };
        ClaimRequest { expect, ..claim_of("x", 1) }
    };
    for wrong in [LONG - 1, LONG + 1] {
        let refused = store.claim(&id("a"), &expecting(wrong)).await;
        assert!(matches!(refused, Err(ClaimError::OtherRecord { current: Some(_) })), "{wrong}: {refused:?}");
    }
    store.claim(&id("a"), &expecting(LONG)).await.unwrap();
    let stored = store.claimed(&id("a"), &"x".parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(stored.epoch, LONG);
}

#[tokio::test]
async fn tokens_above_two_to_the_fifty_three_grow_by_one() {
    let server = server();
    let store = store(&server).await;
    let item = "x".parse().unwrap();
    let first = claim(&store, "x", 1).await;
    store.release(&id("a"), &item, first.token).await.unwrap();
    // The next token is odd, which no number of Lua's is up there.
    server.command(&["HSET", "{cutover:a}:claim:x", "token", &(LONG + 1).to_string()]).unwrap();
    let next = claim(&store, "x", 2).await.token;
    assert_eq!(next, LONG + 2);
    for wrong in [next - 1, next + 1] {
        let refused = store.complete(&id("a"), &item, wrong).await;
        assert!(matches!(refused, Err(ClaimError::Lost { .. })), "{wrong}: {refused:?}");
    }
    store.complete(&id("a"), &item, next).await.unwrap();
    assert_eq!(store.claimed(&id("a"), &item).await.unwrap().unwrap().token, next);
}

#[tokio::test]
async fn the_last_possible_token_is_not_followed_by_another() {
    let server = server();
    let store = store(&server).await;
    let first = claim(&store, "x", 1).await;
    store.release(&id("a"), &"x".parse().unwrap(), first.token).await.unwrap();
    server.command(&["HSET", "{cutover:a}:claim:x", "token", &i64::MAX.to_string()]).unwrap();
    let before = super::common::contents(&server);
    assert!(store.claim(&id("a"), &claim_of("x", 2)).await.is_err());
    assert_eq!(super::common::contents(&server), before);
}
