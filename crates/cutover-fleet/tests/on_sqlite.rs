//! A store that survives the process makes a fleet resumable: here in one SQLite file, on a real runtime.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod world;

use std::time::Duration;

use cutover_fleet::{Checklists, Fleet, FleetReport, Host, Inventory, Outcome, Settings};
use cutover_sqlite::SqliteStore;
use world::{World, inventory};

const NAMES: [&str; 3] = ["billing", "search", "users"];
const QUICK: &str = r#"{ "name": "canary", "shares": [50, 100], "watch": "300ms", "every": "100ms" }"#;

/// What another process would build. The world sleeps in virtual time, of which no call takes any.
fn fleet(world: &World, file: &std::path::Path) -> Fleet {
    let inventory: Inventory = serde_json::from_str(&inventory(&NAMES, QUICK)).unwrap();
    let store = SqliteStore::open(file).unwrap();
    let builder = Fleet::builder(inventory, Host::of(world.clone()), store).checklists(Checklists::empty());
    builder.settings(Settings::default()).build().unwrap()
}

#[tokio::test]
async fn a_run_that_was_dropped_is_gone_on_with_from_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("fleet.db");
    let world = World::new();
    let cut = tokio::time::timeout(Duration::from_millis(250), fleet(&world, &file).run()).await;
    assert!(cut.is_err(), "three systems take longer");
    let report: FleetReport = tokio::time::timeout(Duration::from_secs(90), fleet(&world, &file).run()).await.unwrap();
    assert!(report.is_complete(), "{report}");
    let deployments = world.lock().calls.iter().filter(|(what, _)| what == "deploy").count();
    assert!((3..=4).contains(&deployments), "{deployments}: only a step in doubt is repeated");
    let read = fleet(&world, &file).report().await;
    assert_eq!(read.count(Outcome::Migrated), 3);
}
