//! Runs a scenario in many schedules: which task goes on at each point where one waits is drawn at random.

use std::future::{Future, pending};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use cutover::clock::Instant;
use cutover::control::ControllerBuilder;
use cutover::random::RandomSource;
use cutover::{Clock, MigrationController, Runtime, StateStore, SystemClock};
use futures::FutureExt;
use futures::future::BoxFuture;
use shuttle::rand::{Rng, thread_rng};
use shuttle::scheduler::RandomScheduler;
use shuttle::{Config, Runner};

/// How many schedules of each scenario are tried.
const SCHEDULES: usize = 10_000;
/// Draws the schedules. `SHUTTLE_RANDOM_SEED` in the environment draws others.
const SEED: u64 = 2026;
/// The stack of a task, in bytes.
const STACK: usize = 256 * 1024;

/// Tries `scenario` in many schedules, and says how many and how long it took. In a failing one, shuttle prints the
/// schedule and its seed.
#[expect(clippy::print_stdout, reason = "the figures are what a reader of the output wants")]
pub(crate) fn explore<F>(name: &str, scenario: impl Fn() -> F + Send + Sync + 'static)
where
    F: Future<Output = ()> + 'static,
{
    let mut config = Config::new();
    config.stack_size = STACK;
    let clock = SystemClock::new();
    let began = clock.now();
    let runner = Runner::new(RandomScheduler::new_from_seed(SEED, SCHEDULES), config);
    let tried = runner.run(move || shuttle::future::block_on(scenario()));
    println!("{name}: {tried} schedules, {:.1} s", clock.now().since(began).as_secs_f64());
    assert_eq!(tried, SCHEDULES);
}

/// How often something happened in all schedules together: a scenario in which it never does proves little.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen(Arc<AtomicU64>);

impl Seen {
    pub(crate) fn happened(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    #[track_caller]
    #[expect(clippy::print_stdout, reason = "the figures are what a reader of the output wants")]
    pub(crate) fn assert_often(&self, what: &str) {
        let times = self.0.load(Ordering::Relaxed);
        println!("  {what}: {times} times");
        assert!(times > 100, "{what} only {times} times: these schedules do not try it");
    }
}

/// A controller that waits and draws as the schedule wants it to.
pub(crate) fn controller(store: impl StateStore + 'static, seed: u64) -> ControllerBuilder {
    controller_of("search", store, seed)
}

/// As [`controller`], of the migration `id`.
pub(crate) fn controller_of(id: &str, store: impl StateStore + 'static, seed: u64) -> ControllerBuilder {
    MigrationController::builder(id, store)
        .store_deadline(NEVER)
        .runtime(Scheduled)
        .clock(Still)
        .random(Seeded(AtomicU64::new(seed << 32)))
}

/// Lets others go on, once or several times.
pub(crate) async fn pause() {
    for _ in 0..thread_rng().gen_range(1..=2) {
        shuttle::future::yield_now().await;
    }
}

pub(crate) fn one_in(times: u32) -> bool {
    thread_rng().gen_ratio(1, times)
}

/// What waits as long as this waits for ever.
pub(crate) const NEVER: Duration = Duration::from_secs(1 << 30);

/// Spawns into the schedule. Sleeping is to let others go on: no clock tells how long it took.
#[derive(Debug)]
struct Scheduled;

impl Runtime for Scheduled {
    fn spawn(&self, task: BoxFuture<'static, ()>) {
        drop(shuttle::future::spawn(task));
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        if duration >= NEVER { pending().boxed() } else { pause().boxed() }
    }
}

/// Time that stands still.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        Instant::from_nanos(0)
    }

    fn wall(&self) -> SystemTime {
        UNIX_EPOCH
    }
}

/// `SplitMix64`, from Steele, Lea and Flood, *Fast splittable pseudorandom number generators* (2014).
#[derive(Debug)]
struct Seeded(AtomicU64);

impl RandomSource for Seeded {
    fn next_u64(&self) -> u64 {
        let state = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}
