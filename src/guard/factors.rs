//! [`Factors`]: whether the calls that are counted as slow are those that the guard judges.

use super::{Criterion, Note, PromotionCriteria, RollbackTriggers, Trigger};
use crate::monitor::LatencyFactors;

/// How many times the p95 of legacy a call may take: as it is counted, and as the guard has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Factors {
    counted: LatencyFactors,
    /// `None` if the p95 trigger is switched off.
    limit: Option<f64>,
    criterion: f64,
}

impl Factors {
    pub(super) fn new(counted: LatencyFactors, triggers: &RollbackTriggers, criteria: &PromotionCriteria) -> Self {
        let rule = triggers.rule(Trigger::P95);
        let limit = rule.enabled.then_some(rule.limit);
        Self { counted, limit, criterion: 1.0 + criteria.p95_change_at_most() }
    }

    /// The factor by which `trigger` is counted, if it is not the limit.
    pub(super) fn unlike_trigger(&self, trigger: Trigger) -> Option<f64> {
        let limit = self.limit.filter(|_| trigger == Trigger::P95)?;
        unlike(self.counted.p95, limit)
    }

    /// The factor by which `criterion` is counted, if it is not the one that is asked for.
    pub(super) fn unlike_criterion(&self, criterion: Criterion) -> Option<f64> {
        if criterion == Criterion::Latency { unlike(self.counted.promotion, self.criterion) } else { None }
    }

    pub(super) fn notes(&self) -> [Option<Note>; 2] {
        let limit = self.limit.unwrap_or_default();
        let p95 = self.unlike_trigger(Trigger::P95);
        let latency = self.unlike_criterion(Criterion::Latency);
        [
            p95.map(|counted| Note::OtherP95Factor { counted, limit }),
            latency.map(|counted| Note::OtherPromotionFactor { counted, limit: self.criterion }),
        ]
    }
}

/// `counted`, if it is another number than `limit`. What is no number is 0.
fn unlike(counted: f64, limit: f64) -> Option<f64> {
    let counted = if counted.is_finite() { counted } else { 0.0 };
    ((counted - limit).abs() > ROUNDING * limit).then_some(counted)
}

/// What a decimal that was added to another one may be off, as a share.
const ROUNDING: f64 = 1e-6;
