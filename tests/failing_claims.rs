//! `FailingStore` lets claims fail as scripted, and says truly whether they took place.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::store::{ClaimError, ClaimRequest, ClaimState, ClaimStore, Expect, MigrationId};
use cutover::testing::{FailingStore, Fault, SlowStore, VirtualRuntime};
use cutover::{Clock, MemoryStore, Side, StoreError};

const TTL: Duration = Duration::from_secs(60);

fn request(op_id: u128) -> ClaimRequest {
    let (item, holder) = ("item".parse().unwrap(), "worker".parse().unwrap());
    ClaimRequest { item, side: Side::Legacy, expect: Expect::Absent, holder, op_id, ttl: TTL }
}

fn failing() -> (VirtualRuntime, FailingStore<MemoryStore>, MigrationId) {
    let runtime = VirtualRuntime::new();
    let store = FailingStore::new(MemoryStore::with_clock(runtime.clock()), runtime.clone());
    (runtime, store, "triage".parse().unwrap())
}

fn unknown<T>(answer: &Result<T, ClaimError>) -> bool {
    matches!(answer, Err(ClaimError::Store(StoreError::OutcomeUnknown(_))))
}

#[test]
fn a_claim_of_unknown_outcome_was_granted_or_not_as_scripted() {
    let (runtime, store, id) = failing();
    let item = request(1).item;
    store.script_writes([Some(Fault::UnknownWithoutApplying), Some(Fault::UnknownAfterApplying)]);
    assert!(unknown(&runtime.run(store.claim(&id, &request(1)))));
    assert_eq!(runtime.run(store.claimed(&id, &item)).unwrap(), None);
    assert!(unknown(&runtime.run(store.claim(&id, &request(1)))));
    assert_eq!(runtime.run(store.claim(&id, &request(1))).unwrap().token, 1);
    store.script_writes([Some(Fault::UnknownWithoutApplying), Some(Fault::UnknownAfterApplying)]);
    assert!(unknown(&runtime.run(store.complete(&id, &item, 1))));
    let state = |store: &FailingStore<_>| runtime.run(store.claimed(&id, &item)).unwrap().unwrap().state;
    assert_eq!(state(&store), ClaimState::Held { remaining: TTL });
    assert!(unknown(&runtime.run(store.complete(&id, &item, 1))));
    assert_eq!(state(&store), ClaimState::Completed);
}

#[test]
fn a_scripted_refusal_changes_nothing() {
    let (runtime, store, id) = failing();
    store.script_writes([Some(Fault::Conflict), Some(Fault::Unavailable), None, Some(Fault::Conflict)]);
    let refused = runtime.run(store.claim(&id, &request(1)));
    assert!(matches!(refused, Err(ClaimError::OtherRecord { current: None })), "{refused:?}");
    let failed = runtime.run(store.claim(&id, &request(1)));
    assert!(matches!(failed, Err(ClaimError::Store(StoreError::Unavailable(_)))), "{failed:?}");
    assert_eq!(runtime.run(store.claim(&id, &request(1))).unwrap().token, 1);
    let lost = runtime.run(store.renew(&id, &request(1).item, 1, TTL));
    assert!(matches!(lost, Err(ClaimError::Lost { token: 1 })), "{lost:?}");
    store.script_reads([Some(Fault::Corrupt)]);
    assert!(matches!(runtime.run(store.expired(&id, 1)), Err(StoreError::Corrupt(_))));
    assert_eq!(runtime.run(store.expired(&id, 1)).unwrap(), []);
}

#[test]
fn a_slow_claim_takes_its_time_and_is_granted() {
    let runtime = VirtualRuntime::new();
    let memory = MemoryStore::with_clock(runtime.clock());
    let store = SlowStore::new(memory, runtime.clone(), Duration::from_secs(2));
    let started = runtime.clock().now();
    let grant = runtime.run(store.claim(&"triage".parse().unwrap(), &request(1))).unwrap();
    assert_eq!((grant.token, runtime.clock().now().since(started)), (1, Duration::from_secs(4)));
}
