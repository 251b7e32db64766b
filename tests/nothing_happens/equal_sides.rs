//! Whatever is awkward about the calls, equal sides stay where they are: slow calls for which the runner has no patience,
//! shadows that are stopped, callers that give up, and rare failures that legacy answers for.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use cutover::dual::Fallback;
use cutover::guard::{Guard, GuardVerdict, Present};
use cutover::monitor::Evidence;
use cutover::random::RandomSource;
use cutover::testing::{SeededRandom, VirtualRuntime};
use cutover::{
    Clock, DualRunner, Equality, MemoryStore, MigrationController, Percentage, PerformanceMonitor, Runtime, SystemMode,
};
use futures::future::select;

const CALLS: u64 = 4_000;
const KEYS: u64 = 2_000;
/// How long the callers wait that do not wait for ever.
const PATIENCE: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Run,
    Detached,
    Sync,
}

#[derive(Debug, Clone, Copy)]
struct Case {
    mode: SystemMode,
    way: Way,
    falls_back: bool,
    /// Calls in a hundred that take 1.5 s.
    slow: u64,
    /// One caller in so many gives up after a while.
    impatient: u64,
    seed: u64,
}

struct World {
    case: Case,
    runtime: VirtualRuntime,
    random: SeededRandom,
    monitor: Arc<PerformanceMonitor>,
    controller: MigrationController,
    prices: DualRunner<u64, ()>,
}

/// What is drawn for one side of one call.
#[derive(Debug, Clone, Copy)]
struct Drawn {
    takes: Duration,
    fails: bool,
}

impl Drawn {
    fn answer(self) -> Result<u64, ()> {
        if self.fails { Err(()) } else { Ok(7) }
    }
}

impl World {
    fn new(case: Case) -> Self {
        let (runtime, random) = (VirtualRuntime::new(), SeededRandom::new(case.seed));
        let clock = runtime.clock();
        let monitor = Arc::new(PerformanceMonitor::builder().clock(clock.clone()).build().unwrap());
        let store = MemoryStore::with_clock(clock.clone());
        let controller = MigrationController::builder("prices", store).clock(clock.clone()).runtime(runtime.clone());
        let controller = runtime.run(controller.performance(Arc::clone(&monitor)).open()).unwrap();
        let prices = DualRunner::builder("price", controller.clone()).comparator(Equality);
        let prices = if case.falls_back { prices.fallback(Fallback::ToLegacy) } else { prices };
        let prices = prices.clock(clock).runtime(runtime.clone()).observe(Arc::clone(&monitor)).build();
        Self { case, runtime, random, monitor, controller, prices }
    }

    fn below(&self, limit: u64) -> u64 {
        self.random.next_u64() % limit
    }

    /// Half of the calls take 50 ms and half of them 300 ms, a few take 1.5 s, and 0.2 % fail.
    fn drawn(&self) -> Drawn {
        let usual = if self.below(2) == 0 { 50 } else { 300 };
        let takes = if self.below(100) < self.case.slow { 1_500 } else { usual };
        Drawn { takes: Duration::from_millis(takes), fails: self.below(1_000) < 2 }
    }

    fn side(&self) -> impl Future<Output = Result<u64, ()>> + Send + use<> {
        let (runtime, drawn) = (self.runtime.clone(), self.drawn());
        async move {
            runtime.sleep(drawn.takes).await;
            drawn.answer()
        }
    }

    fn blocking_side(&self) -> impl FnOnce() -> Result<u64, ()> + use<> {
        let (clock, drawn) = (self.runtime.clock(), self.drawn());
        move || {
            clock.advance(drawn.takes);
            drawn.answer()
        }
    }

    fn call(&self) {
        let key = self.below(KEYS);
        match self.case.way {
            Way::Sync => {
                self.prices.run_sync(key, self.blocking_side(), self.blocking_side()).ok();
                self.runtime.run_until_idle();
            }
            Way::Run => self.wait_for(self.prices.run(key, self.side(), self.side())),
            Way::Detached => self.wait_for(self.prices.run_detached(key, self.side(), self.side())),
        }
        self.runtime.clock().advance(Duration::from_millis(20));
    }

