//! An item has at most one holder and one completion, whatever the mode becomes meanwhile and whoever is too slow.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::clock::Instant;
use cutover::store::{ClaimError, ClaimRequest, ClaimStore, Expect, Record};
use cutover::{Clock, MemoryStore, Side, StateStore, SystemMode};
use shuttle::future::spawn;
use shuttle::rand::{RngCore, thread_rng};

use crate::explore::{Seen, controller, explore, one_in, pause};
use crate::store::id;

/// How long a lease lasts.
const LEASE: Duration = Duration::from_secs(4);
/// How often each claimer tries.
const TRIES: usize = 3;

#[test]
fn an_item_never_has_two_valid_holders() {
    let seen = Sightings::default();
    let counted = seen.clone();
    explore("three claimers of one item", move || race(Item::new(counted.clone())));
    seen.refused.assert_often("a claim was refused to another one");
    seen.expired.assert_often("a lease ran out before its item was completed");
    seen.overtaken.assert_often("the record was another one than expected");
    seen.completed.assert_often("an item was completed");
}

#[derive(Debug, Clone, Default)]
struct Sightings {
    refused: Seen,
    expired: Seen,
    overtaken: Seen,
    completed: Seen,
}

/// One item, and what its claimers believe.
#[derive(Debug)]
struct Item {
    store: MemoryStore,
    hands: Hands,
    ledger: Mutex<Ledger>,
    seen: Sightings,
}

#[derive(Debug, Default)]
struct Ledger {
    /// Tokens in the order of their grants.
    granted: Vec<u64>,
    /// Who believes to hold the item, and until when.
    holders: Vec<(u64, Instant)>,
    completions: usize,
}

async fn race(item: Arc<Item>) {
    let claimers = [Side::Legacy, Side::Legacy, Side::New].map(|side| spawn(claimer(Arc::clone(&item), side)));
    let passing = spawn(pass_time(item.hands.clone()));
    let controller = controller(item.store.clone(), 1).manual_refresh().open().await.expect("the store answers");
    for mode in [SystemMode::Parallel, SystemMode::NewOnly, SystemMode::Parallel] {
        pause().await;
        controller.transition(mode, "ana", "on").await.expect("it is allowed");
    }
    for task in claimers.into_iter().chain([passing]) {
        task.await.expect("it was not cancelled");
    }
    let granted = &item.ledger.lock().unwrap().granted;
    assert!(granted.iter().copied().eq(1..=granted.len() as u64), "tokens {granted:?}");
}

async fn pass_time(hands: Hands) {
    for _ in 0..8 {
        pause().await;
        hands.advance(Duration::from_secs(1));
    }
}

/// Processes the item for its side as long as that side serves.
async fn claimer(item: Arc<Item>, side: Side) {
    for _ in 0..TRIES {
        pause().await;
        let record = item.store.load(&id()).await.expect("a store in memory answers");
        pause().await;
        let mode = record.as_ref().map_or_else(SystemMode::default, |record| record.mode);
        if mode.routing(false).serves == side {
            item.process(side, record.as_ref()).await;
        }
    }
}

impl Item {
    fn new(seen: Sightings) -> Arc<Self> {
        let hands = Hands::default();
        Arc::new(Self { store: MemoryStore::with_clock(hands.clone()), hands, ledger: Mutex::default(), seen })
    }

    async fn process(&self, side: Side, record: Option<&Record>) {
        // The holder counts from before it asks: its lease ends no later than the store's.
        let until = self.hands.now().plus(LEASE);
        pause().await;
        let Some(token) = self.claim(side, record, until).await else { return };
        pause().await;
        self.check_holders();
        if one_in(3) {
            self.stop_believing(token);
            return self.release(token).await;
        }
        for _ in 0..2 {
            pause().await;
            self.check_holders();
        }
        self.complete(token).await;
    }

    async fn claim(&self, side: Side, record: Option<&Record>, until: Instant) -> Option<u64> {
        let request = ClaimRequest {
            item: "ticket 17".parse().expect("it is one"),
            side,
            expect: Expect::of(record),
            holder: "worker".parse().expect("it is one"),
            op_id: u128::from(thread_rng().next_u64()),
            ttl: LEASE,
        };
        match self.store.claim(&id(), &request).await {
            Ok(grant) => {
                let mut ledger = self.ledger.lock().unwrap();
                assert_eq!(ledger.completions, 0, "a completed item was claimed");
                ledger.granted.push(grant.token);
                ledger.holders.push((grant.token, until));
                Some(grant.token)
            }
            Err(ClaimError::Held { .. }) => {
                self.seen.refused.happened();
                None
            }
            Err(ClaimError::OtherRecord { .. }) => {
                self.seen.overtaken.happened();
                None
            }
            Err(ClaimError::Completed) => None,
            Err(error) => panic!("{error}"),
        }
    }

    async fn complete(&self, token: u64) {
        let completed = self.store.complete(&id(), &"ticket 17".parse().expect("it is one"), token).await;
        match completed {
            Ok(()) => {
                let mut ledger = self.ledger.lock().unwrap();
                ledger.completions += 1;
                assert_eq!(ledger.completions, 1, "token {token}");
                assert_eq!(ledger.granted.last(), Some(&token), "an old token completed");
                self.seen.completed.happened();
            }
            Err(ClaimError::Lost { .. } | ClaimError::Completed) => {
                self.seen.expired.happened();
                assert!(!self.believes(token), "token {token} was lost before its lease ran out");
            }
            Err(error) => panic!("{error}"),
        }
        self.stop_believing(token);
    }

    async fn release(&self, token: u64) {
        pause().await;
        match self.store.release(&id(), &"ticket 17".parse().expect("it is one"), token).await {
            Ok(()) | Err(ClaimError::Lost { .. } | ClaimError::Completed) => {}
            Err(error) => panic!("{error}"),
        }
    }

    fn check_holders(&self) {
        let now = self.hands.now();
        let ledger = self.ledger.lock().unwrap();
        let valid = ledger.holders.iter().filter(|(_, until)| now < *until).count();
        assert!(valid <= 1, "{:?} at {now:?}", ledger.holders);
    }

    fn believes(&self, token: u64) -> bool {
        let now = self.hands.now();
        self.ledger.lock().unwrap().holders.iter().any(|&(holder, until)| holder == token && now < until)
    }

    fn stop_believing(&self, token: u64) {
        self.ledger.lock().unwrap().holders.retain(|&(holder, _)| holder != token);
    }
}

/// The store's clock, which the schedule moves.
#[derive(Debug, Clone, Default)]
struct Hands(Arc<AtomicU64>);

impl Hands {
    fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_nanos()).expect("it is short"), Ordering::Relaxed);
    }
}

impl Clock for Hands {
    fn now(&self) -> Instant {
        Instant::from_nanos(self.0.load(Ordering::Relaxed))
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH
    }
}
