//! A lease of `MemoryStore` ends at the very moment that it was granted for: not before, not after.
#![cfg(feature = "testing")]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use cutover::store::{ClaimError, ClaimRequest, ClaimState, ClaimStore, Expect, Grant, ItemId, MigrationId};
use cutover::testing::ManualClock;
use cutover::{MemoryStore, Side};
use futures::executor::block_on;

const LEASE: Duration = Duration::from_secs(30);
const MOMENT: Duration = Duration::from_nanos(1);

/// One store, and its clock.
struct Stand {
    clock: ManualClock,
    store: MemoryStore,
    id: MigrationId,
}

impl Stand {
    fn new() -> Self {
        let clock = ManualClock::new();
        Self { store: MemoryStore::with_clock(clock.clone()), clock, id: "triage".parse().unwrap() }
    }

    fn claim(&self, name: &str, op_id: u128) -> Result<Grant, ClaimError> {
        let (expect, holder) = (Expect::Absent, "worker 3".parse().unwrap());
        let request = ClaimRequest { item: item(name), side: Side::Legacy, expect, holder, op_id, ttl: LEASE };
        block_on(self.store.claim(&self.id, &request))
    }

    fn state(&self, name: &str) -> ClaimState {
        block_on(self.store.claimed(&self.id, &item(name))).unwrap().unwrap().state
    }

    fn expired(&self, limit: usize) -> Vec<String> {
        let expired = block_on(self.store.expired(&self.id, limit)).unwrap();
        expired.into_iter().map(|claim| claim.item.to_string()).collect()
    }
}

fn item(name: &str) -> ItemId {
    name.parse().unwrap()
}

fn lost(answer: &Result<(), ClaimError>) -> bool {
    matches!(answer, Err(ClaimError::Lost { token: 1 }))
}

#[test]
fn the_holder_may_act_until_the_last_moment() {
    let stand = Stand::new();
    stand.claim("a", 1).unwrap();
    stand.clock.advance(LEASE.saturating_sub(MOMENT));
    assert_eq!(stand.state("a"), ClaimState::Held { remaining: MOMENT });
    assert!(stand.expired(9).is_empty());
    assert!(matches!(stand.claim("a", 2), Err(ClaimError::Held { remaining: MOMENT })));
    assert_eq!(stand.claim("a", 1).unwrap(), Grant { token: 1, remaining: MOMENT });
    block_on(stand.store.renew(&stand.id, &item("a"), 1, LEASE)).unwrap();
    assert_eq!(stand.state("a"), ClaimState::Held { remaining: LEASE });
}

#[test]
fn the_holder_has_lost_it_in_that_moment() {
    let stand = Stand::new();
    stand.claim("a", 1).unwrap();
    stand.clock.advance(LEASE);
    assert_eq!(stand.state("a"), ClaimState::Expired { ago: Duration::ZERO });
    assert_eq!(stand.expired(9), ["a"]);
    assert!(lost(&block_on(stand.store.renew(&stand.id, &item("a"), 1, LEASE))));
    assert!(lost(&block_on(stand.store.complete(&stand.id, &item("a"), 1))));
    assert!(lost(&block_on(stand.store.release(&stand.id, &item("a"), 1))));
    assert_eq!(stand.claim("a", 2).unwrap().token, 2);
    assert!(stand.expired(9).is_empty());
}

#[test]
fn what_expired_first_is_listed_first() {
    let stand = Stand::new();
    for (op_id, name) in (1..).zip(["late", "b", "a"]) {
        stand.claim(name, op_id).unwrap();
    }
    block_on(stand.store.renew(&stand.id, &item("late"), 1, LEASE + MOMENT)).unwrap();
    stand.clock.advance(LEASE + 3 * MOMENT);
    assert_eq!(stand.state("late"), ClaimState::Expired { ago: 2 * MOMENT });
    assert_eq!(stand.expired(9), ["a", "b", "late"]);
    assert_eq!(stand.expired(2), ["a", "b"]);
    assert!(stand.expired(0).is_empty());
}
