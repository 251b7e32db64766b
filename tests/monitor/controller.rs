//! A controller shows what its monitor finds, and lets it hear of health checks and changes.

use std::sync::Arc;

use cutover::control::{BoxError, HealthSchedule};
use cutover::monitor::{Evidence, PerformanceMonitor, SideFailures};
use cutover::testing::VirtualRuntime;
use cutover::{DualRunner, Equality, MemoryStore, MigrationController, Side, SystemMode};

use crate::world::{TICK, secs};

#[test]
fn the_status_says_how_the_sides_compare_and_health_checks_are_evidence() {
    let runtime = VirtualRuntime::new();
    let monitor = Arc::new(PerformanceMonitor::builder().clock(runtime.clock()).build().unwrap());
    let schedule = HealthSchedule::every(secs(10)).timeout(secs(2));
    let controller = MigrationController::builder("prices", MemoryStore::new())
        .clock(runtime.clock())
        .runtime(runtime.clone())
        .health_check(Side::New, || async { Err::<(), BoxError>("ill".into()) }, schedule)
        .performance(Arc::clone(&monitor))
        .manual_refresh();
    let controller = runtime.run(controller.open()).unwrap();
    let builder = DualRunner::<u32, ()>::builder("price", controller.clone()).comparator(Equality);
    let runner = builder.clock(runtime.clock()).runtime(runtime.clone()).observe(Arc::clone(&monitor)).build();

    assert_eq!(controller.status().performance.unwrap().success_rate_change, None);
    runtime.run(controller.transition(SystemMode::Parallel, "ana", "compare")).unwrap();
    for _ in 0..3 {
        for order in 0..10_u64 {
            runner.run_sync(order, || Ok(1), || if order < 5 { Err(()) } else { Ok(1) }).unwrap();
        }
        runtime.clock().advance(TICK);
    }
    let found = controller.status().performance.unwrap();
    assert_eq!((found.epoch, found.mode, found.success_rate_change), (1, SystemMode::Parallel, Some(-0.5)));
    assert_eq!((found.legacy.calls, found.new.calls), (20, 20));

    let failures = |checks| {
        for _ in 0..checks {
            runtime.run(controller.check_health_now()).unwrap();
        }
        monitor.health_failures()
    };
    assert_eq!(failures(2), SideFailures { legacy: 0, new: 2 });
    assert_eq!(failures(3), SideFailures { legacy: 0, new: 5 });
    let json = serde_json::to_value(controller.status()).unwrap();
    assert_eq!(json["performance"]["success_rate_change"], -0.5);
    assert!(json["performance"]["new"]["p95"].is_u64());
}
