//! Processes that are killed and stopped at any moment complete each item once, on every store that processes share.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "a figure that is measured is told")]

use std::time::Duration;

use cutover_figures::claims::{Plan, supervise};
use cutover_figures::stores::{Host, Kind};
use indicatif::ProgressBar;

/// With so many items there are some fifty blows at least, a quarter of them stops.
/// `docs/proofs.md` has the figures of 10,000 items each.
async fn each_item_is_completed_once(kind: Kind, items: u32) {
    let seed = std::env::var("CUTOVER_SEED").map_or_else(|_| fastrand::u64(..), |seed| seed.parse().unwrap());
    println!("{}: CUTOVER_SEED={seed}", kind.name());
    let host = Host::start(kind).await.unwrap();
    let mut plan = Plan::new(env!("CARGO_BIN_EXE_cutover-figures").into(), items, seed);
    plan.pause = Duration::from_millis(100);
    let tally = supervise(&plan, host.address(), &ProgressBar::hidden()).await.unwrap();
    println!("{tally:?}");
    assert_eq!((tally.double_completions, tally.tokens_repeated, tally.items_lost), (0, 0, 0), "{tally:?}");
    assert!(tally.kills > 0, "nobody was killed: {tally:?}");
    assert!(tally.stops > 0, "nobody was stopped: {tally:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_sqlite() {
    each_item_is_completed_once(Kind::Sqlite, 3_000).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_postgres() {
    each_item_is_completed_once(Kind::Postgres, 1_500).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn on_redis() {
    each_item_is_completed_once(Kind::Redis, 20_000).await;
}
