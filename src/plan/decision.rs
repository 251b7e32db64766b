//! [`decide`]: what a plan does next. Pure.

use std::fmt;
use std::time::Duration;

use serde::Serialize;

use super::error::exposure;
use super::progress::name;
use super::{Look, PlanEnd, Progress, Readiness, RolloutPlan, Step, Stop, StoreView, span};
use crate::guard::{Action, Criterion, Hold};
use crate::mode::SystemMode;
use crate::store::Settings;

/// What a plan does next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "decision", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Decision {
    /// It waits; this is what is missing. It is never empty.
    Hold {
        /// All that is missing.
        needs: Vec<Need>,
    },
    /// It enters the next step.
    Promote {
        /// The step.
        step: String,
    },
    /// Everything is met, and a person has to allow the next step.
    AwaitApproval {
        /// The step.
        step: String,
    },
    /// Everything is met, and a person has to say that they know that the next step cannot be taken back.
    AwaitAcknowledgement {
        /// The step.
        step: String,
    },
    /// Everything goes back to legacy.
    Rollback,
    /// It stops where it is until a person resumes, restarts or aborts it.
    Freeze {
        /// Why.
        cause: Stop,
    },
    /// It asks a person, and stops where it is until they resume or abort it.
    Ask,
    /// The last step is over.
    Done,
    /// There was an emergency rollback. Nothing is done before a person restarts the plan.
    RolledBack,
}

/// What a plan waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "need", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Need {
    /// That the store answers.
    Store,
    /// That an operator [reconciles](crate::MigrationController::reconcile) the store.
    Reconciliation,
    /// That settings hold from which the plan can begin: nothing more exposed than its first step.
    Beginning {
        /// The mode that holds.
        mode: SystemMode,
    },
    /// That monitoring sees this step, and goes on.
    Monitoring,
    /// That what has regressed is answered by a person.
    Health,
    /// That the time after an automatic action is over.
    CoolDown,
    /// More time.
    Time {
        /// How much, in nanoseconds when serialised.
        #[serde(serialize_with = "crate::wire::nanos::serialize")]
        left: Duration,
    },
    /// More calls of new.
    Samples {
        /// How many.
        missing: u64,
    },
    /// That something is proven.
    Proof {
        /// What.
        criterion: Criterion,
    },
    /// That a person allows the next step.
    Approval {
        /// The step.
        step: String,
    },
    /// That a person says that they know that the next step cannot be taken back.
    Acknowledgement {
        /// The step.
        step: String,
    },
    /// That legacy is well, so that it could take over.
    LegacyHealth,
}

/// What `plan` does next, after `progress` and by what is seen.
///
/// - A rollback comes before everything else, as long as new runs at all.
/// - One step at a time, and none without a call of new that was seen in the one before.
/// - What is not known holds: a store that does not answer, a guard that sees nothing, a legacy side that nobody has asked.
/// - After an end nothing happens.
///
/// ```
/// use cutover::RolloutPlan;
/// use cutover::plan::{Decision, Look, Need, Progress, Readiness, StoreView, decide};
///
/// let plan = RolloutPlan::five_week_ramp();
/// let nothing_seen = decide(&plan, &Progress::new(), &Look::default());
/// assert_eq!(nothing_seen, Decision::Hold { needs: vec![Need::Store] });
///
/// let ready = Look { store: StoreView::Fresh, legacy: Readiness::Ready, ..Look::default() };
/// let begins = decide(&plan, &Progress::new(), &ready);
/// assert_eq!(begins, Decision::Promote { step: "parallel".into() });
/// ```
#[must_use]
pub fn decide(plan: &RolloutPlan, progress: &Progress, look: &Look) -> Decision {
    match progress.end() {
        Some(PlanEnd::Done) => return Decision::Done,
        Some(PlanEnd::RolledBack) => return Decision::RolledBack,
        None => {}
    }
    let stop = progress.stop(plan);
    match breach(plan, progress, look) {
        Some(Action::Rollback) => return Decision::Rollback,
        Some(Action::Freeze) if stop.is_none() => return Decision::Freeze { cause: Stop::Frozen },
        Some(Action::Ask) if stop.is_none() => return Decision::Ask,
        _ => {}
    }
    match stop {
        Some(Stop::Asked) => Decision::Ask,
        Some(cause) => Decision::Freeze { cause },
        None => go_on(plan, progress, look),
    }
}

/// What a breach does: the weaker one of what the guard asks for and what the step says. Where the plan does not have the
/// step, nobody knows what it says, and a person is asked.
fn breach(plan: &RolloutPlan, progress: &Progress, look: &Look) -> Option<Action> {
    if !progress.is_under_way() || progress.settings().mode.resets_rollout() {
        return None;
    }
    let asked = look.action.filter(|action| *action > Action::Warn)?;
    let step = progress.place().and_then(|place| plan.step(place));
    Some(asked.min(step.map_or(Action::Ask, |step| step.on_breach.into())))
}

fn go_on(plan: &RolloutPlan, progress: &Progress, look: &Look) -> Decision {
    let step = progress.place().and_then(|place| plan.step(place));
    let mut needs = store_needs(look);
    if let Some(step) = step {
        needs.extend(step_needs(step, progress, look));
    } else {
        needs.extend(beginning_needs(plan, progress.settings()));
        needs.extend(held_needs(look));
    }
    let Some(next) = progress.next(plan) else {
        return if needs.is_empty() { Decision::Done } else { Decision::Hold { needs } };
    };
    allow(plan, progress, look, next, needs)
}

