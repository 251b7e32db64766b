//! A file that is damaged, foreign, newer, gone or replaced is told apart by a typed error, never written to, and never
//! taken for a fresh start.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use cutover::store::Expect;
use cutover::{StateStore, StoreError};
use cutover_sqlite::{SqliteError, SqliteStore};
use futures::executor::block_on;
use rusqlite::Connection;
use tempfile::TempDir;

#[path = "common/closed.rs"]
mod closed;
mod common;

use closed::wait_until_closed;
use common::{advance, change, id};

#[test]
fn garbage_is_corrupt_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let garbage: [&[u8]; 4] = [b"", b"x", &[0; 8_192], b"SQLite format 3\0 and then something else entirely"];
    for bytes in garbage {
        let path = folder.path().join("garbage.sqlite");
        private(&path, bytes);
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(error, SqliteError::Corrupt { .. }), "{bytes:?}: {error:?}");
        assert!(matches!(error.into(), StoreError::Corrupt(_)));
        assert_eq!(fs::read(&path).unwrap(), bytes);
    }
}

#[test]
fn a_file_cut_at_any_page_never_reads_as_empty_or_older() {
    let (folder, path) = filled(40);
    let whole = fs::read(&path).unwrap();
    let mut corrupt = 0;
    for kept in (0..whole.len()).step_by(1_024) {
        let cut = folder.path().join("cut.sqlite");
        private(&cut, &whole[..kept]);
        let found = SqliteStore::open(&cut).map_err(StoreError::from).and_then(|store| {
            let record = block_on(store.load(&id()))?;
            let history = block_on(store.history(&id(), 0, 100))?;
            Ok((record, history.len()))
        });
        match found {
            Err(StoreError::Corrupt(_)) => corrupt += 1,
            Ok((record, entries)) => assert_eq!((record.map(|record| record.epoch), entries), (Some(40), 40), "{kept}"),
            Err(error) => panic!("{kept} bytes: {error:?}"),
        }
        wait_until_closed(&cut);
        fs::remove_file(&cut).unwrap();
    }
    assert!(corrupt > 10, "{corrupt}");
}

#[test]
fn a_database_of_another_application_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("foreign.sqlite");
    private(&path, b"");
    let foreign = Connection::open(&path).unwrap();
    foreign.execute_batch("PRAGMA application_id = 7; CREATE TABLE mine (x); INSERT INTO mine VALUES (1)").unwrap();
    drop(foreign);
    let before = fs::read(&path).unwrap();
    let error = SqliteStore::open(&path).unwrap_err();
    assert!(matches!(error, SqliteError::Foreign { application_id: 7, .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_newer_schema_is_refused_at_opening_and_while_the_store_is_open() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let first = block_on(advance(&store, 1)).unwrap();
    Connection::open(store.path()).unwrap().pragma_update(None, "user_version", 2).unwrap();

    let loaded = block_on(store.load(&id()));
    assert!(matches!(loaded, Err(StoreError::UnknownFormat(_))), "{loaded:?}");
    let stored = block_on(store.compare_and_swap(&id(), Expect::of(Some(&first)), &change(Some(&first), 2)));
    assert!(matches!(stored, Err(StoreError::UnknownFormat(_))), "{stored:?}");
    let error = SqliteStore::open(store.path()).unwrap_err();
    assert!(matches!(error, SqliteError::NewerSchema { version: 2, known: 1, .. }), "{error:?}");

    Connection::open(store.path()).unwrap().pragma_update(None, "user_version", 1).unwrap();
    assert_eq!(block_on(store.load(&id())).unwrap(), Some(first), "nothing was written meanwhile");
}

type Expected = fn(&StoreError) -> bool;

#[test]
fn a_record_that_is_not_understood_is_not_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    let first = block_on(advance(&store, 1)).unwrap();
    let by_hand = Connection::open(store.path()).unwrap();
    let cases: [(&str, Expected); 2] = [
        (r#"{"nothing": "useful"}"#, |error| matches!(error, StoreError::Corrupt(_))),
        (r#"{"format": 99, "mode": "sideways"}"#, |error| matches!(error, StoreError::UnknownFormat(_))),
    ];
    for (json, expected) in cases {
        by_hand.execute("UPDATE record SET record = ?1", [json]).unwrap();
        let loaded = block_on(store.load(&id())).unwrap_err();
        let stored = block_on(store.compare_and_swap(&id(), Expect::of(Some(&first)), &change(Some(&first), 2)));
        assert!(expected(&loaded) && expected(&stored.unwrap_err()), "{json}: {loaded:?}");
        let kept: String = by_hand.query_row("SELECT record FROM record", [], |row| row.get(0)).unwrap();
        assert_eq!(kept, json);
    }
}

#[test]
fn a_file_that_is_gone_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    block_on(advance(&store, 1)).unwrap();
    let away = folder.path().join("away.sqlite");
    fs::rename(store.path(), &away).unwrap();

    let loaded = block_on(store.load(&id()));
    assert!(matches!(loaded, Err(StoreError::Unavailable(_))), "{loaded:?}");
    let stored = block_on(store.compare_and_swap(&id(), Expect::Absent, &change(None, 2)));
    assert!(matches!(stored, Err(StoreError::Unavailable(_))), "{stored:?}");
    assert!(!store.path().exists());

    fs::rename(&away, store.path()).unwrap();
    assert_eq!(block_on(store.load(&id())).unwrap().map(|record| record.epoch), Some(1));
}

#[test]
fn a_store_follows_a_file_that_was_restored_in_its_place() {
    let (_kept, copy) = filled(3);
    let (_folder, path) = filled(5);
    let store = SqliteStore::open(&path).unwrap();
    assert_eq!(block_on(store.load(&id())).unwrap().map(|record| record.epoch), Some(5));
    fs::rename(&copy, &path).unwrap();
    for end in ["-wal", "-shm"] {
        drop(fs::remove_file(format!("{}{end}", path.display())));
    }
    assert_eq!(block_on(store.load(&id())).unwrap().map(|record| record.epoch), Some(3));
    assert_eq!(block_on(advance(&store, 100)).unwrap().epoch, 4);
}

/// A closed file with `changes` changes.
fn filled(changes: u128) -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    (1..=changes).for_each(|op_id| drop(block_on(advance(&store, op_id)).unwrap()));
    drop(store);
    wait_until_closed(&path);
    (folder, path)
}

/// A file that only its owner may read.
fn private(path: &Path, bytes: &[u8]) {
    fs::write(path, bytes).unwrap();
    #[cfg(unix)]
    fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
}
