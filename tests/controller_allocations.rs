//! Routing allocates nothing and never asks the store.
#![cfg(feature = "testing")]

mod control_common;

use control_common::TestRuntime;
use cutover::testing::FailingStore;
use cutover::{MemoryStore, MigrationController, MissingKey, Percentage, SystemMode};
use futures::executor::block_on;

const MODES: [SystemMode; 5] = [
    SystemMode::Parallel,
    SystemMode::GradualRollout,
    SystemMode::NewOnly,
    SystemMode::EmergencyRollback,
    SystemMode::LegacyOnly,
];

#[test]
fn a_route_allocates_nothing_in_any_mode() {
    let store = FailingStore::new(MemoryStore::new(), TestRuntime);
    for missing in [MissingKey::Legacy, MissingKey::Random] {
        let builder = MigrationController::builder("quick", store.clone()).missing_key(missing);
        let controller = block_on(builder.open()).unwrap();
        let half = Some(Percentage::new(50.0).unwrap());
        block_on(controller.set_shadow_share(half, "ana", "half")).unwrap();
        for mode in MODES {
            block_on(controller.transition(mode, "ana", "go")).unwrap();
            let calls = store.calls();
            let long = "x".repeat(1000);
            let allocations = allocation_counter::measure(|| {
                for key in ["user-17", "", &long] {
                    std::hint::black_box(controller.route(key));
                }
                std::hint::black_box(controller.route(17_u64));
                std::hint::black_box(controller.route(None::<&str>));
                std::hint::black_box(controller.decide("user-17"));
                std::hint::black_box(controller.mode());
            });
            assert_eq!(allocations.count_total, 0, "{mode} {missing:?}");
            assert_eq!(store.calls(), calls, "{mode} {missing:?}");
        }
    }
}
