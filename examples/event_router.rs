//! Routes the events of a ticket tracker: which systems take an item, and in what mode.
#![expect(clippy::print_stdout, reason = "an example tells what it does")]

use cutover::{MemoryStore, MigrationController, Percentage, Side, SystemMode};

const HANDLED: [&str; 4] = ["opened", "edited", "labeled", "assigned"];

/// Who takes an item: the side that serves, and the side that only watches.
#[derive(Debug)]
struct Taken {
    serves: Side,
    watches: Option<Side>,
}

/// One decision per event, from one snapshot: never both sides by two reads, and never neither.
fn take(migration: &MigrationController, event: &str, item: u64) -> Option<Taken> {
    if !HANDLED.contains(&event) {
        return None;
    }
    let route = migration.route(item);
    Some(Taken { serves: route.serve, watches: route.running_shadow() })
}

fn tell(migration: &MigrationController) {
    println!("\nmode {}:", migration.mode());
    let events = [("opened", 1), ("edited", 24), ("labeled", 25), ("assigned", 100), ("closed", 1)];
    for (event, item) in events {
        match take(migration, event, item) {
            Some(Taken { serves, watches: Some(side) }) => {
                println!("  {serves} takes item {item} ({event}), {side} watches");
            }
            Some(Taken { serves, watches: None }) => println!("  {serves} takes item {item} ({event})"),
            None => println!("  nobody takes item {item} ({event})"),
        }
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let triage = MigrationController::open("triage", MemoryStore::new()).await?;
    tell(&triage);
    triage.transition(SystemMode::Parallel, "ana", "compare the two").await?;
    tell(&triage);
    triage.transition(SystemMode::GradualRollout, "ana", "they agree").await?;
    triage.set_rollout(Percentage::new(50.0)?, "ana", "half of the items").await?;
    tell(&triage);
    triage.emergency_rollback("ben", "labels got lost");
    tell(&triage);
    Ok(())
}
