//! A full disk is a typed error, what was stored stays, and the store goes on when there is room again.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use cutover::StateStore;
use cutover::StoreError;
use cutover::store::DiscrepancyStore;
use cutover::testing::discrepancy;
use cutover_sqlite::SqliteStore;
use futures::executor::block_on;

#[cfg(target_os = "linux")]
#[path = "common/child.rs"]
mod child;
mod common;

use common::{advance, id};

#[test]
fn a_file_that_may_not_grow_refuses_writes_until_something_is_cleared() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::builder().max_bytes(256 * 1024).open(folder.path().join("store.sqlite")).unwrap();
    let first = block_on(advance(&store, 1)).unwrap();
    let mut number = 0;
    let full = loop {
        number += 1;
        match block_on(store.add(&id(), &[discrepancy("search", number)])) {
            Ok(_) => assert!(number < 10_000, "it never fills"),
            Err(error) => break error,
        }
    };
    assert!(matches!(full, StoreError::Unavailable(_)), "{full:?}");
    let (last, _, refused) = fill_with_changes(&store);
    assert!(matches!(refused, StoreError::Unavailable(_)), "{refused:?}");
    assert!(last >= first.epoch);
    assert_eq!(block_on(store.load(&id())).unwrap().unwrap().epoch, last);
    assert_eq!(block_on(store.history(&id(), 0, 10_000)).unwrap().len() as u64, last);

    block_on(store.clear(&id())).unwrap();
    assert_eq!(block_on(advance(&store, 1_000_000_000)).unwrap().epoch, last + 1);
}

/// Changes the record until that fails; the last epoch, the operation that failed, and its error.
fn fill_with_changes(store: &SqliteStore) -> (u64, u128, StoreError) {
    let mut last = 1;
    for op_id in 2.. {
        match block_on(advance(store, op_id)) {
            Ok(stored) => last = stored.epoch,
            Err(error) => return (last, op_id, error),
        }
    }
    unreachable!("it never fills")
}

#[cfg(target_os = "linux")]
mod real {
    use std::env::current_exe;
    use std::process::Command;

    use cutover::store::{AuditVerifier, Expect};
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

    use super::child;
    use super::common::change;
    use super::*;

    /// The operating system refuses to let files grow, so that a commit fails while it is written.
    #[test]
    fn a_commit_that_the_device_cuts_off_is_uncertain_and_may_be_repeated() {
        if let Some(path) = child::task() {
            return fill(&SqliteStore::open(path).unwrap());
        }
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.sqlite");
        let name = "real::a_commit_that_the_device_cuts_off_is_uncertain_and_may_be_repeated";
        let test = child::process(current_exe().unwrap(), name, path.to_str().unwrap());
        // A process that writes beyond its limit gets a signal, which would end it.
        let mut shell = Command::new("sh");
        shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(test.get_program()).args(test.get_args());
        shell.envs(test.get_envs().map(|(name, value)| (name, value.unwrap())));
        let end = shell.output().unwrap();
        assert!(end.status.success(), "{}", String::from_utf8_lossy(&end.stderr));

        let store = SqliteStore::open(&path).unwrap();
        let mut verifier = AuditVerifier::new();
        let history = block_on(store.history(&id(), 0, 1_000)).unwrap();
        history.iter().try_for_each(|entry| verifier.follow(entry)).unwrap();
        assert_eq!(block_on(store.load(&id())).unwrap().unwrap().epoch, verifier.head().epoch);
    }

    fn fill(store: &SqliteStore) {
        let room = getrlimit(Resource::Fsize);
        limit(Rlimit { current: Some(256 * 1024), ..room });
        let (last, op_id, error) = fill_with_changes(store);
        assert!(matches!(error, StoreError::OutcomeUnknown(_)), "{error:?}");
        assert!(last > 10, "{last}");
        let before = block_on(store.load(&id())).unwrap().unwrap();
        assert_eq!(before.epoch, last, "what was acknowledged is still there");
        let again = block_on(advance(store, 7_777)).unwrap_err();
        assert!(matches!(again, StoreError::OutcomeUnknown(_)), "{again:?}");

        limit(room);
        let cut_off = change(Some(&before), op_id);
        let repeated = block_on(store.compare_and_swap(&id(), Expect::of(Some(&before)), &cut_off)).unwrap();
        assert_eq!(repeated, *cut_off.record());
        assert_eq!(block_on(store.load(&id())).unwrap(), Some(repeated));
        assert_eq!(block_on(store.history(&id(), 0, 1_000)).unwrap().len() as u64, last + 1);
    }

    fn limit(to: Rlimit) {
        setrlimit(Resource::Fsize, to).unwrap();
    }
}
