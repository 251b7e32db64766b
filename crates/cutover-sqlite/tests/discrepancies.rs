//! Discrepancies of all processes are merged, bounded and kept apart by migration.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover::Discrepancy;
use cutover::store::{Added, DiscrepancyStore, MAX_DISTINCT, MigrationId};
use cutover::testing::discrepancy;
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;
use tempfile::TempDir;

fn id(name: &str) -> MigrationId {
    name.parse().unwrap()
}

/// Two stores on one file.
fn stores() -> (TempDir, [SqliteStore; 2]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let stores = [SqliteStore::open(&path).unwrap(), SqliteStore::open(&path).unwrap()];
    (folder, stores)
}

#[test]
fn what_two_stores_add_is_merged_and_the_first_sample_stays() {
    let (_folder, [one, other]) = stores();
    let mut later = discrepancy("search", 1);
    later.occurrences = 4;
    later.epoch = 99;
    let batch = [discrepancy("search", 1), discrepancy("search", 2), later.clone()];
    assert_eq!(block_on(one.add(&id("a"), &batch)).unwrap(), Added { added: 2, merged: 1, dropped: 0 });
    assert_eq!(block_on(other.add(&id("a"), &[later])).unwrap(), Added { added: 0, merged: 1, dropped: 0 });

    let page = block_on(one.page(&id("a"), None, 10)).unwrap();
    let first = page.iter().find(|kept| kept.fingerprint == discrepancy("search", 1).fingerprint).unwrap();
    let mut expected = discrepancy("search", 1);
    expected.occurrences = 9;
    assert_eq!(*first, expected);
}

#[test]
fn pages_follow_the_fingerprints_and_migrations_do_not_see_each_other() {
    let (_folder, [one, other]) = stores();
    let all: Vec<_> = (0..25).map(|number| discrepancy("search", number)).collect();
    block_on(one.add(&id("a"), &all)).unwrap();
    block_on(one.add(&id("b"), &all[..1])).unwrap();

    let mut paged = Vec::<Discrepancy>::new();
    loop {
        let after = paged.last().map(|last| last.fingerprint);
        let page = block_on(other.page(&id("a"), after, 10)).unwrap();
        if page.is_empty() {
            break;
        }
        paged.extend(page);
    }
    let mut sorted = all;
    sorted.sort_by_key(|one| one.fingerprint);
    assert_eq!(paged, sorted);

    block_on(other.clear(&id("a"))).unwrap();
    assert_eq!(block_on(one.page(&id("a"), None, 10)).unwrap(), []);
    assert_eq!(block_on(one.page(&id("b"), None, 10)).unwrap().len(), 1);
}

#[test]
fn as_many_fingerprints_are_kept_as_the_law_says_and_they_go_on_counting() {
    let (_folder, [one, other]) = stores();
    let all: Vec<_> = (0..MAX_DISTINCT as u64 + 3).map(|number| discrepancy("search", number)).collect();
    let added = block_on(one.add(&id("a"), &all)).unwrap();
    assert_eq!(added, Added { added: MAX_DISTINCT, merged: 0, dropped: 3 });
    let added = block_on(other.add(&id("a"), &[all[0].clone(), all[MAX_DISTINCT].clone()])).unwrap();
    assert_eq!(added, Added { added: 0, merged: 1, dropped: 1 });
    assert_eq!(block_on(one.page(&id("a"), None, usize::MAX)).unwrap().len(), MAX_DISTINCT);
}
