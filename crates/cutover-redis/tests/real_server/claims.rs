//! Claims by the clock of the server: who holds an item, for how long, and for how long it is remembered.

use std::time::Duration;

use cutover::Side;
use cutover::store::{ClaimError, ClaimRequest, ClaimState, ClaimStore, Expect, StateStore};
use cutover_test_servers::RedisServer;

use super::common::{claim, claim_of, id, put, server, store, until};

const KEY: &str = "{cutover:a}:claim:x";

fn lives_for(server: &RedisServer) -> i64 {
    server.command(&["PTTL", KEY]).unwrap().parse().unwrap()
}

#[tokio::test]
async fn a_completed_item_is_remembered_as_long_as_asked_for_and_every_other_one_for_ever() {
    let server = server();
    let day = 24 * 60 * 60 * 1000;
    let cases = [(None, Some(30 * day)), (Some(None), None), (Some(Some(Duration::from_secs(5))), Some(5000))];
    for (asked, expected) in cases {
        server.command(&["FLUSHALL"]).unwrap();
        let store = store(&server).await;
        let store = match asked {
            Some(time) => store.keep_completed_for(time),
            None => store,
        };
        let item = "x".parse().unwrap();
        let first = claim(&store, "x", 1).await;
        assert_eq!(lives_for(&server), -1);
        store.release(&id("a"), &item, first.token).await.unwrap();
        assert_eq!(lives_for(&server), -1);
        let second = claim(&store, "x", 2).await;
        store.complete(&id("a"), &item, second.token).await.unwrap();
        let left = lives_for(&server);
        match expected {
            Some(time) => assert!((time - 4000..=time).contains(&left), "{left} of {time}"),
            None => assert_eq!(left, -1),
        }
    }
}

#[tokio::test]
async fn a_completed_item_that_is_forgotten_begins_anew() {
    let server = server();
    let store = store(&server).await.keep_completed_for(Some(Duration::ZERO));
    let first = claim(&store, "x", 1).await;
    store.complete(&id("a"), &"x".parse().unwrap(), first.token).await.unwrap();
    until(async || store.claimed(&id("a"), &"x".parse().unwrap()).await.unwrap().is_none()).await;
    assert_eq!(claim(&store, "x", 2).await.token, 1);
}

#[tokio::test]
async fn leases_run_out_by_the_clock_of_the_server_and_are_listed_oldest_first() {
    let server = server();
    let store = store(&server).await;
    let short =
        |item: &str, op_id, millis| ClaimRequest { ttl: Duration::from_millis(millis), ..claim_of(item, op_id) };
    for (item, op_id, millis) in [("b", 1, 20), ("a", 2, 10), ("done", 3, 30), ("back", 4, 30), ("long", 5, 60_000)] {
        store.claim(&id("a"), &short(item, op_id, millis)).await.unwrap();
        match item {
            "done" => store.complete(&id("a"), &"done".parse().unwrap(), 1).await.unwrap(),
            "back" => store.release(&id("a"), &"back".parse().unwrap(), 1).await.unwrap(),
            _ => {}
        }
    }
    until(async || store.expired(&id("a"), 10).await.unwrap().len() == 2).await;
    let expired = store.expired(&id("a"), 10).await.unwrap();
    let names: Vec<_> = expired.iter().map(|claim| claim.item.as_str()).collect();
    assert!(names == ["a", "b"] || names == ["b", "a"], "{names:?}");
    let ago = |at: usize| {
        let ClaimState::Expired { ago } = expired[at].state else { panic!("{expired:?}") };
        ago
    };
    assert!(ago(0) >= ago(1), "{expired:?}");
    assert_eq!(store.expired(&id("a"), 1).await.unwrap().len(), 1);

    let renewed = store.renew(&id("a"), &"a".parse().unwrap(), 1, Duration::from_secs(60)).await;
    assert!(matches!(renewed, Err(ClaimError::Lost { token: 1 })), "{renewed:?}");
    assert_eq!(store.claim(&id("a"), &short("a", 9, 60_000)).await.unwrap().token, 2);
    assert_eq!(store.expired(&id("a"), 10).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_renewed_lease_lasts_from_the_renewal() {
    let server = server();
    let store = store(&server).await;
    let item = "x".parse().unwrap();
    store.claim(&id("a"), &ClaimRequest { ttl: Duration::from_secs(5), ..claim_of("x", 1) }).await.unwrap();
    store.renew(&id("a"), &item, 1, Duration::from_secs(500)).await.unwrap();
    let claimed = store.claimed(&id("a"), &item).await.unwrap().unwrap();
    let ClaimState::Held { remaining } = claimed.state else { panic!("{claimed:?}") };
    assert!(remaining > Duration::from_secs(400), "{remaining:?}");
    let end = server.command(&["ZSCORE", "{cutover:a}:leases", "x"]).unwrap();
    assert_eq!(end, server.command(&["HGET", KEY, "until"]).unwrap());
}

#[tokio::test]
async fn any_length_of_a_lease_is_taken() {
    let server = server();
    let store = store(&server).await;
    let forever = ClaimRequest { ttl: Duration::MAX, ..claim_of("x", 1) };
    let grant = store.claim(&id("a"), &forever).await.unwrap();
    assert!(grant.remaining > Duration::from_secs(99 * 365 * 24 * 60 * 60), "{grant:?}");
    let none = ClaimRequest { ttl: Duration::ZERO, ..claim_of("y", 2) };
    let grant = store.claim(&id("a"), &none).await.unwrap();
    assert_eq!((grant.token, grant.remaining), (1, Duration::ZERO));
    assert_eq!(claim(&store, "y", 3).await.token, 2);
}

#[tokio::test]
async fn items_may_be_called_anything_and_are_told_apart() {
    let server = server();
    let store = store(&server).await;
    let names = ["x", "x ", "X", "}", "{other}", "{cutover:a}:record", ":", "*", "\u{202E}", "ü", "日本", "-inf", "(x"];
    for (name, op_id) in names.iter().zip(1..) {
        assert_eq!(claim(&store, name, op_id).await.token, 1, "{name}");
    }
    for name in names {
        let stored = store.claimed(&id("a"), &name.parse().unwrap()).await.unwrap().unwrap();
        assert_eq!((stored.item.as_str(), stored.side, stored.epoch, stored.token), (name, Side::Legacy, 0, 1));
    }
    assert_eq!(store.load(&id("a")).await.unwrap(), None);
}

#[tokio::test]
async fn a_claim_by_an_old_record_changes_nothing() {
    let server = server();
    let store = store(&server).await;
    let first = put(&store, None, 1, 1).await.unwrap();
    let second = put(&store, Some(&first), 2, 2).await.unwrap();
    let before = super::common::contents(&server);
    for expect in [Expect::Absent, Expect::of(Some(&first))] {
        let refused = store.claim(&id("a"), &ClaimRequest { expect, ..claim_of("x", 1) }).await;
        let Err(ClaimError::OtherRecord { current }) = refused else { panic!("{refused:?}") };
        assert_eq!(current.as_deref(), Some(&second));
    }
    assert_eq!(super::common::contents(&server), before);
}
