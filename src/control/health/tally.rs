//! [`Health`], and how it is counted: pure.

use std::time::{Duration, SystemTime};

use serde::{Serialize, Serializer};

use super::HealthSchedule;
use crate::clock::Instant;
use crate::control::status::optional_millis;
use crate::observe::CheckOutcome;
use crate::wire;

/// The health of both sides. As JSON, times are in milliseconds since the Unix epoch and ages in nanoseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Health {
    /// The legacy side, if it is checked.
    pub legacy: Option<SideHealth>,
    /// The new side, if it is checked.
    pub new: Option<SideHealth>,
}

/// The health of one side, by the checks of this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct SideHealth {
    /// What the last check said, as long as that is recent.
    pub state: HealthState,
    /// How many checks have not succeeded in a row; 0 after a success.
    pub consecutive_failures: u32,
    /// When the last check ended, by the time of day. It is for people: nothing is decided by it.
    #[serde(serialize_with = "optional_millis")]
    pub last_checked: Option<SystemTime>,
    /// How long ago the last check ended, by a clock that does not jump.
    #[serde(serialize_with = "optional_nanos")]
    pub age: Option<Duration>,
    /// How the last check ended.
    pub last: Option<CheckOutcome>,
    /// How many checks have ended.
    pub checks: u64,
}

/// What is known of the health of a side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum HealthState {
    /// No check has ended yet, or the last one is older than two intervals and timeouts: nobody checks any more. That is
    /// neither a failure nor a success.
    Unknown,
    /// The last check succeeded.
    Healthy,
    /// The last check failed, panicked or took too long.
    Failing,
}

impl HealthState {
    /// The wire name, such as `healthy`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Failing => "failing",
        }
    }
}

/// The counts behind a [`SideHealth`].
#[derive(Debug, Default)]
pub(super) struct Tally {
    last: Option<Ended>,
    consecutive_failures: u32,
    checks: u64,
}

/// The end of a check.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ended {
    pub(super) outcome: CheckOutcome,
    pub(super) at: Instant,
    pub(super) wall: SystemTime,
}

impl Tally {
    /// Counts a check and gives back how many have failed in a row.
    pub(super) fn count(&mut self, ended: Ended) -> u32 {
        self.last = Some(ended);
        self.checks += 1;
        self.consecutive_failures = if ended.outcome.is_ok() { 0 } else { self.consecutive_failures.saturating_add(1) };
        self.consecutive_failures
    }

    pub(super) fn health(&self, schedule: HealthSchedule, now: Instant) -> SideHealth {
        let age = self.last.map(|last| now.since(last.at));
        let recent = self.last.filter(|_| age.is_some_and(|age| age <= schedule.max_age()));
        let state = match recent {
            None => HealthState::Unknown,
            Some(last) if last.outcome.is_ok() => HealthState::Healthy,
            Some(_) => HealthState::Failing,
        };
        SideHealth {
            state,
            consecutive_failures: self.consecutive_failures,
            last_checked: self.last.map(|last| last.wall),
            age,
            last: self.last.map(|last| last.outcome),
            checks: self.checks,
        }
    }
}

#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
fn optional_nanos<S: Serializer>(duration: &Option<Duration>, serializer: S) -> Result<S::Ok, S::Error> {
    match duration {
        Some(duration) => wire::nanos::serialize(duration, serializer),
        None => serializer.serialize_none(),
    }
}
