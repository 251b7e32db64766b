//! The crate `thesis`.

use std::hint::black_box;

use async_trait::async_trait;
use metrics_exporter_prometheus::PrometheusBuilder;
use thesis::rollout::Percent;
use thesis::{Experiment, RolloutDecision};

use super::faults::{Books, Compared, Fault, Faulty, is_send, poll_once};
use super::sides::side;
use crate::traffic::awaited;
use crate::{Subject, Worker};

pub(super) struct Experiments {
    pub(super) percent: f64,
}

impl Subject for Experiments {
    fn worker(&self) -> Worker<'_> {
        awaited(async || {
            let experiment = Experiment::new("price").control(side(black_box(7))).experimental(side(black_box(7)));
            experiment.rollout_strategy(Percent::new(self.percent)).run_result().await
        })
    }
}

pub(super) struct Compares;

#[async_trait(?Send)]
impl Faulty for Compares {
    fn name(&self) -> &'static str {
        "thesis"
    }

    async fn call(&self, fault: Fault) -> Option<Result<u64, String>> {
        let (control, candidate) = (async { fault.wrap(Ok(1)) }, async { fault.wrap(fault.shadow().await) });
        let experiment = Experiment::<Compared, _, _, _, _>::new("price").control(control).experimental(candidate);
        let experiment = experiment.rollout_strategy(RolloutDecision::UseExperimentalAndCompare);
        let experiment = experiment.on_mismatch(|pair| {
            fault.record();
            pair.control
        });
        Some(experiment.run().await.answer)
    }

    async fn drop_a_call(&self) -> Books {
        let recorder = PrometheusBuilder::new().build_recorder();
        {
            let _listens = metrics::set_default_local_recorder(&recorder);
            let hung = || Fault::HungShadow.shadow();
            let experiment = Experiment::new("price").control(hung()).experimental(hung());
            poll_once(experiment.rollout_strategy(RolloutDecision::UseExperimentalAndCompare).run_result()).await;
        }
        let told = recorder.handle().render();
        match (told.contains("thesis_experiment_run_total"), told.contains("thesis_experiment_outcome")) {
            (true, true) => Books::Balanced,
            (true, false) => Books::StartOnly,
            (false, _) => Books::NoTrace,
        }
    }

    fn is_send(&self) -> bool {
        let experiment = Experiment::new("price").control(side(1)).experimental(side(1));
        is_send!(&experiment.rollout_strategy(RolloutDecision::UseControl).run_result())
    }
}
