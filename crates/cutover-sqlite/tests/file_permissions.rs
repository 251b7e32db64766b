//! Only the owner gets at the file, and nobody can put another one into its place.
#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::env::current_exe;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::Path;

use cutover_sqlite::{SqliteError, SqliteStore};
use futures::executor::block_on;

#[path = "common/child.rs"]
mod child;
mod common;

use common::advance;

#[test]
fn the_file_and_those_beside_it_are_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    block_on(advance(&store, 1)).unwrap();
    let mut names = Vec::new();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        names.push(entry.file_name().into_string().unwrap());
        assert_eq!(mode(&entry.path()), 0o600, "{entry:?}");
    }
    names.sort();
    assert_eq!(names, ["store.sqlite", "store.sqlite-shm", "store.sqlite-wal"], "and no draft is left");
}

#[test]
fn a_folder_that_others_may_write_to_is_refused_and_the_error_says_what_to_do() {
    for bits in [0o777, 0o1777, 0o770, 0o702] {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(bits)).unwrap();
        let error = SqliteStore::open(folder.path().join("store.sqlite")).unwrap_err();
        assert!(matches!(error, SqliteError::SharedFolder { mode, .. } if mode == bits), "{error:?}");
        assert!(error.to_string().contains("chmod go-w"), "{error}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "nothing is made there");
    }
    for bits in [0o700, 0o755, 0o711] {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(bits)).unwrap();
        SqliteStore::open(folder.path().join("store.sqlite")).unwrap();
    }
}

#[test]
fn a_file_that_others_may_read_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    drop(SqliteStore::open(&path).unwrap());
    for bits in [0o644, 0o640, 0o602, 0o660] {
        fs::set_permissions(&path, Permissions::from_mode(bits)).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(error, SqliteError::SharedFile { mode, .. } if mode == bits), "{error:?}");
        assert!(error.to_string().contains("chmod 600"), "{error}");
        assert_eq!(mode(&path), bits, "it is left as it is");
    }
}

#[test]
fn a_symbolic_link_is_not_followed_as_the_file_but_in_the_way_to_it() {
    let folder = tempfile::tempdir().unwrap();
    let real = folder.path().join("real.sqlite");
    drop(SqliteStore::open(&real).unwrap());
    for target in [&real, &folder.path().join("nowhere")] {
        let link = folder.path().join("link.sqlite");
        symlink(target, &link).unwrap();
        let error = SqliteStore::open(&link).unwrap_err();
        assert!(matches!(error, SqliteError::SymbolicLink { .. }), "{error:?}");
        fs::remove_file(&link).unwrap();
    }
    assert!(!folder.path().join("nowhere").exists());

    let way = tempfile::tempdir().unwrap();
    symlink(folder.path(), way.path().join("way")).unwrap();
    let store = SqliteStore::open(way.path().join("way/real.sqlite")).unwrap();
    assert_eq!(store.path(), real.canonicalize().unwrap());
}

#[test]
fn what_is_no_file_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("folder")).unwrap();
    let error = SqliteStore::open(folder.path().join("folder")).unwrap_err();
    assert!(matches!(error, SqliteError::NotAFile { .. }), "{error:?}");
    let error = SqliteStore::open(folder.path().join("..")).unwrap_err();
    assert!(matches!(error, SqliteError::NoName { .. }), "{error:?}");
    let error = SqliteStore::open(folder.path().join("missing/store.sqlite")).unwrap_err();
    assert!(matches!(error, SqliteError::Unreachable { .. }), "{error:?}");
}

#[test]
fn a_file_of_somebody_else_is_denied() {
    if let Some(path) = child::task() {
        let error = SqliteStore::open(path).unwrap_err();
        return assert!(matches!(error, SqliteError::Denied { .. }), "{error:?}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sqlite");
    let store = SqliteStore::open(&path).unwrap();
    block_on(advance(&store, 1)).unwrap();
    if fs::metadata(&path).unwrap().uid() == 0 {
        // Nothing is denied to root: somebody else has to try.
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        let binary = folder.path().join("test");
        fs::copy(current_exe().unwrap(), &binary).unwrap();
        let mut other = child::process(&binary, "a_file_of_somebody_else_is_denied", path.to_str().unwrap());
        let end = other.uid(65_534).gid(65_534).current_dir("/").output().unwrap();
        assert!(end.status.success(), "{}", String::from_utf8_lossy(&end.stderr));
    } else {
        drop(store);
        fs::set_permissions(&path, Permissions::from_mode(0o000)).unwrap();
        let error = SqliteStore::open(&path).unwrap_err();
        assert!(matches!(error, SqliteError::Denied { .. }), "{error:?}");
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o7777
}
