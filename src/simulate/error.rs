//! [`ModelError`], and the checks that find it.

use std::time::Duration;

use super::{Begins, Fault, Model, SideModel};

/// A model that cannot be played. It names the value and what is allowed.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum ModelError {
    /// A number is out of range.
    #[error("`{name}` is {value}; allowed: {allowed}")]
    Number {
        /// Which one, such as `legacy.failure_rate`.
        name: String,
        /// What was given.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A duration is out of range.
    #[error("`{name}` is {value:?}; allowed: {allowed}")]
    Time {
        /// Which one, such as `operator.answers_after`.
        name: String,
        /// What was given.
        value: Duration,
        /// What is allowed.
        allowed: &'static str,
    },
    /// There are too many faults.
    #[error("`faults` has {count} faults; allowed: at most {}", Self::MOST_FAULTS)]
    Faults {
        /// How many there are.
        count: usize,
    },
    /// There are too many looks in so long a time.
    #[error("a look every {every:?} for {longest:?} makes {looks} looks; allowed: at most {}", Self::MOST_LOOKS)]
    Looks {
        /// The time between two looks.
        every: Duration,
        /// How long the plan may take.
        longest: Duration,
        /// How many looks that makes.
        looks: u64,
    },
}

impl ModelError {
    /// The most faults of a model.
    pub const MOST_FAULTS: usize = 16;
    /// The most looks of one run.
    pub const MOST_LOOKS: u64 = 50_000_000;
}

const HOUR: u64 = 3_600;
const YEARS: u64 = 10 * 365 * 24 * HOUR;

pub(super) fn check(model: &Model) -> Result<(), ModelError> {
    let Model { keys, drift, operator, .. } = model;
    within("calls_per_second", model.calls_per_second, (0.001, 1e6), "0.001 to 1e6")?;
    share("daily_swing", model.daily_swing)?;
    within("keys.count", keys.count.into(), (1.0, 1e6), "1 to 1,000,000")?;
    within("keys.zipf", keys.zipf, (0.0, 3.0), "0 to 3")?;
    share("keys.bad", keys.bad)?;
    check_side("legacy", &model.legacy)?;
    check_side("new", &model.new)?;
    share("mismatch_rate", model.mismatch_rate)?;
    share("drift.failures", drift.failures)?;
    within("drift.durations", drift.durations, (0.0, 0.99), "0 to 0.99")?;
    time("drift.period", drift.period, (60, YEARS), "whole seconds, a minute to ten years")?;
    time("operator.approves_after", operator.approves_after, (0, YEARS), "whole seconds up to ten years")?;
    time("operator.answers_after", operator.answers_after, (0, YEARS), "whole seconds up to ten years")?;
    time("timeout", model.timeout, (1, 24 * HOUR), "whole seconds, one to a day")?;
    time("health_every", model.health_every, (1, 24 * HOUR), "whole seconds, one to a day")?;
    time("longest", model.longest, (60, YEARS), "whole seconds, a minute to ten years")?;
    if model.faults.len() > ModelError::MOST_FAULTS {
        return Err(ModelError::Faults { count: model.faults.len() });
    }
    model.faults.iter().enumerate().try_for_each(|(number, fault)| check_fault(number, fault))
}

/// The time between two looks.
pub(super) fn check_looks(model: &Model, every: Duration) -> Result<(), ModelError> {
    time("look_every", every, (1, 24 * HOUR), "whole seconds, one to a day")?;
    let looks = model.longest.as_secs() / every.as_secs().max(1);
    let longest = model.longest;
    if looks > ModelError::MOST_LOOKS { Err(ModelError::Looks { every, longest, looks }) } else { Ok(()) }
}

fn check_side(name: &str, side: &SideModel) -> Result<(), ModelError> {
    share(&format!("{name}.failure_rate"), side.failure_rate)?;
    let median = (Duration::from_micros(1), Duration::from_secs(24 * HOUR));
    if side.median < median.0 || side.median > median.1 {
        let allowed = "a microsecond to a day";
        return Err(ModelError::Time { name: format!("{name}.median"), value: side.median, allowed });
    }
    within(&format!("{name}.sigma"), side.sigma, (0.01, 3.0), "0.01 to 3")
}

fn check_fault(number: usize, fault: &Fault) -> Result<(), ModelError> {
    let name = |field: &str| format!("faults[{number}].{field}");
    if let Begins::After(begins) = fault.begins {
        time(&name("begins"), begins, (0, YEARS), "whole seconds up to ten years")?;
    }
    if let Some(lasts) = fault.lasts {
        time(&name("lasts"), lasts, (1, YEARS), "whole seconds, one to ten years")?;
    }
    share(&name("keys"), fault.keys)?;
    share(&name("failure_rate"), fault.failure_rate)?;
    share(&name("hang_rate"), fault.hang_rate)?;
    share(&name("mismatch_rate"), fault.mismatch_rate)?;
    within(&name("latency_factor"), fault.latency_factor, (1.0, 1_000.0), "1 to 1000")
}

fn share(name: &str, value: f64) -> Result<(), ModelError> {
    within(name, value, (0.0, 1.0), "0 to 1")
}

fn within(name: &str, value: f64, (least, most): (f64, f64), allowed: &'static str) -> Result<(), ModelError> {
    let is_allowed = value >= least && value <= most;
    if is_allowed { Ok(()) } else { Err(ModelError::Number { name: name.to_owned(), value, allowed }) }
}

fn time(name: &str, value: Duration, (least, most): (u64, u64), allowed: &'static str) -> Result<(), ModelError> {
    let is_allowed = value.subsec_nanos() == 0 && (least..=most).contains(&value.as_secs());
    if is_allowed { Ok(()) } else { Err(ModelError::Time { name: name.to_owned(), value, allowed }) }
}
