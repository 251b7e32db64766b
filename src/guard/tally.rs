//! What of the counts each trigger and each criterion looks at.

use super::stream::Counted;
use super::{Control, Criterion, Trigger};
use crate::mode::SystemMode;
use crate::monitor::PhaseCounts;
use crate::percentage::Percentage;
use crate::store::Settings;

/// What a trigger looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) new: Counted,
    pub(super) legacy: Counted,
    /// Pairs in which only new, and those in which only legacy, was bad.
    pairs: (u64, u64),
    /// The bad calls that new, and those that legacy, served.
    labels: (u64, u64),
}

impl Tally {
    pub(super) fn of(trigger: Trigger, counts: &PhaseCounts) -> Self {
        let PhaseCounts { legacy, new, served_legacy, served_new, pairs, .. } = counts;
        match trigger {
            Trigger::Validation => Self { new: Counted::new(pairs.mismatched, pairs.compared), ..Self::default() },
            Trigger::ErrorRate => Self {
                new: Counted::new(new.failed, new.trials()),
                legacy: Counted::new(legacy.failed, legacy.trials()),
                pairs: (pairs.only_new_failed, pairs.only_legacy_failed),
                labels: (served_new.failed, served_legacy.failed),
            },
            Trigger::P95 => Self {
                new: Counted::new(new.slow, new.timed),
                legacy: Counted::new(legacy.slow, legacy.timed),
                pairs: (pairs.only_new_slow, pairs.only_legacy_slow),
                labels: (served_new.slow, served_legacy.slow),
            },
            Trigger::Throughput => Self {
                new: Counted::new(new.overdue, new.trials()),
                legacy: Counted::new(legacy.overdue, legacy.trials()),
                pairs: (pairs.only_new_overdue, pairs.only_legacy_overdue),
                labels: (served_new.overdue, served_legacy.overdue),
            },
            Trigger::Health | Trigger::AverageDuration => Self::default(),
        }
    }

    /// The bad events that tell new from legacy: those of new among all.
    pub(super) const fn relative(&self, control: Control) -> Counted {
        let (new, legacy) = match control {
            Control::Pairs => self.pairs,
            Control::Split => self.labels,
        };
        Counted::new(new, new.saturating_add(legacy))
    }
}

/// What a criterion looks at.
pub(super) fn criterion(criterion: Criterion, counts: &PhaseCounts) -> Counted {
    let PhaseCounts { new, pairs, .. } = counts;
    match criterion {
        Criterion::Validation => Counted::new(pairs.mismatched, pairs.compared),
        Criterion::Throughput => {
            Counted::new(new.overdue.saturating_add(new.unfinished), new.trials().saturating_add(new.unfinished))
        }
        Criterion::Latency => Counted::new(new.slow_for_promotion, new.timed),
    }
}

/// The share of calls that new serves by `settings`, where legacy serves the others.
pub(super) fn split(settings: &Settings) -> Option<f64> {
    let share = settings.rollout.percent() / 100.0;
    let is_split = settings.mode == SystemMode::GradualRollout && share > 0.0 && share < 1.0;
    is_split.then_some(share)
}

/// How legacy runs beside new.
pub(super) fn control(settings: &Settings) -> Option<Control> {
    match settings.mode {
        SystemMode::Parallel => Some(Control::Pairs),
        SystemMode::GradualRollout if settings.rollout == Percentage::ZERO => Some(Control::Pairs),
        SystemMode::GradualRollout => split(settings).map(|_| Control::Split),
        SystemMode::LegacyOnly | SystemMode::NewOnly | SystemMode::EmergencyRollback => None,
    }
}

/// Whether new runs.
pub(super) fn runs_new(settings: &Settings) -> bool {
    match settings.mode {
        SystemMode::Parallel => compares(settings),
        SystemMode::GradualRollout => settings.rollout > Percentage::ZERO || compares(settings),
        SystemMode::NewOnly => true,
        SystemMode::LegacyOnly | SystemMode::EmergencyRollback => false,
    }
}

/// Whether both sides run the same items.
pub(super) fn compares(settings: &Settings) -> bool {
    let has_shadow = match settings.mode {
        SystemMode::Parallel | SystemMode::GradualRollout | SystemMode::NewOnly => true,
        SystemMode::LegacyOnly | SystemMode::EmergencyRollback => false,
    };
    has_shadow && settings.effective_shadow_share() > Percentage::ZERO
}
