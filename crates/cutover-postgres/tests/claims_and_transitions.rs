//! A claim is granted by the record that holds when the grant is committed, and neither holds up the other for long.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and prints its figures"
)]

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{Database, change, id, number, percentiles, put, request, timed};
use cutover::store::{ClaimError, ClaimStore as _, Expect, Record};
use cutover::{StateStore as _, StoreError};
use tokio::task::JoinSet;

/// Claims one new item after the other by what it believes to be the record, until it is told to stop. Says how long each
/// grant took.
async fn claim_on_and_on(database: Database, worker: u128, stop: Arc<AtomicBool>) -> Vec<Duration> {
    let (store, a, mut granted) = (database.store(), id("a"), Vec::new());
    let mut believed = store.load(&a).await.unwrap();
    for item in 1.. {
        if stop.load(Ordering::Relaxed) {
            break;
        }
        let op_id = worker << 64 | item;
        let claim = request(&format!("{worker} {item}"), op_id, Expect::of(believed.as_ref()));
        let (answer, time) = timed(store.claim(&a, &claim)).await;
        match answer {
            Ok(_) => granted.push(time),
            Err(ClaimError::OtherRecord { current }) => believed = current.map(|record| *record),
            Err(error) => panic!("{error:?}"),
        }
    }
    granted
}

async fn granted_at(database: &Database, epoch: u64) -> u64 {
    let sql = format!("SELECT count(*) FROM cutover_claims WHERE epoch = {epoch}");
    number(database, &sql).await
}

