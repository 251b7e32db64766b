//! The calls that are counted.
#![expect(clippy::expect_used, reason = "what is counted must not fail")]

use std::hint::black_box;
use std::time::{Duration, SystemTime};

use cutover::clock::Instant;
use cutover::monitor::PerformanceMonitor;
use cutover::observe::{Event, Sample};
use cutover::{
    Clock, DualRunner, Equality, FeatureFlag, MemoryStore, MigrationController, Observer, Outcome, Percentage, Route,
    Side, SystemMode,
};
use futures::executor::block_on;

/// A call that is counted.
#[derive(Debug, Clone, Copy)]
#[expect(clippy::exhaustive_structs, reason = "this package is not published")]
pub struct Call {
    /// What the record and the table call it.
    pub name: &'static str,
    /// Makes the call so many times, after one that nobody counts.
    pub make: fn(u64),
}

/// All of them, in the order of the table.
pub const ALL: [Call; 5] = [
    Call { name: "FeatureFlag::is_enabled", make: is_enabled },
    Call { name: "MigrationController::route", make: route },
    Call { name: "DualRunner::run, LegacyOnly", make: run_legacy_only },
    Call { name: "DualRunner::run, Parallel, matched", make: run_parallel },
    Call { name: "PerformanceMonitor, one recorded call", make: recorded_call },
];

const KEY: &str = "user-00000012345";

/// Instructions count while this function runs: [`counting`](crate::counting) looks for it by its name.
#[inline(never)]
fn counted_calls(times: u64, call: &mut dyn FnMut(u64)) {
    for number in 1..=times {
        call(number);
    }
}

/// The first call sets up what each thread has once.
fn make(times: u64, mut call: impl FnMut(u64)) {
    call(0);
    counted_calls(times, &mut call);
}

fn is_enabled(times: u64) {
    let flag = FeatureFlag::new("new-search").rollout(quarter());
    make(times, |_| {
        black_box(flag.is_enabled(black_box(KEY)));
    });
}

fn route(times: u64) {
    let controller = controller(SystemMode::GradualRollout);
    block_on(controller.set_rollout(quarter(), "instructions", "count")).expect("memory takes everything");
    make(times, |_| {
        black_box(controller.route(black_box(KEY)));
    });
}

fn run_legacy_only(times: u64) {
    run_in(SystemMode::LegacyOnly, times);
}

fn run_parallel(times: u64) {
    run_in(SystemMode::Parallel, times);
}

fn run_in(mode: SystemMode, times: u64) {
    let runner =
        DualRunner::<u64, String>::builder("instructions", controller(mode)).comparator(Equality).clock(Still).build();
    make(times, |_| {
        black_box(block_on(runner.run(black_box(KEY), side(black_box(7)), side(black_box(7))))).ok();
    });
}

async fn side(value: u64) -> Result<u64, String> {
    std::future::ready(Ok(black_box(value))).await
}

/// What reading a clock takes depends on the processor, and is not the runner's.
#[derive(Debug)]
struct Still;

impl Clock for Still {
    fn now(&self) -> Instant {
        black_box(Instant::from_nanos(17))
    }

    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }
}

/// Time goes on by a millisecond from call to call, so that ticks come and go.
fn recorded_call(times: u64) {
    let monitor = PerformanceMonitor::new();
    let route = Route::new(SystemMode::NewOnly, Side::New);
    make(times, |number| {
        let started = Instant::from_nanos(number * 1_000_000);
        let sample = Sample::new(Side::New, Outcome::Ok, black_box(Duration::from_micros(350)));
        monitor.observe("instructions", black_box(&Event::Started { route, started, both: false }));
        monitor.observe("instructions", black_box(&Event::Served { route, sample, started, key: None }));
    });
}

fn controller(mode: SystemMode) -> MigrationController {
    block_on(async {
        let opened = MigrationController::open("instructions", MemoryStore::new()).await;
        let controller = opened.expect("an empty store opens");
        if mode != SystemMode::LegacyOnly {
            controller.transition(mode, "instructions", "count").await.expect("this transition is allowed");
        }
        controller
    })
}

fn quarter() -> Percentage {
    Percentage::new(25.0).expect("a quarter is a share")
}
