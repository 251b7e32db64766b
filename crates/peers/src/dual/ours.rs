//! cutover's dual runs.

use std::future::ready;
use std::hint::black_box;

use async_trait::async_trait;
use cutover::dual::ShadowPolicy;
use cutover::record::RecordError;
use cutover::{
    Discrepancy, DualRunner, Equality, MemoryStore, MigrationController, Percentage, Recorder, Route, Side, SystemMode,
};
use futures::executor::block_on;

use super::faults::{Books, Fault, Faulty, is_send};
use super::sides::{KEY, closure, side};
use crate::traffic::{awaited, repeated};
use crate::{Subject, Worker};

type Runner = DualRunner<u64, String>;

fn runner(mode: SystemMode) -> Runner {
    let controller = block_on(MigrationController::open("price", MemoryStore::new())).unwrap();
    if mode != controller.mode() {
        block_on(controller.transition(mode, "peers", "measure")).unwrap();
    }
    DualRunner::builder("price", controller).comparator(Equality).build()
}

pub(super) struct Both(Runner);

impl Both {
    pub(super) fn new() -> Self {
        Self(runner(SystemMode::Parallel))
    }
}

impl Subject for Both {
    fn worker(&self) -> Worker<'_> {
        awaited(async || self.0.run(black_box(KEY), side(black_box(7)), side(black_box(7))).await)
    }
}

pub(super) struct One(Runner);

impl One {
    pub(super) fn new() -> Self {
        Self(runner(SystemMode::LegacyOnly))
    }
}

impl Subject for One {
    fn worker(&self) -> Worker<'_> {
        awaited(async || self.0.run(black_box(KEY), side(black_box(7)), side(black_box(7))).await)
    }
}

pub(super) struct NotSampled(Runner);

impl NotSampled {
    pub(super) fn new() -> Self {
        let nobody = ShadowPolicy::new().sample(Percentage::ZERO);
        Self(DualRunner::builder("price", PARALLEL).comparator(Equality).shadow_policy(nobody).build())
    }
}

impl Subject for NotSampled {
    fn worker(&self) -> Worker<'_> {
        awaited(async || self.0.run(black_box(KEY), side(black_box(7)), side(black_box(7))).await)
    }
}

pub(super) struct Sync(Runner);

impl Sync {
    pub(super) fn new() -> Self {
        Self(runner(SystemMode::Parallel))
    }
}

impl Subject for Sync {
    fn worker(&self) -> Worker<'_> {
        repeated(|| self.0.run_sync(black_box(KEY), || closure(black_box(7)), || closure(black_box(7))))
    }
}

/// How a runner is called.
#[derive(Clone, Copy)]
pub(super) enum Way {
    Run,
    Detached,
    Sync,
}

pub(super) struct Ours(pub(super) Way);

const PARALLEL: Route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();

fn runner_with(fault: Fault) -> Runner {
    let compare = move |legacy: &u64, new: &u64| fault.compare(legacy, new);
    DualRunner::builder("price", PARALLEL).comparator(compare).record_to(Records(fault)).build()
}

struct Records(Fault);

impl Recorder for Records {
    fn record(&self, _: Discrepancy) -> Result<(), RecordError> {
        self.0.record();
        Ok(())
    }

    fn never_blocks(&self) -> bool {
        true
    }
}

#[async_trait(?Send)]
impl Faulty for Ours {
    fn name(&self) -> &'static str {
        match self.0 {
            Way::Run => "cutover `run`",
            Way::Detached => "cutover `run_detached`",
            Way::Sync => "cutover `run_sync`",
        }
    }

    async fn call(&self, fault: Fault) -> Option<Result<u64, String>> {
        let runner = runner_with(fault);
        match self.0 {
            Way::Run => Some(runner.run("anna", ready(Ok(1)), fault.shadow()).await),
            Way::Detached => Some(runner.run_detached("anna", ready(Ok(1)), fault.shadow()).await),
            Way::Sync => Some(runner.run_sync("anna", || Ok(1), fault.closure()?)),
        }
    }

    async fn drop_a_call(&self) -> Books {
        let runner = runner_with(Fault::HungShadow);
        let hung = || Fault::HungShadow.shadow();
        match self.0 {
            Way::Run => super::faults::poll_once(runner.run("anna", hung(), hung())).await,
            Way::Detached => super::faults::poll_once(runner.run_detached("anna", hung(), hung())).await,
            Way::Sync => return Books::CannotBeDropped,
        }
        let counts = runner.counts();
        if (counts.selected, counts.abandoned) == (1, 1) { Books::Balanced } else { Books::NoTrace }
    }

    fn is_send(&self) -> bool {
        let runner = runner_with(Fault::HungShadow);
        let side = || ready(Ok(1));
        match self.0 {
            Way::Run => is_send!(&runner.run("anna", side(), side())),
            Way::Detached => is_send!(&runner.run_detached("anna", side(), side())),
            Way::Sync => is_send!(&&runner),
        }
    }
}
