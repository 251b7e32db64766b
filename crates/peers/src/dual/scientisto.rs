//! The crate `scientisto`.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering};

use async_trait::async_trait;
use scientisto::{AsyncExperiment, Experiment, Observation};

use super::faults::{Books, Compared, Fault, Faulty, is_send, poll_once};
use super::sides::{Answer, closure, side};
use crate::traffic::{awaited, repeated};
use crate::{Subject, Worker};

static MISMATCHES: AtomicU64 = AtomicU64::new(0);

fn count(seen: &Observation<Answer, Answer>) {
    if !seen.is_matching() {
        MISMATCHES.fetch_add(1, Ordering::Relaxed);
    }
}

pub(super) struct Async {
    pub(super) runs: bool,
}

impl Subject for Async {
    fn worker(&self) -> Worker<'_> {
        awaited(async || {
            let experiment = AsyncExperiment::new("price").control(side(black_box(7))).experiment(side(black_box(7)));
            experiment.publish(count).run_if(|| self.runs).await
        })
    }
}

pub(super) struct Sync;

impl Subject for Sync {
    fn worker(&self) -> Worker<'_> {
        repeated(|| {
            let experiment =
                Experiment::new("price").control(|| closure(black_box(7))).experiment(|| closure(black_box(7)));
            experiment.publish(count).run()
        })
    }
}

/// A publisher that compares, and records what differs.
fn publisher(fault: Fault) -> impl Fn(&Observation<Compared, Compared>) {
    move |seen| {
        if !seen.is_matching() {
            fault.record();
        }
    }
}

pub(super) struct AsyncExperiments;

#[async_trait(?Send)]
impl Faulty for AsyncExperiments {
    fn name(&self) -> &'static str {
        "scientisto"
    }

    async fn call(&self, fault: Fault) -> Option<Result<u64, String>> {
        let (control, candidate) = (async { fault.wrap(Ok(1)) }, async { fault.wrap(fault.shadow().await) });
        let experiment = AsyncExperiment::new("price").control(control).experiment(candidate);
        Some(experiment.publish(publisher(fault)).run().await.answer)
    }

    async fn drop_a_call(&self) -> Books {
        let published = AtomicU64::new(0);
        let hung = || Fault::HungShadow.shadow();
        let publish = |_: &Observation<Answer, Answer>| {
            published.fetch_add(1, Ordering::Relaxed);
        };
        poll_once(AsyncExperiment::new("price").control(hung()).experiment(hung()).publish(publish).run()).await;
        if published.into_inner() == 0 { Books::NoTrace } else { Books::Balanced }
    }

    fn is_send(&self) -> bool {
        let experiment = AsyncExperiment::new("price").control(side(1)).experiment(side(1));
        is_send!(&experiment.publish(count).run())
    }
}

pub(super) struct Experiments;

#[async_trait(?Send)]
impl Faulty for Experiments {
    fn name(&self) -> &'static str {
        "scientisto, closures"
    }

    async fn call(&self, fault: Fault) -> Option<Result<u64, String>> {
        let candidate = fault.closure()?;
        let experiment = Experiment::new("price").control(|| fault.wrap(Ok(1))).experiment(|| fault.wrap(candidate()));
        Some(experiment.publish(publisher(fault)).run().answer)
    }

    async fn drop_a_call(&self) -> Books {
        Books::CannotBeDropped
    }

    fn is_send(&self) -> bool {
        is_send!(&Experiment::new("price").control(|| closure(1)).experiment(|| closure(1)).publish(count))
    }
}
