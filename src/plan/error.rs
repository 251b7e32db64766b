//! [`PlanError`], and the checks that find it.

use std::time::Duration;

use super::{Gate, OnBreach, Reversibility, Step};
use crate::Percentage;
use crate::excerpt::excerpt;
use crate::guard::Criterion;
use crate::mode::SystemMode;
use crate::store::Settings;

/// A plan that cannot be followed. It names the step and the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PlanError {
    /// It is no name.
    #[error("`{name}` is not a name; allowed: 1 to 64 of a-z, 0-9, '.', '_' and '-', the first a letter or digit")]
    Name {
        /// The start of it.
        name: String,
    },
    /// There are no steps, or too many.
    #[error("a plan of {steps} steps; allowed: 1 to {}", Self::MOST_STEPS)]
    Steps {
        /// How many there are.
        steps: usize,
    },
    /// Two steps have one name.
    #[error("two steps have the name {step}")]
    Duplicate {
        /// The name.
        step: String,
    },
    /// Steps are in `Parallel`, `GradualRollout` or `NewOnly`.
    #[error("step {step} is in {mode}; allowed: parallel, gradual_rollout, new_only")]
    Mode {
        /// The step.
        step: String,
        /// Its mode.
        mode: SystemMode,
    },
    /// A rollout is missing, 0, or given where the mode fixes it.
    #[error("step {step} in {mode} has {}; {}", shown(*rollout), rule(*mode))]
    Rollout {
        /// The step.
        step: String,
        /// Its mode.
        mode: SystemMode,
        /// Its rollout.
        rollout: Option<Percentage>,
    },
    /// A shadow share of 0 in `Parallel`: neither served nor compared.
    #[error("step {step} in parallel has a shadow share of 0%, so new would never run in it; allowed: above 0%")]
    NothingRuns {
        /// The step.
        step: String,
    },
    /// The hold is not one.
    #[error("step {step} holds for {hold:?}; allowed: whole seconds up to {:?}, and 0 only with a gate", Self::LONGEST)]
    Hold {
        /// The step.
        step: String,
        /// Its hold.
        hold: Duration,
    },
    /// A list of criteria without one: a gate that is open has to say so.
    #[error("the gate of step {step} lists nothing; list criteria, or say \"none\"")]
    EmptyGate {
        /// The step.
        step: String,
    },
    /// Validation is asked for where nothing is compared, and no step before asks for it.
    #[error(
        "step {step} wants validation proven, but compares nothing, and no step before it proves that; give it a shadow share"
    )]
    NothingCompared {
        /// The step.
        step: String,
    },
    /// A step that cannot be taken back would be rolled back.
    #[error("step {step} is forward_only and would be rolled back on a breach; allowed: freeze, ask")]
    CannotRollBack {
        /// The step.
        step: String,
    },
    /// The mode cannot follow.
    #[error("step {step} goes from {from} to {to}, which is no valid transition")]
    Transition {
        /// The step.
        step: String,
        /// The mode before it.
        from: SystemMode,
        /// Its mode.
        to: SystemMode,
    },
    /// It exposes less to new than the step before it, and does not say that this is meant; or it says so and does not.
    #[error("step {step} exposes {} to new than what holds before it, and backwards is {said}", less(*said))]
    Direction {
        /// The step.
        step: String,
        /// What it says.
        said: bool,
    },
    /// It is like the step before it.
    #[error("step {step} changes nothing; let the step before it hold longer")]
    Repeated {
        /// The step.
        step: String,
    },
}

impl PlanError {
    /// The most steps of a plan.
    pub const MOST_STEPS: usize = 100;
    /// The longest hold: ten years.
    pub const LONGEST: Duration = Duration::from_secs(10 * 365 * 24 * 60 * 60);
}

fn shown(rollout: Option<Percentage>) -> String {
    rollout.map_or_else(|| "no rollout".to_owned(), |rollout| format!("a rollout of {rollout}"))
}