/// Whether the step at `place` may be entered, if nothing else is missing.
fn allow(plan: &RolloutPlan, progress: &Progress, look: &Look, place: usize, mut needs: Vec<Need>) -> Decision {
    let step = || name(plan, place).to_owned();
    let (approval, acknowledgement) = progress.missing(plan, place);
    match (needs.is_empty(), approval, acknowledgement, look.legacy) {
        (true, true, ..) => return Decision::AwaitApproval { step: step() },
        (true, false, true, _) => return Decision::AwaitAcknowledgement { step: step() },
        (true, false, false, Readiness::Ready) => return Decision::Promote { step: step() },
        (true, false, false, _) => needs.push(Need::LegacyHealth),
        (false, ..) => {}
    }
    needs.extend(approval.then(|| Need::Approval { step: step() }));
    needs.extend(acknowledgement.then(|| Need::Acknowledgement { step: step() }));
    if look.legacy == Readiness::NotReady && !needs.contains(&Need::LegacyHealth) {
        needs.push(Need::LegacyHealth);
    }
    Decision::Hold { needs }
}

fn store_needs(look: &Look) -> Vec<Need> {
    match look.store {
        StoreView::Fresh => Vec::new(),
        StoreView::InDoubt => vec![Need::Reconciliation],
        StoreView::Unreachable => vec![Need::Store],
    }
}

fn beginning_needs(plan: &RolloutPlan, present: Settings) -> Option<Need> {
    let first = plan.step(0).map(Step::settings)?;
    let begins = present.mode.can_become(first.mode) && exposure(present) <= exposure(first);
    (!begins || present.mode == SystemMode::EmergencyRollback).then_some(Need::Beginning { mode: present.mode })
}

fn held_needs(look: &Look) -> Option<Need> {
    match look.held_by? {
        Hold::Regressed => Some(Need::Health),
        Hold::CoolingDown => Some(Need::CoolDown),
        Hold::NoNewCounts => None,
    }
}

fn step_needs(step: &Step, progress: &Progress, look: &Look) -> Vec<Need> {
    let least = step.min_samples.max(1);
    let monitoring = (!look.monitored || look.held_by == Some(Hold::NoNewCounts)).then_some(Need::Monitoring);
    let time = step.hold.checked_sub(look.held).filter(|left| !left.is_zero()).map(|left| Need::Time { left });
    let samples = least.checked_sub(look.samples).filter(|missing| *missing > 0);
    let proofs = step.gate.criteria().iter().filter(|criterion| !is_proven(**criterion, step, progress, look));
    let mut needs: Vec<Need> = monitoring.into_iter().chain(held_needs(look)).chain(time).collect();
    needs.extend(samples.map(|missing| Need::Samples { missing }));
    needs.extend(proofs.map(|criterion| Need::Proof { criterion: *criterion }));
    needs
}

/// Where nothing is compared, validation is proven by an earlier step.
fn is_proven(criterion: Criterion, step: &Step, progress: &Progress, look: &Look) -> bool {
    let earlier = criterion == Criterion::Validation && !step.compares() && look.compared == 0;
    look.proven.contains(&criterion) || (earlier && progress.proven.contains(&criterion))
}

impl fmt::Display for Decision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hold { needs } => {
                let needs: Vec<String> = needs.iter().map(ToString::to_string).collect();
                write!(f, "hold: it needs {}", needs.join(", "))
            }
            Self::Promote { step } => write!(f, "enter {step}"),
            Self::AwaitApproval { step } => write!(f, "a person has to approve {step}"),
            Self::AwaitAcknowledgement { step } => {
                write!(f, "a person has to acknowledge that {step} cannot be taken back")
            }
            Self::Rollback => f.write_str("roll back"),
            Self::Freeze { cause } => write!(f, "frozen: {cause}"),
            Self::Ask => f.write_str("a person has to look at a breach"),
            Self::Done => f.write_str("done"),
            Self::RolledBack => f.write_str("rolled back"),
        }
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Paused => "a person paused it",
            Self::Frozen => "a trigger was breached",
            Self::Asked => "a trigger was breached, and a person is asked",
            Self::ByHand => "the settings were changed by hand",
            Self::UnknownStep => "the audit names a step that this plan does not have",
            Self::OtherSettings => "the settings are not those of the step",
        })
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store => f.write_str("an answer of the store"),
            Self::Reconciliation => f.write_str("an operator who reconciles the store"),
            Self::Beginning { mode } => write!(f, "settings to begin from instead of {mode}"),
            Self::Monitoring => f.write_str("monitoring"),
            Self::Health => f.write_str("a person who looks at what has regressed"),
            Self::CoolDown => f.write_str("the cool-down to end"),
            Self::Time { left } => write!(f, "{} more", span::about(*left)),
            Self::Samples { missing } => write!(f, "{missing} more calls"),
            Self::Proof { criterion } => write!(f, "{criterion} proven"),
            Self::Approval { step } => write!(f, "an approval of {step}"),
            Self::Acknowledgement { step } => write!(f, "an acknowledgement of {step}"),
            Self::LegacyHealth => f.write_str("a legacy side that could take over"),
        }
    }
}
