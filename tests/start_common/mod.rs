//! A process that may start without its store, in virtual time.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses a part of it")]

use std::path::PathBuf;
use std::time::Duration;

use cutover::control::{ControllerBuilder, OpenError, StartPolicy};
use cutover::testing::{FailingStore, Fault, VirtualRuntime};
use cutover::{MemoryStore, MigrationController, Percentage, SystemMode};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);

pub(crate) struct World {
    pub(crate) runtime: VirtualRuntime,
    pub(crate) memory: MemoryStore,
    pub(crate) store: FailingStore<MemoryStore>,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let (runtime, memory) = (VirtualRuntime::new(), MemoryStore::new());
        let store = FailingStore::new(memory.clone(), runtime.clone());
        Self { runtime, memory, store, folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.folder.path().join("search.last")
    }

    pub(crate) fn builder(&self) -> ControllerBuilder {
        let builder = MigrationController::builder("search", self.store.clone());
        builder.runtime(self.runtime.clone()).clock(self.runtime.clock()).manual_refresh()
    }

    pub(crate) fn last_known_good(&self) -> StartPolicy {
        StartPolicy::LastKnownGood { file: self.file(), max_age: HOUR }
    }

    pub(crate) fn open(
        &self,
        policies: impl IntoIterator<Item = StartPolicy>,
    ) -> Result<MigrationController, OpenError> {
        let builder = policies.into_iter().fold(self.builder(), ControllerBuilder::on_unreachable);
        self.runtime.run(builder.open())
    }

    /// A process that knows `GradualRollout` at 25 %, and ends.
    pub(crate) fn process_before(&self) {
        let controller = self.open([self.last_known_good()]).unwrap();
        self.runtime.run(async {
            controller.transition(SystemMode::GradualRollout, "ana", "they agree").await.unwrap();
            controller.set_rollout(Percentage::new(25.0).unwrap(), "ana", "a quarter").await.unwrap();
        });
        controller.flush(Duration::from_secs(10)).unwrap();
    }

    pub(crate) fn store_is(&self, fault: Option<Fault>) {
        self.store.set_standing(fault);
    }
}
