//! One process that claims and completes items until all are completed.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use cutover::control::NotClaimed;
use cutover::store::ClaimError;
use cutover::{Claims, MigrationController};
use futures::StreamExt;
use futures::stream;

use super::log::{Event, Log, now};
use super::{MIGRATION, item};
use crate::Failure;
use crate::address::Address;

/// How many items one process works on at the same time.
const AT_ONCE: usize = 8;

/// What a worker has to do.
#[derive(Debug, Clone, clap::Args)]
#[non_exhaustive]
pub struct Job {
    /// Where the store is.
    #[arg(long)]
    pub store: String,
    /// A file with the numbers of the items, one in each line.
    #[arg(long)]
    pub items: PathBuf,
    /// Where to write down what was acknowledged.
    #[arg(long)]
    pub log: PathBuf,
    /// For how long an item is claimed, in milliseconds.
    #[arg(long)]
    pub lease_ms: u64,
    /// Where this worker begins.
    #[arg(long)]
    pub seed: u64,
}

struct Worker {
    controller: MigrationController,
    claims: Claims,
    log: Log,
    ttl: Duration,
}

/// How one item stands, for this worker.
enum Ended {
    Completed,
    /// Somebody has it, or the store failed: look again later.
    Later,
}

/// Claims and completes until nothing is left.
///
/// # Errors
/// When the store cannot be opened or the log cannot be written.
pub async fn work(job: &Job) -> Result<(), Failure> {
    let store = job.store.parse::<Address>()?.connect().await?;
    let controller = MigrationController::open(MIGRATION, Arc::clone(&store)).await?;
    let claims = Claims::new(&controller, store, &format!("process {}", std::process::id()))?;
    let ttl = Duration::from_millis(job.lease_ms);
    let worker = Worker { controller, claims, log: Log::append(&job.log)?, ttl };
    let mut random = fastrand::Rng::with_seed(job.seed);
    let items = std::fs::read_to_string(&job.items)?;
    let mut left = items.lines().map(str::parse).collect::<Result<Vec<u32>, _>>()?;
    while !left.is_empty() {
        let start = random.usize(..left.len());
        left.rotate_left(start);
        let ends = stream::iter(left).map(|number| worker.process(number)).buffered(AT_ONCE);
        let ended: Vec<_> = ends.collect().await;
        left = ended.into_iter().filter_map(Result::transpose).collect::<Result<_, _>>()?;
        tokio::time::sleep(Duration::from_millis(if left.is_empty() { 0 } else { 50 })).await;
    }
    Ok(())
}

impl Worker {
    /// The item again, if it has to be looked at again.
    async fn process(&self, number: u32) -> Result<Option<u32>, Failure> {
        Ok(match self.try_to(number).await? {
            Ended::Completed => None,
            Ended::Later => Some(number),
        })
    }

    async fn try_to(&self, number: u32) -> Result<Ended, Failure> {
        let name = item(number);
        let (route, asked) = (self.controller.route(&*name), now());
        let claim = match self.claims.claim(&name, route.serve, route.epoch, self.ttl).await {
            Ok(claim) => claim,
            Err(NotClaimed::Completed) => return Ok(Ended::Completed),
            Err(_) => return Ok(Ended::Later),
        };
        let token = claim.token();
        self.log.write(Event::Granted { item: number, token, asked, known: now() })?;
        tokio::task::yield_now().await;
        match claim.complete().await {
            Ok(()) => self.log.write(Event::Completed { item: number, token })?,
            Err(ClaimError::Completed) => {}
            Err(_) => return Ok(Ended::Later),
        }
        Ok(Ended::Completed)
    }
}
