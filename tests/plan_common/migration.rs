//! A migration whose audit is written by hand, and a plan that decides by it.

use std::time::{Duration, UNIX_EPOCH};

use cutover::Percentage;
use cutover::guard::Criterion;
use cutover::plan::{
    Decision, Look, OnBreach, Progress, Readiness, Reversibility, RolloutPlan, Step, StoreView, decide,
};
use cutover::store::{Author, Change, ChangeKind, Record, Settings, Stamp};
use serde_json::{Value, json};

pub(crate) fn percent(share: f64) -> Percentage {
    Percentage::new(share).unwrap()
}

/// The audit of a migration, and how far a plan has come by it.
pub(crate) struct Migration {
    pub(crate) plan: RolloutPlan,
    last: Option<Record>,
    pub(crate) progress: Progress,
}

impl Migration {
    pub(crate) fn of(plan: RolloutPlan) -> Self {
        Self { plan, last: None, progress: Progress::new() }
    }

    pub(crate) fn write(&mut self, after: Settings, kind: ChangeKind, evidence: Value) {
        let number = self.last.as_ref().map_or(1, |last| u128::from(last.epoch) + 1);
        let stamp = Stamp { at: UNIX_EPOCH, etag: number, op_id: number };
        let author = Author::new("ana", "because").unwrap();
        let change = Change::new(self.last.as_ref(), after, kind, author, stamp).with_evidence(evidence);
        self.progress.follow(&self.plan, change.entry());
        self.last = Some(change.record().clone());
    }

    pub(crate) fn settings(&self) -> Settings {
        self.last.as_ref().map(Record::settings).unwrap_or_default()
    }

    pub(crate) fn enter(&mut self, place: usize) {
        let step = self.plan.step(place).unwrap().clone();
        let evidence = json!({ "plan": self.plan.name(), "event": "entered", "step": step.name, "proven": [] });
        self.write(step.settings(), ChangeKind::Transition, evidence);
    }

    pub(crate) fn note(&mut self, kind: ChangeKind, event: &str, step: Option<&str>) {
        let evidence = json!({ "plan": self.plan.name(), "event": event, "step": step });
        self.write(self.settings(), kind, evidence);
    }

    pub(crate) fn decide(&self, look: &Look) -> Decision {
        decide(&self.plan, &self.progress, look)
    }
}

/// Everything is as it has to be.
pub(crate) fn ready() -> Look {
    Look {
        action: None,
        held_by: None,
        proven: Criterion::ALL.to_vec(),
        samples: u64::MAX,
        compared: 100,
        monitored: true,
        held: Duration::from_secs(10_000_000),
        legacy: Readiness::Ready,
        store: StoreView::Fresh,
    }
}

pub(crate) fn ramp() -> RolloutPlan {
    let gated = |name: &str, share| Step::gradual(name, percent(share)).hold(Duration::from_secs(60)).min_samples(10);
    RolloutPlan::builder("ramp")
        .step(Step::parallel("compare").hold(Duration::from_secs(60)))
        .step(gated("tenth", 10.0).gate(Criterion::ALL))
        .step(gated("half", 50.0).approved_by_a_person())
        .step(
            Step::new_only("all")
                .reversibility(Reversibility::ForwardOnly)
                .approved_by_a_person()
                .on_breach(OnBreach::Ask),
        )
        .build()
        .unwrap()
}
