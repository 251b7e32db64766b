//! Starts workers, kills them, stops them for longer than their leases, and starts them again.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

use cutover::{Clock, MigrationController, Percentage, SystemClock, SystemMode};
use indicatif::ProgressBar;
use rustix::process::{Pid, Signal, kill_process};
use tokio::process::{Child, Command};

use super::check::{Tally, check};
use super::log::Event;
use super::{MIGRATION, log};
use crate::Failure;
use crate::address::Address;

/// What to prove.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Plan {
    /// The program that runs [`work`](super::work()) when it is given `worker`.
    pub program: PathBuf,
    /// How many processes work at the same time.
    pub processes: usize,
    /// How many items there are.
    pub items: u32,
    /// For how long an item is claimed.
    pub lease: Duration,
    /// The longest time between two blows.
    pub pause: Duration,
    /// Decides who is killed when.
    pub seed: u64,
    /// No proof may take longer.
    pub limit: Duration,
}

impl Plan {
    /// 6 processes, a lease of a second, and a blow every eighth of a second on average.
    #[must_use]
    pub const fn new(program: PathBuf, items: u32, seed: u64) -> Self {
        Self {
            program,
            processes: 6,
            items,
            lease: Duration::from_secs(1),
            pause: Duration::from_millis(250),
            seed,
            limit: Duration::from_secs(600),
        }
    }
}

struct Crew<'a> {
    plan: &'a Plan,
    address: &'a Address,
    folder: &'a Path,
    random: fastrand::Rng,
    workers: Vec<Worker>,
    logs: Vec<PathBuf>,
    /// The items that a log says are completed.
    completed: HashSet<u32>,
    kills: u32,
    stops: u32,
}

struct Worker {
    process: Child,
    done: bool,
    /// Until when it is stopped.
    stopped: Option<Duration>,
}

/// Runs the plan to its end, and tells what the logs and the store say.
///
/// # Errors
/// When a worker fails by itself, when the plan takes too long, or when a promise was broken.
pub async fn supervise(plan: &Plan, address: &Address, progress: &ProgressBar) -> Result<Tally, Failure> {
    let (folder, clock) = (tempfile::tempdir()?, SystemClock::new());
    let store = address.connect().await?;
    let operator = MigrationController::builder(MIGRATION, store.clone()).manual_refresh().open().await?;
    operator.transition(SystemMode::GradualRollout, "ana", "half of the items").await?;
    let random = fastrand::Rng::with_seed(plan.seed);
    let mut crew = Crew {
        plan,
        address,
        folder: folder.path(),
        random,
        workers: Vec::new(),
        logs: Vec::new(),
        completed: HashSet::new(),
        kills: 0,
        stops: 0,
    };
    for _ in 0..plan.processes {
        let worker = crew.start()?;
        crew.workers.push(worker);
    }
    let operating = tokio::spawn(operate(operator, plan.seed));
    let start = clock.now();
    while !crew.all_done()? {
        let now = clock.now().since(start);
        if now > plan.limit {
            return Err(format!("not done after {now:?}; seed {}", plan.seed).into());
        }
        crew.disturb(now)?;
        crew.read_logs()?;
        progress.set_position(crew.completed.len() as u64);
        let pause = plan.pause.mul_f64(crew.random.f64());
        tokio::time::sleep(pause).await;
    }
    operating.abort();
    let events = crew.logs.iter().map(|path| log::read(path)).collect::<Result<Vec<_>, _>>()?;
    let mut tally = check(&events.concat(), &store, plan.items).await?;
    (tally.kills, tally.stops) = (crew.kills, crew.stops);
    tally.took = clock.now().since(start);
    Ok(tally)
}

/// Changes the rollout all the time, so that items are routed by records that do not hold any more.
async fn operate(operator: MigrationController, seed: u64) {
    let mut random = fastrand::Rng::with_seed(seed);
    loop {
        let rollout = Percentage::from_ppm(random.u32(200_000..800_000)).unwrap_or(Percentage::HUNDRED);
        // Others keep the store busy: the next change is as good as this one.
        drop(operator.set_rollout(rollout, "ana", "another share").await);
        tokio::time::sleep(Duration::from_millis(300)).await;
    }
}

impl Crew<'_> {
    fn start(&mut self) -> Result<Worker, Failure> {
        let path = self.folder.join(format!("{}.log", self.logs.len()));
        let items = self.folder.join(format!("{}.items", self.logs.len()));
        drop(log::Log::append(&path)?);
        let left = (0..self.plan.items).filter(|item| !self.completed.contains(item));
        std::fs::write(&items, left.map(|item| item.to_string()).collect::<Vec<_>>().join("\n"))?;
        let process = Command::new(&self.plan.program)
            .arg("worker")
            .args(["--store", &self.address.to_string()])
            .arg("--items")
            .arg(&items)
            .arg("--log")
            .arg(&path)
            .args(["--lease-ms", &self.plan.lease.as_millis().to_string()])
            .args(["--seed", &self.random.u64(..).to_string()])
            .kill_on_drop(true)
            .spawn()?;
        self.logs.push(path);
        Ok(Worker { process, done: false, stopped: None })
    }

    /// Kills one or stops one, and lets go on who was stopped for longer than its lease.
    fn disturb(&mut self, now: Duration) -> Result<(), Failure> {
        for worker in &mut self.workers {
            if worker.stopped.is_some_and(|until| until < now) {
                worker.signal(Signal::CONT)?;
                worker.stopped = None;
            }
        }
        let chosen = self.random.usize(..self.workers.len());
        let awake = self.workers.iter().filter(|worker| !worker.done && worker.stopped.is_none()).count();
        let stop = self.random.u8(..4) == 0;
        let long = self.plan.lease * 3 / 2 + Duration::from_millis(self.random.u64(..500));
        let Some(worker) = self.workers.get_mut(chosen).filter(|worker| !worker.done) else { return Ok(()) };
        if !stop {
            return self.kill(chosen);
        }
        if worker.stopped.is_none() && awake > 2 {
            worker.signal(Signal::STOP)?;
            worker.stopped = Some(now + long);
            self.stops += 1;
        }
        Ok(())
    }

    fn kill(&mut self, chosen: usize) -> Result<(), Failure> {
        let next = self.start()?;
        if let Some(worker) = self.workers.get_mut(chosen) {
            worker.process.start_kill()?;
            *worker = next;
            self.kills += 1;
        }
        Ok(())
    }

    fn all_done(&mut self) -> Result<bool, Failure> {
        for worker in &mut self.workers {
            if let Some(status) = worker.process.try_wait()? {
                worker.done = true;
                if !status.success() {
                    return Err(format!("a worker ended by itself: {status}").into());
                }
            }
        }
        Ok(self.workers.iter().all(|worker| worker.done))
    }

    fn read_logs(&mut self) -> Result<(), Failure> {
        for path in &self.logs {
            for event in log::read(path)? {
                if let Event::Completed { item, .. } = event {
                    self.completed.insert(item);
                }
            }
        }
        Ok(())
    }
}

impl Worker {
    fn signal(&self, signal: Signal) -> Result<(), Failure> {
        let pid = self.process.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(pid) = pid {
            kill_process(pid, signal)?;
        }
        Ok(())
    }
}
