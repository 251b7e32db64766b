//! Discrepancies of all processes are merged, counted without loss, kept in order and bounded.

use std::time::{Duration, UNIX_EPOCH};

use cutover::record::Discrepancy;
use cutover::store::{Added, DiscrepancyStore, MAX_DISTINCT};
use cutover::testing::discrepancy;
use cutover_redis::RedisStore;
use serde_json::json;

use super::common::{id, server, store};

fn seen(number: u64, at: u64, occurrences: u64) -> Discrepancy {
    let mut discrepancy = discrepancy("search", number);
    discrepancy.occurrences = occurrences;
    discrepancy.first_seen = UNIX_EPOCH + Duration::from_millis(at);
    discrepancy.last_seen = UNIX_EPOCH + Duration::from_millis(at + 5);
    discrepancy
}

async fn all(store: &RedisStore) -> Vec<Discrepancy> {
    store.page(&id("a"), None, usize::MAX).await.unwrap()
}

#[tokio::test]
async fn what_is_added_again_is_merged_and_the_first_sample_stays() {
    let server = server();
    let store = store(&server).await;
    let mut first = seen(1, 1000, 2);
    first.key = Some("first".to_owned());
    let mut again = seen(1, 9, 3);
    again.key = Some("again".to_owned());
    let latest = seen(1, 10_000, 1);
    let batch = [first.clone(), again.clone(), seen(2, 5, 1)];
    assert_eq!(store.add(&id("a"), &batch).await.unwrap(), Added { added: 2, merged: 1, dropped: 0 });
    assert_eq!(
        store.add(&id("a"), std::slice::from_ref(&latest)).await.unwrap(),
        Added { added: 0, merged: 1, dropped: 0 }
    );
    first.merge(&again);
    first.merge(&latest);
    assert_eq!(first.occurrences, 6);
    let kept = all(&store).await;
    assert!(kept.contains(&first) && kept.len() == 2, "{kept:?}");
    assert_eq!(store.page(&id("b"), None, 10).await.unwrap(), []);
}

#[tokio::test]
async fn counts_above_two_to_the_fifty_three_are_exact_and_never_turn_negative() {
    let server = server();
    let store = store(&server).await;
    let long = (1 << 53) + 1;
    store.add(&id("a"), &[seen(1, 1, long), seen(1, 1, 1)]).await.unwrap();
    assert_eq!(all(&store).await[0].occurrences, long + 1);
    for _ in 0..3 {
        store.add(&id("a"), &[seen(1, 1, u64::MAX)]).await.unwrap();
    }
    assert_eq!(all(&store).await[0].occurrences, i64::MAX.unsigned_abs());
}

#[tokio::test]
async fn pages_are_in_the_order_of_fingerprints_and_leave_nothing_out() {
    let server = server();
    let store = store(&server).await;
    let batch: Vec<_> = (0..250).map(|number| seen(number, 1, 1)).collect();
    assert_eq!(store.add(&id("a"), &batch).await.unwrap().added, 250);
    let mut expected: Vec<_> = batch.iter().map(|discrepancy| discrepancy.fingerprint).collect();
    expected.sort_unstable();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = store.page(&id("a"), after, 60).await.unwrap();
        let Some(last) = page.last() else { break };
        assert!(page.len() <= 60);
        after = Some(last.fingerprint);
        found.extend(page.iter().map(|discrepancy| discrepancy.fingerprint));
    }
    assert_eq!(found, expected);
    assert_eq!(store.page(&id("a"), None, 0).await.unwrap(), []);
    store.clear(&id("a")).await.unwrap();
    assert_eq!(all(&store).await, []);
}

#[tokio::test]
async fn no_more_than_the_bound_are_kept_and_those_count_on() {
    let server = server();
    let store = store(&server).await;
    let most = u64::try_from(MAX_DISTINCT).unwrap();
    let batch: Vec<_> = (0..most + 25).map(|number| seen(number, 1, 1)).collect();
    let added = store.add(&id("a"), &batch).await.unwrap();
    assert_eq!(added, Added { added: MAX_DISTINCT, merged: 0, dropped: 25 });
    let again = store.add(&id("a"), &[seen(0, 1, 1), seen(most + 1, 1, 1)]).await.unwrap();
    assert_eq!(again, Added { added: 0, merged: 1, dropped: 1 });
    assert_eq!(all(&store).await.len(), MAX_DISTINCT);
}

#[tokio::test]
async fn a_sample_is_given_back_as_it_was() {
    let server = server();
    let store = store(&server).await;
    let mut sample = seen(1, 1, 1);
    let text = r#"{"empty":[],"long":9007199254740993,"text":"\u0000 ü"}"#;
    sample.context = Some(serde_json::from_value(json!({ "text": text, "truncated": true })).unwrap());
    sample.differences.clear();
    store.add(&id("a"), std::slice::from_ref(&sample)).await.unwrap();
    assert_eq!(all(&store).await, [sample]);
}
