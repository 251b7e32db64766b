//! Processes share the file: all write and read at once, and no change is lost.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::current_exe;
use std::path::Path;

use cutover::store::AuditVerifier;
use cutover::{StateStore, StoreError};
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;

#[path = "common/child.rs"]
mod child;
mod common;

use common::{advance, id};

const PROCESSES: u128 = 4;
const CHANGES: u128 = 50;

#[test]
fn four_processes_write_fifty_changes_each_while_others_read() {
    if let Some(task) = child::task() {
        let (number, path) = task.split_once(' ').unwrap();
        return block_on(write(number.parse().unwrap(), Path::new(path)));
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let name = "four_processes_write_fifty_changes_each_while_others_read";
    let process = |number| child::process(current_exe().unwrap(), name, &format!("{number} {}", path.display()));
    // They race for making the file, too.
    let writers: Vec<_> = (0..PROCESSES).map(|number| process(number).spawn().unwrap()).collect();
    let store = SqliteStore::open(&path).unwrap();
    let mut seen = 0;
    let ends: Vec<_> = writers
        .into_iter()
        .map(|mut writer| {
            while writer.try_wait().unwrap().is_none() {
                let epoch = block_on(store.load(&id())).unwrap().map_or(0, |record| record.epoch);
                assert!(epoch >= seen, "{epoch} after {seen}");
                seen = epoch;
            }
            writer.wait_with_output().unwrap()
        })
        .collect();
    for end in ends {
        assert!(end.status.success(), "{}", end.status);
    }

    let all = u64::try_from(PROCESSES * CHANGES).unwrap();
    let history = block_on(store.history(&id(), 0, usize::MAX)).unwrap();
    let mut verifier = AuditVerifier::new();
    history.iter().try_for_each(|entry| verifier.follow(entry)).unwrap();
    assert_eq!(block_on(store.load(&id())).unwrap().unwrap().epoch, all);
    assert_eq!(verifier.head().epoch, all);
}

async fn write(number: u128, path: &Path) {
    let store = SqliteStore::open(path).unwrap();
    for op_id in (number * CHANGES)..((number + 1) * CHANGES) {
        while let Err(error) = advance(&store, op_id).await {
            assert!(matches!(error, StoreError::Conflict { .. }), "{error:?}");
        }
    }
}