const fn rule(mode: SystemMode) -> &'static str {
    if matches!(mode, SystemMode::GradualRollout) { "allowed: above 0%" } else { "the mode fixes it: leave it out" }
}

const fn less(said: bool) -> &'static str {
    if said { "no less" } else { "less" }
}

/// Whether a text may name a plan or a step.
pub(super) fn check_name(name: &str) -> Result<(), PlanError> {
    let legal = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let first = name.bytes().next().is_some_and(legal);
    let rest = name.bytes().all(|byte| legal(byte) || matches!(byte, b'.' | b'_' | b'-'));
    if first && rest && name.len() <= 64 { Ok(()) } else { Err(PlanError::Name { name: excerpt(name) }) }
}

pub(super) fn check_steps(steps: &[Step]) -> Result<(), PlanError> {
    if steps.is_empty() || steps.len() > PlanError::MOST_STEPS {
        return Err(PlanError::Steps { steps: steps.len() });
    }
    let mut before = Settings::default();
    let mut validated = false;
    for (number, step) in steps.iter().enumerate() {
        check_name(&step.name)?;
        if steps.iter().take(number).any(|other| other.name == step.name) {
            return Err(PlanError::Duplicate { step: step.name.clone() });
        }
        check_alone(step)?;
        check_after(step, before)?;
        validated = check_validation(step, validated)?;
        before = step.settings();
    }
    Ok(())
}

fn check_alone(step: &Step) -> Result<(), PlanError> {
    let (name, mode) = (|| step.name.clone(), step.mode);
    if mode.resets_rollout() {
        return Err(PlanError::Mode { step: name(), mode });
    }
    let given = step.rollout.is_some_and(|rollout| rollout.ppm() > 0);
    if given != (mode == SystemMode::GradualRollout) || (!given && step.rollout.is_some()) {
        return Err(PlanError::Rollout { step: name(), mode, rollout: step.rollout });
    }
    if mode == SystemMode::Parallel && !step.compares() {
        return Err(PlanError::NothingRuns { step: name() });
    }
    if matches!(&step.gate, Gate::Proven(criteria) if criteria.is_empty()) {
        return Err(PlanError::EmptyGate { step: name() });
    }
    let endless = step.hold > PlanError::LONGEST || step.hold.subsec_nanos() > 0;
    if endless || (step.hold.is_zero() && step.gate == Gate::Open) {
        return Err(PlanError::Hold { step: name(), hold: step.hold });
    }
    if step.reversibility == Reversibility::ForwardOnly && step.on_breach == OnBreach::Rollback {
        return Err(PlanError::CannotRollBack { step: name() });
    }
    Ok(())
}

fn check_after(step: &Step, before: Settings) -> Result<(), PlanError> {
    let (name, after) = (|| step.name.clone(), step.settings());
    if after == before {
        return Err(PlanError::Repeated { step: name() });
    }
    if !before.mode.can_become(after.mode) {
        return Err(PlanError::Transition { step: name(), from: before.mode, to: after.mode });
    }
    let goes_back = exposure(after) < exposure(before);
    if goes_back != step.backwards {
        return Err(PlanError::Direction { step: name(), said: step.backwards });
    }
    Ok(())
}

/// Whether validation is asked for by now; an error where it can never be proven.
fn check_validation(step: &Step, before: bool) -> Result<bool, PlanError> {
    let asked = step.gate.criteria().contains(&Criterion::Validation);
    if asked && !step.compares() && !before {
        return Err(PlanError::NothingCompared { step: step.name.clone() });
    }
    Ok(asked || before)
}

/// How much settings expose to new, for comparing.
pub(super) const fn exposure(settings: Settings) -> (u8, u32) {
    let rank = match settings.mode {
        SystemMode::EmergencyRollback | SystemMode::LegacyOnly => 0,
        SystemMode::Parallel => 1,
        SystemMode::GradualRollout => 2,
        SystemMode::NewOnly => 3,
    };
    (rank, settings.rollout.ppm())
}
