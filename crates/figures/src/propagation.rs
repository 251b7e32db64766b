//! From the commit of a change to the last of fifty controllers that follow it.

use std::time::Duration;

use cutover::{Clock, MigrationController, Percentage, SystemClock, SystemMode};

use crate::address::Address;
use crate::{Failure, quantile};

/// How many controllers follow, and over how many handles.
const FOLLOWERS: usize = 50;
const HANDLES: usize = 5;
/// A change that is not followed for so long is lost.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long one controller took to follow one change: in the middle, at the 99th percentile, and at most.
#[derive(Debug, Clone, Copy, Default)]
#[non_exhaustive]
pub struct Propagation {
    /// Half of them were faster.
    pub p50: Duration,
    /// All but one in a hundred were faster.
    pub p99: Duration,
    /// The slowest.
    pub max: Duration,
}

/// Makes `changes` changes, and measures how long each of 50 controllers takes to route by each of them.
///
/// # Errors
/// When the store fails, or when a change is not followed within a minute.
pub async fn propagate(address: &Address, changes: u32, poll: Duration) -> Result<Propagation, Failure> {
    let mut followers = Vec::new();
    for _ in 0..HANDLES {
        let store = address.connect().await?;
        for _ in 0..FOLLOWERS / HANDLES {
            let builder = MigrationController::builder("followed", store.clone());
            followers.push(builder.poll_interval(poll).open().await?);
        }
    }
    let operator = MigrationController::builder("followed", address.connect().await?).manual_refresh().open().await?;
    operator.transition(SystemMode::GradualRollout, "ana", "begin").await?;
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    let mut times = Vec::new();
    for change in 0..changes {
        let rollout = Percentage::from_ppm(change + 1)?;
        let epoch = operator.set_rollout(rollout, "ana", "a little more").await?.epoch;
        times.extend(follow(&followers, epoch).await?);
    }
    times.sort_unstable();
    Ok(Propagation { p50: quantile(&times, 0.5), p99: quantile(&times, 0.99), max: quantile(&times, 1.0) })
}

async fn follow(followers: &[MigrationController], epoch: u64) -> Result<Vec<Duration>, Failure> {
    let clock = SystemClock::new();
    let start = clock.now();
    let mut waiting: Vec<_> = followers.iter().collect();
    let mut times = Vec::new();
    while !waiting.is_empty() {
        let now = clock.now().since(start);
        waiting.retain(|follower| follower.route("any").epoch < epoch);
        times.resize(followers.len() - waiting.len(), now);
        if now > PATIENCE {
            return Err(format!("{} controllers do not follow epoch {epoch}", waiting.len()).into());
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    Ok(times)
}
