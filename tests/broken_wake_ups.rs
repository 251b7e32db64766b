//! Wake-ups that panic end, and polling goes on.
#![cfg(feature = "testing")]
#![expect(clippy::panic, reason = "these are the faults that are tested")]

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use cutover::runtime::Runtime;
use cutover::store::{AuditEntry, Change, Expect, MigrationId, Record, WakeUps, async_trait};
use cutover::testing::VirtualRuntime;
use cutover::{MemoryStore, MigrationController, StateStore, StoreError, SystemMode};
use futures::{Stream, StreamExt};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Panics {
    WhenPolled,
    WhenDropped,
    Always,
}

struct Broken(Panics);

impl Stream for Broken {
    type Item = ();

    fn poll_next(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<()>> {
        if self.0 != Panics::WhenDropped {
            std::panic::panic_any("polled");
        }
        Poll::Pending
    }
}

impl Drop for Broken {
    fn drop(&mut self) {
        if self.0 != Panics::WhenPolled {
            std::panic::panic_any("dropped");
        }
    }
}

struct Store(MemoryStore, Panics);

#[async_trait]
impl StateStore for Store {
    async fn load(&self, id: &MigrationId) -> Result<Option<Record>, StoreError> {
        self.0.load(id).await
    }

    async fn compare_and_swap(&self, id: &MigrationId, expect: Expect, change: &Change) -> Result<Record, StoreError> {
        self.0.compare_and_swap(id, expect, change).await
    }

    async fn history(&self, id: &MigrationId, after: u64, limit: usize) -> Result<Vec<AuditEntry>, StoreError> {
        self.0.history(id, after, limit).await
    }

    async fn watch(&self, _: &MigrationId) -> Result<Option<WakeUps>, StoreError> {
        Ok(Some(Broken(self.1).boxed()))
    }
}

#[test]
fn wake_ups_that_panic_end_and_changes_are_found_by_polling() {
    for panics in [Panics::WhenPolled, Panics::WhenDropped, Panics::Always] {
        let (runtime, memory) = (VirtualRuntime::new(), MemoryStore::new());
        let open = |builder: cutover::control::ControllerBuilder| {
            runtime.run(builder.runtime(runtime.clone()).clock(runtime.clock()).open()).unwrap()
        };
        let controller = open(MigrationController::builder("search", Store(memory.clone(), panics)));
        let operator = open(MigrationController::builder("search", memory).manual_refresh());
        runtime.run(runtime.sleep(Duration::from_secs(30)));
        for mode in [SystemMode::Parallel, SystemMode::GradualRollout] {
            runtime.run(operator.transition(mode, "ana", "go on")).unwrap();
            runtime.run(runtime.sleep(Duration::from_secs(12)));
            assert_eq!(controller.mode(), mode, "{panics:?}");
        }
        drop((controller, operator));
        runtime.run_until_idle();
        assert_eq!((runtime.pending_tasks(), runtime.panicked_tasks()), (0, 0), "{panics:?}");
    }
}
