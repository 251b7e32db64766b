//! [`KpiTargets`].

use std::fmt;

use serde::{Deserialize, Serialize};

/// What a figure is to be. As data: `{ "at_least": 0.8 }`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is no fourth way to be near a number")]
pub enum Target {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
    /// Less than this.
    Below(f64),
}

impl Target {
    /// Whether `value` is as it is to be.
    #[must_use]
    pub fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Below(limit) => value < limit,
        }
    }

    pub(super) const fn number(self) -> f64 {
        match self {
            Self::AtLeast(number) | Self::AtMost(number) | Self::Below(number) => number,
        }
    }

    const fn wants_more(self) -> bool {
        matches!(self, Self::AtLeast(_))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "at least {least}"),
            Self::AtMost(most) => write!(f, "at most {most}"),
            Self::Below(limit) => write!(f, "below {limit}"),
        }
    }
}

/// The targets of the figures; [`Kpis`](super::Kpis) has the defaults and the sign of each. A target keeps its direction: what
/// is to be small cannot be asked to be `at_least` something.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct KpiTargets {
    /// The share of validation cases that pass; at least.
    pub validation: Target,
    /// Rollbacks; at most or below.
    pub rollbacks: Target,
    /// Systems whose recovery failed; at most or below.
    pub failed: Target,
    /// The change of the throughput, plus is more; at least.
    pub throughput: Target,
    /// The change of the p95, plus is slower; at most or below.
    pub latency: Target,
    /// Hours per migrated system; at most or below.
    pub hours: Target,
    /// Minutes in which neither side served; at most or below.
    pub downtime: Target,
}

impl Default for KpiTargets {
    fn default() -> Self {
        Self {
            validation: Target::AtLeast(0.8),
            rollbacks: Target::AtMost(4.0),
            failed: Target::AtMost(0.0),
            throughput: Target::AtLeast(0.20),
            latency: Target::Below(0.10),
            hours: Target::Below(2.0),
            downtime: Target::AtMost(0.0),
        }
    }
}

impl KpiTargets {
    /// The first target that is none: it is not finite, or has the other direction.
    pub(crate) fn check(&self) -> Result<(), (&'static str, f64)> {
        let Self { validation, rollbacks, failed, throughput, latency, hours, downtime } = *self;
        let more = [("validation", validation), ("throughput", throughput)];
        let less = [
            ("rollbacks", rollbacks),
            ("failed", failed),
            ("latency", latency),
            ("hours", hours),
            ("downtime", downtime),
        ];
        let all = more.map(|target| (target, true)).into_iter().chain(less.map(|target| (target, false)));
        for ((name, target), wants_more) in all {
            let number = target.number();
            let in_range = number.is_finite() && number > -1.0;
            if !in_range || target.wants_more() != wants_more {
                return Err((name, number));
            }
        }
        Ok(())
    }
}
