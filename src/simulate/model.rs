//! [`Model`]: what the traffic is like, and how new breaks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{maybe, seconds};
use crate::Percentage;
use crate::plan::span;

/// A world for a plan to be played in. It is plain data: what is not given is as in the default, in which both sides are
/// equal and nothing breaks.
///
/// A [`Simulation`](super::Simulation) checks it. Shares and rates are from 0 to 1.
///
/// ```
/// use cutover::simulate::{Begins, Fault, Model};
/// use cutover::Percentage;
///
/// let broken = Model {
///     calls_per_second: 50.0,
///     faults: vec![Fault { failure_rate: 0.2, ..Fault::at_rollout(Percentage::new(25.0)?) }],
///     ..Model::default()
/// };
/// let read: Model = serde_json::from_str(
///     r#"{ "calls_per_second": 50, "faults": [{ "begins": { "at_rollout": 25 }, "failure_rate": 0.2 }] }"#,
/// )?;
/// assert_eq!(read, broken);
/// assert_eq!(read.faults[0].begins, Begins::AtRollout(Percentage::new(25.0)?));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "whoever models a service writes what differs from the default")]
pub struct Model {
    /// Calls a second, averaged over a day.
    pub calls_per_second: f64,
    /// How much of that comes and goes with the day: with 0.5 the calls swing between half and one and a half times the average.
    pub daily_swing: f64,
    /// Who calls.
    pub keys: Keys,
    /// How legacy does.
    pub legacy: SideModel,
    /// How new does while nothing is broken.
    pub new: SideModel,
    /// The share of comparisons that disagree while nothing is broken.
    pub mismatch_rate: f64,
    /// What comes and goes for both sides alike.
    pub drift: Drift,
    /// How new breaks. Of several that strike a key at the same time, the last one counts.
    pub faults: Vec<Fault>,
    /// What people do.
    pub operator: Operator,
    /// After how long a call counts as one that never ends. While calls hang, the guard sees all calls that much later.
    #[serde(with = "span")]
    pub timeout: Duration,
    /// How often a side is asked for its health.
    #[serde(with = "span")]
    pub health_every: Duration,
    /// After how long a plan that has not come to its end is given up.
    #[serde(with = "span")]
    pub longest: Duration,
}

impl Default for Model {
    fn default() -> Self {
        Self {
            calls_per_second: 30.0,
            daily_swing: 0.0,
            keys: Keys::default(),
            legacy: SideModel::default(),
            new: SideModel::default(),
            mismatch_rate: 0.001,
            drift: Drift::default(),
            faults: Vec::new(),
            operator: Operator::default(),
            timeout: Duration::from_secs(30),
            health_every: Duration::from_secs(10),
            longest: Duration::from_secs(100 * 24 * 60 * 60),
        }
    }
}

/// Who calls: keys, of which some call more often than others.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "whoever models a service writes what differs from the default")]
pub struct Keys {
    /// How many there are.
    pub count: u32,
    /// Zipf's exponent: the `n`th key calls in proportion to `n` to the minus that. With 0 all call equally often, with 1.1 a
    /// few of them make most of the calls.
    pub zipf: f64,
    /// The share of keys whose calls always fail, on either side: broken data, or a user without rights.
    pub bad: f64,
    /// Whether the monitor tells keys apart, and counts the first failure of each key only when it compares the two sides.
    pub told_apart: bool,
}

impl Default for Keys {
    fn default() -> Self {
        Self { count: 10_000, zipf: 0.0, bad: 0.0, told_apart: true }
    }
}

/// How a side does.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "whoever models a service writes what differs from the default")]
pub struct SideModel {
    /// The share of calls that fail.
    pub failure_rate: f64,
    /// Half of the calls take no longer, in seconds when serialised.
    #[serde(with = "seconds")]
    pub median: Duration,
    /// The spread of the logarithm of durations, which is normal: with 0.5 the p95 is 2.3 times the median, with 1 it is 5.2 times.
    pub sigma: f64,
}

impl Default for SideModel {
    fn default() -> Self {
        Self { failure_rate: 0.005, median: Duration::from_millis(20), sigma: 0.5 }
    }
}

/// What comes and goes for both sides alike, as a sine from its average: a slow database, a bad network.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "whoever models a service writes what differs from the default")]
pub struct Drift {
    /// How much the failure rates of both sides swing: with 0.8 a rate of 5 % is between 1 and 9 %.
    pub failures: f64,
    /// How much the durations of both sides swing.
    pub durations: f64,
    /// From one peak to the next.
    #[serde(with = "span")]
    pub period: Duration,
}

impl Default for Drift {
    fn default() -> Self {
        Self { failures: 0.0, durations: 0.0, period: Duration::from_secs(6 * 60 * 60) }
    }
}

/// How new breaks: the calls that it strikes fail, hang, are answered wrongly or take longer. It goes on until new is rolled back,
/// or for as long as it lasts.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "whoever models a service writes what differs from a constructor")]
pub struct Fault {
    /// From when on.
    pub begins: Begins,
    /// For how long; for ever if it is not given.
    #[serde(default, with = "maybe", skip_serializing_if = "Option::is_none")]
    pub lasts: Option<Duration>,
    /// The share of keys that it strikes, and of these every call. The same keys all the time.
    #[serde(default = "one")]
    pub keys: f64,
    /// The share of the calls it strikes that fail, beside those that fail anyway.
    #[serde(default)]
    pub failure_rate: f64,
    /// The share that never ends.
    #[serde(default)]
    pub hang_rate: f64,
    /// The share that is answered wrongly.
    #[serde(default)]
    pub mismatch_rate: f64,
    /// How many times longer they take.
    #[serde(default = "one")]
    pub latency_factor: f64,
    /// Whether the health checks of new fail.
    #[serde(default)]
    pub health_checks_fail: bool,
}

const fn one() -> f64 {
    1.0
}

/// When a fault begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Begins {
    /// So long after the beginning of the plan.
    After(#[serde(with = "span")] Duration),
    /// As soon as new serves that share of the keys, or more.
    AtRollout(Percentage),
}

impl Fault {
    /// A fault that begins with that rollout. It does nothing yet.
    #[must_use]
    pub const fn at_rollout(rollout: Percentage) -> Self {
        Self::new(Begins::AtRollout(rollout))
    }

    /// A fault that begins so long after the plan. It does nothing yet.
    #[must_use]
    pub const fn after(time: Duration) -> Self {
        Self::new(Begins::After(time))
    }

    const fn new(begins: Begins) -> Self {
        Self {
            begins,
            lasts: None,
            keys: 1.0,
            failure_rate: 0.0,
            hang_rate: 0.0,
            mismatch_rate: 0.0,
            latency_factor: 1.0,
            health_checks_fail: false,
        }
    }
}

/// What people do. They look at what is broken, and are not wrong about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "whoever models a service writes what differs from the default")]
pub struct Operator {
    /// How long an approval takes, and an acknowledgement after it, once the plan asks.
    #[serde(with = "span")]
    pub approves_after: Duration,
    /// How long it takes until somebody looks at a plan that is frozen or asks: they roll back if new is broken, and let it go on
    /// otherwise.
    #[serde(with = "span")]
    pub answers_after: Duration,
}

impl Default for Operator {
    fn default() -> Self {
        let hour = Duration::from_secs(60 * 60);
        Self { approves_after: hour, answers_after: hour }
    }
}