/// Makes transitions while workers claim, and checks that after each one is acknowledged nothing is granted by the record
/// before it. Gives how long a transition took, in the median and in the worst case.
async fn race(database: &Database, workers: u128, transitions: u128) -> (Duration, Duration) {
    let stop = Arc::new(AtomicBool::new(false));
    let mut claiming = JoinSet::new();
    for worker in 1..=workers {
        claiming.spawn(claim_on_and_on(database.clone(), worker, Arc::clone(&stop)));
    }
    let (store, a) = (database.store(), id("a"));
    let (mut last, mut seen, mut times): (Option<Record>, Vec<u64>, Vec<Duration>) = (None, Vec::new(), Vec::new());
    for op_id in 1..=transitions {
        tokio::time::sleep(Duration::from_millis(10)).await;
        let (stored, time) = timed(put(&store, &a, last.as_ref(), op_id)).await;
        last = Some(stored.unwrap());
        times.push(time);
        seen.push(granted_at(database, seen.len() as u64).await);
    }
    stop.store(true, Ordering::Relaxed);
    let granted: Vec<_> = claiming.join_all().await.into_iter().flatten().collect();
    let ((transition, worst), claims) = (percentiles(times), granted.len());
    let (claim, _) = percentiles(granted);
    println!(
        "{workers} workers: {claims} claims took {claim:?} in the median, {transitions} transitions {transition:?}"
    );
    println!("the slowest transition took {worst:?}");
    for (epoch, seen) in (0..).zip(seen) {
        assert_eq!(granted_at(database, epoch).await, seen, "granted by epoch {epoch} after it was replaced");
    }
    (transition, worst)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_granted_by_a_record_after_its_successor_is_acknowledged() {
    race(&Database::new().await, 6, 60).await;
}

/// Lets a statement sleep for half a second, `when` a trigger is called.
async fn slow_down(database: &Database, when: &str) {
    let sql = format!(
        "CREATE FUNCTION slow_down() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.5); RETURN NEW; END $$;
         CREATE TRIGGER slow_down {when} EXECUTE FUNCTION slow_down()"
    );
    database.client().await.batch_execute(&sql).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transition_waits_for_a_claim_that_is_being_granted_by_the_record_before_it() {
    for expect_none in [true, false] {
        let (database, a) = (Database::new().await, id("a"));
        let store = database.store();
        // Makes what stands for "no record yet".
        store.claim(&a, &request("other", 7, Expect::Absent)).await.unwrap();
        let first = if expect_none { None } else { Some(put(&store, &a, None, 1).await.unwrap()) };
        slow_down(&database, "BEFORE INSERT ON cutover_claims FOR EACH ROW").await;
        let (other, expect) = (database.store(), Expect::of(first.as_ref()));
        let claiming = tokio::spawn(async move { other.claim(&id("a"), &request("x", 1, expect)).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        put(&store, &a, first.as_ref(), 2).await.unwrap();
        let there = store.claimed(&a, &"x".parse().unwrap()).await.unwrap().is_some();
        let granted = claiming.await.unwrap().is_ok();
        assert!(granted && there, "granted {granted}, and there when the transition was acknowledged: {there}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_claim_waits_for_a_transition_that_is_being_stored_and_is_refused() {
    for expect_none in [true, false] {
        let (database, a) = (Database::new().await, id("a"));
        let store = database.store();
        store.claim(&a, &request("other", 7, Expect::Absent)).await.unwrap();
        let first = if expect_none { None } else { Some(put(&store, &a, None, 1).await.unwrap()) };
        slow_down(&database, "AFTER UPDATE ON cutover_gates FOR EACH ROW WHEN (NEW.gate = 0)").await;
        let (other, before) = (database.store(), first.clone());
        let changing = tokio::spawn(async move { put(&other, &id("a"), before.as_ref(), 2).await });
        tokio::time::sleep(Duration::from_millis(200)).await;
        let answer = store.claim(&a, &request("x", 1, Expect::of(first.as_ref()))).await;
        let stored = changing.await.unwrap().unwrap();
        let Err(ClaimError::OtherRecord { current: Some(current) }) = answer else { panic!("{answer:?}") };
        assert_eq!(*current, stored);
    }
}

/// Many claim without a pause, and each commit reaches the disk: the worst case for whoever wants to roll back. Claims that
/// lock the record `FOR SHARE` let it wait for as long as there are claims.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_transition_is_not_starved_by_claims() {
    let server = cutover_test_servers::PostgresServer::start(&[("fsync", "on"), ("commit_delay", "3000")]).unwrap();
    let (median, worst) = race(&Database::on(&server).await, 32, 30).await;
    // The default deadline of a controller.
    assert!(worst < Duration::from_secs(2), "median {median:?}, worst {worst:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_record_and_claims_without_one_exclude_each_other() {
    for _ in 0..20 {
        let database = Database::new().await;
        let mut claiming = JoinSet::new();
        for worker in 1..=4_u128 {
            let store = database.store();
            claiming.spawn(async move {
                let answer = store.claim(&id("a"), &request(&format!("{worker}"), worker, Expect::Absent)).await;
                assert!(matches!(answer, Ok(_) | Err(ClaimError::OtherRecord { .. })), "{answer:?}");
            });
        }
        put(&database.store(), &id("a"), None, 1).await.unwrap();
        let seen = granted_at(&database, 0).await;
        claiming.join_all().await;
        assert_eq!(granted_at(&database, 0).await, seen);
    }
}

/// The host's own transaction holds the item for long, and the lease runs out meanwhile: whoever claims the item waits, but
/// nobody else does, and the answer is that of the end.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_slow_transaction_of_the_host_holds_up_no_transition() {
    for commits in [true, false] {
        let (database, a) = (Database::new().await, id("a"));
        let store = database.store();
        let first = put(&store, &a, None, 1).await.unwrap();
        let expect = Expect::of(Some(&first));
        let short = cutover::store::ClaimRequest { ttl: Duration::from_millis(200), ..request("x", 1, expect) };
        let grant = store.claim(&a, &short).await.unwrap();
        let mut client = database.client().await;
        let transaction = client.transaction().await.unwrap();
        store.complete_in(&transaction, &a, &short.item, grant.token).await.unwrap();
        tokio::time::sleep(Duration::from_millis(250)).await;

        let other = database.store();
        let waiting = tokio::spawn(async move { other.claim(&id("a"), &request("x", 2, expect)).await });
        tokio::time::sleep(Duration::from_millis(100)).await;
        assert!(!waiting.is_finished(), "it does not wait for the transaction");
        let (second, time) = timed(put(&store, &a, Some(&first), 2)).await;
        assert!(second.is_ok() && time < Duration::from_millis(500), "{second:?} after {time:?}");
        let (claimed, time) = timed(store.claim(&a, &request("y", 3, Expect::of(second.as_ref().ok())))).await;
        assert!(claimed.is_ok() && time < Duration::from_millis(500), "{claimed:?} after {time:?}");

        if commits { transaction.commit().await } else { transaction.rollback().await }.unwrap();
        let answer = waiting.await.unwrap();
        assert!(matches!(answer, Err(ClaimError::OtherRecord { .. })), "commits: {commits}, {answer:?}");
        let present = store.claimed(&a, &short.item).await.unwrap().unwrap();
        assert_eq!(present.token, 1, "granted by a record that is gone");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_stale_token_changes_nothing_and_the_next_one_is_larger() {
    let (database, a) = (Database::new().await, id("a"));
    let store = database.store();
    let short = cutover::store::ClaimRequest { ttl: Duration::from_millis(50), ..request("x", 1, Expect::Absent) };
    let old = store.claim(&a, &short).await.unwrap();
    tokio::time::sleep(Duration::from_millis(80)).await;
    let new = database.store().claim(&a, &request("x", 2, Expect::Absent)).await.unwrap();
    assert!(new.token > old.token);
    let before = store.claimed(&a, &short.item).await.unwrap().unwrap();
    let answers = [
        store.renew(&a, &short.item, old.token, Duration::from_secs(9)).await,
        store.complete(&a, &short.item, old.token).await,
        store.release(&a, &short.item, old.token).await,
    ];
    for answer in answers {
        assert!(matches!(answer, Err(ClaimError::Lost { token }) if token == old.token), "{answer:?}");
    }
    let after = store.claimed(&a, &short.item).await.unwrap().unwrap();
    assert_eq!((after.token, after.holder), (before.token, before.holder));
    store.complete(&a, &short.item, new.token).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn tokens_and_epochs_above_2_to_the_53_are_exact() {
    let (database, a) = (Database::new().await, id("a"));
    let store = database.store();
    let first = put(&store, &a, None, 1).await.unwrap();
    let expect = Expect::of(Some(&first));
    store.claim(&a, &request("x", 1, expect)).await.unwrap();
    for token in [(1_u64 << 53) + 1, i64::MAX as u64 + 7, u64::MAX - 2] {
        database.ask(&format!("UPDATE cutover_claims SET token = {token}, state = 'released'")).await;
        let grant = store.claim(&a, &request("x", 2, expect)).await.unwrap();
        assert_eq!(grant.token, token + 1);
        store.release(&a, &"x".parse().unwrap(), grant.token).await.unwrap();
    }

    let mut json = serde_json::from_str::<serde_json::Value>(&first.to_json().unwrap()).unwrap();
    json["epoch"] = (u64::MAX - 1).into();
    let planted = Record::from_json(json.to_string().as_bytes()).unwrap();
    let client = database.client().await;
    let sql = "UPDATE cutover_state SET epoch = 18446744073709551614, record = $1";
    client.execute(sql, &[&planted.to_json().unwrap()]).await.unwrap();
    assert_eq!(store.load(&a).await.unwrap(), Some(planted.clone()));
    let stored = store.compare_and_swap(&a, Expect::of(Some(&planted)), &change(Some(&planted), 7, 9)).await.unwrap();
    assert_eq!(stored.epoch, u64::MAX);
    assert_eq!(store.history(&a, u64::MAX - 1, 5).await.unwrap()[0].epoch, u64::MAX);
    let refused = store.compare_and_swap(&a, Expect::of(Some(&planted)), &change(Some(&planted), 7, 10)).await;
    assert!(matches!(refused, Err(StoreError::Conflict { current: Some(current) }) if *current == stored));
}
