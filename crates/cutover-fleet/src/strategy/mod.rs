//! [`Strategy`]: how a system gets its new side.

mod limits;
mod spec;
mod step;

pub use limits::Limits;
pub use spec::{StrategyError, StrategySpec};
pub use step::Step;

use std::fmt;
use std::time::Duration;

use cutover::Percentage;
use serde::{Deserialize, Serialize};

/// How a system gets its new side, with all that it needs for that. There is no other strategy, and none is a fallback for
/// another: an unknown name is an error.
///
/// | strategy | legacy | traffic | back |
/// |---|---|---|---|
/// | blue-green | runs on | in one step, when new was tested without traffic | in one step |
/// | canary | runs on | in growing shares, each watched | one share back, then all |
/// | direct | is stopped first, so that both never run on the same data | in one step, after a downtime | legacy is started, its backup put back |
///
/// Legacy is never removed by a strategy: that is a [step of its own](crate::SystemMigrator::decommission).
///
/// ```
/// use cutover_fleet::{Strategy, StrategySpec};
///
/// let canary: Strategy = serde_json::from_str(r#"{ "name": "canary", "shares": [5, 50, 100], "watch": "10m" }"#)?;
/// assert_eq!(canary.name(), "canary");
///
/// let unknown = Strategy::try_from(StrategySpec::named("big_bang")).unwrap_err();
/// assert_eq!(unknown.to_string(), "`big_bang` is not a strategy; there are blue_green, canary, direct");
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "StrategySpec", into = "StrategySpec")]
#[non_exhaustive]
pub enum Strategy {
    /// New runs beside legacy, is tested, gets all traffic at once, and is watched.
    BlueGreen {
        /// How it is watched.
        watch: Watch,
    },
    /// New gets growing shares of the traffic, and is watched at each.
    Canary {
        /// The shares, growing, the last one 100 %.
        shares: Vec<Percentage>,
        /// How it is watched at each of them.
        watch: Watch,
        /// How often a share whose figures are beyond the limits is only taken one share back. After that, and when new is
        /// unhealthy, everything goes back.
        step_backs: u32,
    },
    /// Legacy is stopped before new gets the traffic: for sides that must not run on the same data. It wants a backup.
    Direct {
        /// How new is watched.
        watch: Watch,
        /// Who has said that they know of the downtime, and that the way back is the backup.
        acknowledged_by: String,
    },
}

/// How a new side is watched after it got traffic.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Watch {
    /// For how long it has to be seen to be healthy: at least [`every`](Self::every) times the
    /// [`unhealthy_looks`](Limits::unhealthy_looks). The default is 300 s.
    pub lasts: Duration,
    /// How often it is looked at. The default is 5 s.
    pub every: Duration,
    /// What is too bad.
    pub limits: Limits,
}

impl Watch {
    /// Watches for `lasts`, and looks every 5 s, with the default limits.
    #[must_use]
    pub fn lasting(lasts: Duration) -> Self {
        Self { lasts, ..Self::default() }
    }

    /// Looks every `interval`.
    #[must_use]
    pub const fn every(self, interval: Duration) -> Self {
        Self { every: interval, ..self }
    }

    /// With these limits.
    #[must_use]
    pub const fn limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }
}

impl Default for Watch {
    fn default() -> Self {
        Self { lasts: Duration::from_secs(300), every: Duration::from_secs(5), limits: Limits::default() }
    }
}

impl Strategy {
    /// The names of all strategies.
    pub const NAMES: [&str; 3] = ["blue_green", "canary", "direct"];

    /// Blue-green, watched for 300 s.
    #[must_use]
    pub fn blue_green() -> Self {
        Self::BlueGreen { watch: Watch::default() }
    }

    /// A canary that gets 10, 25, 50 and 100 %, watched for 300 s at each, and is taken one share back once.
    #[must_use]
    pub fn canary() -> Self {
        let shares = [100_000, 250_000, 500_000].map(|ppm| Percentage::from_ppm(ppm).unwrap_or(Percentage::HUNDRED));
        let shares = shares.into_iter().chain([Percentage::HUNDRED]).collect();
        Self::Canary { shares, watch: Watch::default(), step_backs: 1 }
    }

    /// Direct, watched for 300 s. `acknowledged_by` says who knows of the downtime and of the way back.
    ///
    /// # Errors
    /// [`StrategyError::NotAcknowledged`] when that is nobody.
    pub fn direct(acknowledged_by: &str) -> Result<Self, StrategyError> {
        Self::try_from(StrategySpec {
            acknowledged_by: Some(acknowledged_by.to_owned()),
            ..StrategySpec::named("direct")
        })
    }

    /// The name in data, such as `blue_green`.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BlueGreen { .. } => "blue_green",
            Self::Canary { .. } => "canary",
            Self::Direct { .. } => "direct",
        }
    }

    /// How it watches.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        match self {
            Self::BlueGreen { watch } | Self::Canary { watch, .. } | Self::Direct { watch, .. } => watch,
        }
    }

    /// The steps in their order.
    #[must_use]
    pub fn steps(&self) -> Vec<Step> {
        use Step::{
            Baseline, CheckBefore, CheckDuring, Convert, Deploy, FindBackup, Generate, Load, Shift, StopLegacy, Test,
            Validate, Watch,
        };
        let convert = [Load, Convert, Generate, Validate, Baseline, Deploy, Test, CheckDuring];
        let at = |share: &Percentage| [Shift(*share), Watch(*share)];
        let all = at(&Percentage::HUNDRED);
        match self {
            Self::BlueGreen { .. } => [CheckBefore].into_iter().chain(convert).chain(all).collect(),
            Self::Canary { shares, .. } => {
                [CheckBefore].into_iter().chain(convert).chain(shares.iter().flat_map(at)).collect()
            }
            Self::Direct { .. } => {
                [CheckBefore, FindBackup].into_iter().chain(convert).chain([StopLegacy]).chain(all).collect()
            }
        }
    }

    /// The share before `share`; `None` before the first.
    pub(crate) fn share_before(&self, share: Percentage) -> Option<Percentage> {
        match self {
            Self::Canary { shares, .. } => shares.iter().rev().copied().find(|before| *before < share),
            Self::BlueGreen { .. } | Self::Direct { .. } => None,
        }
    }

    pub(crate) const fn step_backs(&self) -> u32 {
        match self {
            Self::Canary { step_backs, .. } => *step_backs,
            Self::BlueGreen { .. } | Self::Direct { .. } => 0,
        }
    }
}

impl Default for Strategy {
    /// [Blue-green](Self::blue_green): legacy goes on to run, and the way back is one step.
    fn default() -> Self {
        Self::blue_green()
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
