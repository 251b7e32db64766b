//! What can be put back.

use std::fs;

use cutover_fleet::{Backups, Diagnostics, Lifecycle, Side, System};

use crate::fixture::World;

#[tokio::test]
async fn a_backup_is_put_back_as_it_was_as_often_as_needed() {
    let World { host, system, folder: _folder } = World::of("well");
    let data = host.data_folder(&system.name, Side::Legacy);
    fs::create_dir_all(data.join("orders")).unwrap();
    fs::write(data.join("orders/17"), "one").unwrap();
    assert_eq!(host.latest(&system).await.unwrap(), None, "looking must not make one");

    let backup = host.create(&system).await.unwrap();
    assert_eq!(host.latest(&system).await.unwrap(), Some(backup.clone()));
    for _ in 0..2 {
        fs::write(data.join("orders/17"), "broken").unwrap();
        fs::write(data.join("orders/18"), "added").unwrap();
        host.restore(&system, &backup).await.unwrap();
        assert_eq!(fs::read_to_string(data.join("orders/17")).unwrap(), "one");
        assert!(!data.join("orders/18").exists());
    }
}

#[tokio::test]
async fn legacy_that_runs_is_started_anew_with_what_was_put_back() {
    let world = World::of("well");
    let World { host, system, .. } = &world;
    host.start(system, Side::Legacy).await.unwrap();
    let data = host.data_folder(&system.name, Side::Legacy);
    fs::write(data.join("ledger"), "all of it").unwrap();
    let backup = host.create(system).await.unwrap();
    let before = world.pid_of("legacy");
    host.restore(system, &backup).await.unwrap();
    assert_ne!(world.pid_of("legacy"), before, "it has the old files open");
    host.verify(system, Side::Legacy).await.unwrap();
    host.stop(system, Side::Legacy).await.unwrap();
    host.restore(system, &backup).await.unwrap();
    assert!(host.verify(system, Side::Legacy).await.is_err(), "what did not run is not started");
}

#[tokio::test]
async fn the_latest_backup_is_the_last_complete_one() {
    let World { host, system, folder } = World::of("well");
    let data = host.data_folder(&system.name, Side::Legacy);
    fs::create_dir_all(&data).unwrap();
    for _ in 0..11 {
        host.create(&system).await.unwrap();
    }
    fs::create_dir_all(folder.path().join("billing/backups/.partial/data")).unwrap();
    let latest = host.latest(&system).await.unwrap().unwrap();
    assert!(latest.at.as_str().ends_with("/11"), "{latest:?}");
}

#[tokio::test]
async fn data_that_is_missing_after_a_crash_is_put_back_too() {
    let World { host, system, folder: _folder } = World::of("well");
    let data = host.data_folder(&system.name, Side::Legacy);
    fs::create_dir_all(&data).unwrap();
    fs::write(data.join("ledger"), "all of it").unwrap();
    let backup = host.create(&system).await.unwrap();
    fs::rename(&data, data.with_extension("going")).unwrap(); // as a crash between two renames leaves it
    host.restore(&system, &backup).await.unwrap();
    assert_eq!(fs::read_to_string(data.join("ledger")).unwrap(), "all of it");
}

#[tokio::test]
async fn there_is_no_backup_of_what_cannot_be_copied_or_is_not_there() {
    let World { host, system, folder: _folder } = World::of("well");
    assert!(host.create(&system).await.is_err(), "there is no data");
    let data = host.data_folder(&system.name, Side::Legacy);
    fs::create_dir_all(&data).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", data.join("link")).unwrap();
    assert!(host.create(&system).await.is_err(), "a link leads out of the data");
    assert_eq!(host.latest(&system).await.unwrap(), None);
}

#[tokio::test]
async fn the_backup_of_another_system_is_refused() {
    let World { host, system, folder: _folder } = World::of("well");
    let other = System::new("search".parse().unwrap());
    fs::create_dir_all(host.data_folder(&other.name, Side::Legacy)).unwrap();
    let backup = host.create(&other).await.unwrap();
    let error = host.restore(&system, &backup).await.unwrap_err();
    assert_eq!(error.to_string(), "the backup is not one of this system");
}
