//! The file of the last known state is fresh, whole, its owner's and the migration's own, or it is not believed.
#![cfg(feature = "testing")]

mod start_common;

use std::fs;
use std::time::Duration;

use cutover::control::{LastKnownError, OpenError};
use cutover::store::Record;
use cutover::testing::Fault;
use cutover::{MigrationController, StoreError, SystemMode};
use hmac_sha256::Hash;
use proptest::prelude::*;
use start_common::{HOUR, World};

#[test]
fn the_file_stays_fresh_while_the_store_answers() {
    let world = World::new();
    world.process_before();
    let controller = world.open([world.last_known_good()]).unwrap();
    for _ in 0..20 {
        world.runtime.clock().advance(HOUR / 10);
        world.runtime.run(controller.refresh()).unwrap();
    }
    controller.flush(Duration::from_secs(10)).unwrap();
    drop(controller);
    world.store_is(Some(Fault::Unavailable));
    assert_eq!(world.open([world.last_known_good()]).unwrap().mode(), SystemMode::GradualRollout);
}

#[test]
fn while_nothing_changes_the_file_is_written_once_in_an_eighth_of_its_longest_age() {
    let world = World::new();
    world.process_before();
    let controller = world.open([world.last_known_good()]).unwrap();
    let (longest, minute, second) = (HOUR / 8, Duration::from_secs(60), Duration::from_secs(1));
    let written_after = |pause: Duration| {
        world.runtime.clock().advance(pause);
        world.runtime.run(controller.refresh()).unwrap();
        controller.flush(Duration::from_secs(10)).unwrap();
        fs::remove_file(world.file()).is_ok()
    };
    assert!(written_after(longest + second), "it got old");
    assert!(!written_after(minute), "it says the same");
    assert!(!written_after(longest.saturating_sub(minute)), "it is as old as it may get");
    assert!(written_after(second), "it is older");
    world.runtime.run(controller.transition(SystemMode::NewOnly, "ana", "done")).unwrap();
    assert!(written_after(Duration::ZERO), "it says something else");
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_owner_only_and_a_shared_folder_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let world = World::new();
    world.process_before();
    let mode = fs::metadata(world.file()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let names: Vec<_> = fs::read_dir(world.folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["search.last"], "no draft is left");
    fs::set_permissions(world.folder.path(), fs::Permissions::from_mode(0o777)).unwrap();
    let error = world.open([world.last_known_good()]).unwrap_err().to_string();
    assert!(error.contains("chmod 700"), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_is_not_followed() {
    let world = World::new();
    world.process_before();
    let elsewhere = world.folder.path().join("elsewhere");
    fs::rename(world.file(), &elsewhere).unwrap();
    std::os::unix::fs::symlink(&elsewhere, world.file()).unwrap();
    world.store_is(Some(Fault::Unavailable));
    assert!(matches!(world.open([world.last_known_good()]), Err(OpenError::NoStart { .. })));
}

#[test]
fn the_file_of_another_migration_is_refused() {
    let world = World::new();
    world.process_before();
    world.store_is(Some(Fault::Unavailable));
    let builder = MigrationController::builder("billing", world.store.clone()).runtime(world.runtime.clone());
    let builder = builder.clock(world.runtime.clock()).manual_refresh().on_unreachable(world.last_known_good());
    let error = world.runtime.run(builder.open()).unwrap_err();
    let OpenError::NoStart { store: StoreError::Unavailable(_), unusable } = error else { panic!("{error}") };
    assert!(matches!(&unusable[..], [LastKnownError::OtherMigration { found, .. }] if found.as_str() == "search"));
}

/// What a file with this JSON says.
fn with_sum(json: &str) -> String {
    let sum = Hash::hash(json.as_bytes()).map(|byte| format!("{byte:02x}")).concat();
    format!("{sum}\n{json}\n")
}

#[test]
fn no_more_than_four_times_the_longest_record_is_read() {
    for (records, believed) in [(3, true), (5, false)] {
        let world = World::new();
        world.process_before();
        let text = fs::read_to_string(world.file()).unwrap();
        let json = text.lines().nth(1).unwrap();
        let padded = format!("{json}{}", " ".repeat(records * Record::MAX_BYTES - json.len()));
        fs::write(world.file(), with_sum(&padded)).unwrap();
        world.store_is(Some(Fault::Unavailable));
        assert_eq!(world.open([world.last_known_good()]).is_ok(), believed, "{records} records");
    }
}

#[test]
fn the_file_of_a_newer_version_is_refused_and_left_where_it_is() {
    let world = World::new();
    world.process_before();
    let text = fs::read_to_string(world.file()).unwrap();
    let newer = with_sum(&text.lines().nth(1).unwrap().replacen("\"format\":1", "\"format\":2", 1));
    fs::write(world.file(), &newer).unwrap();
    world.store_is(Some(Fault::Unavailable));
    let error = world.open([world.last_known_good()]).unwrap_err();
    let OpenError::NoStart { unusable, .. } = error else { panic!("{error}") };
    assert!(matches!(unusable[..], [LastKnownError::UnknownFormat { format: 2, .. }]), "{unusable:?}");
    assert_eq!(fs::read_to_string(world.file()).unwrap(), newer);
}

#[test]
fn a_file_cut_off_anywhere_is_never_believed_and_kept_aside() {
    let world = World::new();
    world.process_before();
    let whole = fs::read(world.file()).unwrap();
    world.store_is(Some(Fault::Unavailable));
    for length in 0..whole.len() {
        fs::write(world.file(), &whole[..length]).unwrap();
        let error = world.open([world.last_known_good()]).unwrap_err();
        let OpenError::NoStart { unusable, .. } = error else { panic!("{error}") };
        let [LastKnownError::Corrupt { aside, .. }] = &unusable[..] else { panic!("{unusable:?}") };
        assert_eq!(fs::read(aside).unwrap(), whole[..length]);
        assert!(!world.file().exists());
    }
}

#[test]
fn a_file_that_could_not_be_written_is_written_again() {
    let world = World::new();
    world.process_before();
    let controller = world.open([world.last_known_good()]).unwrap();
    controller.flush(Duration::from_secs(10)).unwrap();
    fs::remove_file(world.file()).unwrap();
    fs::create_dir(world.file()).unwrap();
    world.store_is(Some(Fault::Unavailable));
    drop(controller.emergency_rollback("ben", "wrong totals"));
    controller.flush(Duration::from_secs(10)).unwrap();
    fs::remove_dir(world.file()).unwrap();
    for _ in 0..50 {
        world.runtime.clock().advance(Duration::from_secs(60));
        drop(world.runtime.run(controller.refresh()));
    }
    controller.flush(Duration::from_secs(10)).unwrap();
    assert!(world.file().is_file());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn a_file_with_one_wrong_byte_is_never_believed(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let world = World::new();
        world.process_before();
        let mut bytes = fs::read(world.file()).unwrap();
        let at = at.index(bytes.len());
        prop_assume!(bytes[at] != byte);
        bytes[at] = byte;
        fs::write(world.file(), &bytes).unwrap();
        world.store_is(Some(Fault::Unavailable));
        prop_assert!(world.open([world.last_known_good()]).is_err());
    }
}