    fn wait_for(&self, call: impl Future<Output = Result<u64, ()>>) {
        let call = pin!(call);
        if self.below(self.case.impatient) == 0 {
            self.runtime.run(select(call, self.runtime.sleep(PATIENCE)));
        } else {
            self.runtime.run(call).ok();
        }
    }

    /// Legacy alone, until it is known well enough.
    fn freeze_the_baseline(&self) {
        let calls = (0..5_000).find(|_| {
            self.call();
            self.monitor.baseline().is_some()
        });
        let baseline = self.monitor.baseline();
        assert!(
            calls.is_some() && baseline.unwrap().p95 < Duration::from_millis(1_800),
            "{:?}: {baseline:?}",
            self.case
        );
    }

    /// By the way that a migration goes, to the mode of the case.
    fn move_on(&self) {
        let modes = [SystemMode::Parallel, SystemMode::GradualRollout, SystemMode::NewOnly];
        let until = modes.iter().position(|mode| *mode == self.case.mode).unwrap();
        for mode in &modes[..=until] {
            self.runtime.run(self.controller.transition(*mode, "test", "the next mode")).unwrap();
            if *mode == SystemMode::GradualRollout {
                let third = Percentage::new(30.0).unwrap();
                self.runtime.run(self.controller.set_rollout(third, "test", "a part")).unwrap();
            }
        }
    }

    fn nothing_happens(&self) {
        let (mut guard, case) = (Guard::default(), self.case);
        for call in 0..CALLS {
            self.call();
            if call % 20 == 0 {
                let present = Present::of(&self.controller.status());
                let report = guard.look(&*self.monitor, present, self.runtime.clock().now());
                let is_quiet = report.action.is_none() && report.verdict != GuardVerdict::Regressed;
                assert!(is_quiet, "{case:?}, call {call}\n{report}");
            }
        }
    }
}

fn play(mode: SystemMode) {
    for way in [Way::Run, Way::Detached, Way::Sync] {
        for (falls_back, seed) in [(false, 31), (true, 32)] {
            let world = World::new(Case { mode, way, falls_back, slow: 2, impatient: 4, seed });
            world.freeze_the_baseline();
            world.move_on();
            world.nothing_happens();
            world.has_seen_what_is_awkward();
        }
    }
}

impl World {
    fn has_seen_what_is_awkward(&self) {
        let (counts, case) = (self.monitor.counts(), self.case);
        assert_eq!(counts.mode, case.mode);
        let long = counts.legacy.slow + counts.new.slow + counts.legacy.abandoned + counts.new.abandoned;
        assert!(counts.new.started > CALLS / 5 && long > 10, "{case:?}: {counts:?}");
        let stops = case.mode == SystemMode::Parallel && case.way != Way::Sync;
        assert!(!stops || counts.new.unfinished > 20, "{case:?}: {counts:?}");
        let drops = case.way != Way::Sync && case.mode == SystemMode::NewOnly;
        assert!(!drops || counts.new.abandoned > 5, "{case:?}: {counts:?}");
        let falls_back = case.falls_back && case.mode == SystemMode::NewOnly;
        assert!(!falls_back || counts.legacy.started > 0, "{case:?}: {counts:?}");
    }
}

/// As many slow calls as that are over the p95, and nobody has ever seen one of them end.
#[test]
fn equal_sides_stay_where_every_caller_gives_up_after_a_while() {
    for mode in [SystemMode::Parallel, SystemMode::GradualRollout, SystemMode::NewOnly] {
        for way in [Way::Run, Way::Detached] {
            let world = World::new(Case { mode, way, falls_back: false, slow: 10, impatient: 1, seed: 33 });
            world.freeze_the_baseline();
            world.move_on();
            world.nothing_happens();
            world.has_seen_what_is_awkward();
        }
    }
}

#[test]
fn equal_sides_stay_in_parallel() {
    play(SystemMode::Parallel);
}

#[test]
fn equal_sides_stay_in_a_gradual_rollout() {
    play(SystemMode::GradualRollout);
}

#[test]
fn equal_sides_stay_in_new_only() {
    play(SystemMode::NewOnly);
}
