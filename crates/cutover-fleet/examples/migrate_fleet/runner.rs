//! The process that migrates, started again as often as it is killed.

use std::env;
use std::path::Path;
use std::time::Duration;

use tokio::process::Command;
use tokio::time::timeout;

use crate::Failure;
use crate::show::Show;

/// Runs the process that migrates until it ends by itself, and kills it before, if told.
pub(crate) struct Runner {
    kills: u32,
    seed: u64,
}

/// At the most; a run takes about half a minute.
const LONGEST: Duration = Duration::from_secs(150);

impl Runner {
    pub(crate) fn new(kills: u32, seed: Option<u64>) -> Self {
        Self { kills, seed: seed.unwrap_or_else(|| fastrand::u64(..1_000_000)) }
    }

    /// What the moments of the deaths follow from, if there are any.
    pub(crate) fn seed(&self) -> Option<u64> {
        (self.kills > 0).then_some(self.seed)
    }

    pub(crate) async fn run(&self, folder: &Path, show: &Show) -> Result<(), Failure> {
        let mut chance = fastrand::Rng::with_seed(self.seed);
        for death in 1..=self.kills {
            let life = Duration::from_millis(chance.u64(500..5_000));
            if self.lives(folder, life).await? {
                return show.say("The migration ended before the next death.");
            }
            show.killed(death, life)?;
        }
        if self.lives(folder, LONGEST).await? { Ok(()) } else { Err("the migration does not end".into()) }
    }

    /// Whether the process ended by itself within the time that it may live.
    async fn lives(&self, folder: &Path, life: Duration) -> Result<bool, Failure> {
        let mut process = Command::new(env::current_exe()?).arg("migrate").arg(folder).kill_on_drop(true).spawn()?;
        if let Ok(ended) = timeout(life, process.wait()).await {
            return ended?.success().then_some(true).ok_or_else(|| "the migration failed".into());
        }
        process.kill().await?;
        Ok(false)
    }
}
