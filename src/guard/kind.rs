//! [`Trigger`], [`Criterion`], [`Action`] and [`GuardVerdict`]: the words of the guard.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What can make a guard act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// Too many comparisons disagree.
    Validation,
    /// Too many calls of new fail.
    ErrorRate,
    /// Too many calls of new are slow: its p95 is too far above that of legacy.
    P95,
    /// Too few calls of new come to an end in time.
    Throughput,
    /// Too many health checks of new in a row have not succeeded.
    Health,
    /// The calls of new take too long on average.
    AverageDuration,
}

impl Trigger {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Validation, Self::ErrorRate, Self::P95, Self::Throughput, Self::Health, Self::AverageDuration];

    /// The wire name, such as `error_rate`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::ErrorRate => "error_rate",
            Self::P95 => "p95",
            Self::Throughput => "throughput",
            Self::Health => "health",
            Self::AverageDuration => "average_duration",
        }
    }

    /// Whether it is decided by evidence that grows with every call; the others compare one number with a limit.
    #[must_use]
    pub const fn is_statistical(self) -> bool {
        match self {
            Self::Validation | Self::ErrorRate | Self::P95 | Self::Throughput => true,
            Self::Health | Self::AverageDuration => false,
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Validation => "validation",
            Self::ErrorRate => "error rate",
            Self::P95 => "p95",
            Self::Throughput => "throughput",
            Self::Health => "health",
            Self::AverageDuration => "average duration",
        })
    }
}

/// What has to be proven before new is promoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Criterion {
    /// Enough comparisons match.
    Validation,
    /// Enough calls of new come to an end in time.
    Throughput,
    /// The p95 of new is not much above that of legacy.
    Latency,
}

impl Criterion {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 3] = [Self::Validation, Self::Throughput, Self::Latency];

    /// The wire name, such as `latency`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Validation => "validation",
            Self::Throughput => "throughput",
            Self::Latency => "latency",
        }
    }
}

impl fmt::Display for Criterion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What a guard asks for. The later one is the stronger one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Action {
    /// Say it, and go on.
    Warn,
    /// Ask people; nothing goes forward until they have answered.
    Ask,
    /// Nothing goes forward.
    Freeze,
    /// Back to legacy.
    Rollback,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Warn => "warn",
            Self::Ask => "ask",
            Self::Freeze => "freeze",
            Self::Rollback => "roll back",
        })
    }
}

/// What the evidence says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(
    clippy::exhaustive_enums,
    reason = "there is nothing between and beside proven good, proven bad and not proven"
)]
pub enum GuardVerdict {
    /// It is proven that new keeps to the limit.
    Healthy,
    /// Nothing is proven, such as with little or no data: neither a success nor a failure.
    Inconclusive,
    /// It is proven that new does not.
    Regressed,
}

impl fmt::Display for GuardVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Healthy => "HEALTHY",
            Self::Inconclusive => "INCONCLUSIVE",
            Self::Regressed => "REGRESSED",
        })
    }
}
