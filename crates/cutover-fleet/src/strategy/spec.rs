//! [`StrategySpec`]: a strategy as data, before it is checked.

use std::time::Duration;

use cutover::Percentage;
use serde::{Deserialize, Serialize};

use super::{Limits, Strategy, Watch};
use crate::text::{excerpt, list};

/// A strategy as it stands in configuration: what is not given is as in the default of the strategy, and what does not fit
/// to it is refused. Durations are texts such as `5m` or `90s`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct StrategySpec {
    /// `blue_green`, `canary` or `direct`.
    pub name: String,
    /// For how long new is watched, at each share: at least `every` times the `unhealthy_looks` of the limits, since a shorter
    /// watch is over before it could find what is bad.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub watch: Option<Duration>,
    /// How often it is looked at.
    #[serde(default, with = "humantime_serde", skip_serializing_if = "Option::is_none")]
    pub every: Option<Duration>,
    /// What is too bad.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// The shares of a canary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shares: Option<Vec<Percentage>>,
    /// How often a canary is taken one share back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_backs: Option<u32>,
    /// Who acknowledges a direct migration.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acknowledged_by: Option<String>,
}

impl StrategySpec {
    /// The strategy `name` with its defaults.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self { name: name.to_owned(), ..Self::default() }
    }

    fn watch(&self) -> Result<Watch, StrategyError> {
        let default = Watch::default();
        let watch = Watch {
            lasts: self.watch.unwrap_or(default.lasts),
            every: self.every.unwrap_or(default.every),
            limits: self.limits.unwrap_or(default.limits),
        };
        if let Some((name, value, allowed)) = watch.limits.out_of_range() {
            return Err(StrategyError::Limit { name, value, allowed });
        }
        check_times(&watch).map(|()| watch)
    }

    /// Refuses what the strategy has no use for.
    fn only(&self, useful: &[&str]) -> Result<(), StrategyError> {
        let given = [
            ("shares", self.shares.is_some()),
            ("step_backs", self.step_backs.is_some()),
            ("acknowledged_by", self.acknowledged_by.is_some()),
        ];
        let useless = given.into_iter().find(|(field, given)| *given && !useful.contains(field));
        useless.map_or(Ok(()), |(field, _)| Err(StrategyError::DoesNotFit { strategy: self.name.clone(), field }))
    }
}

/// The longest that a watch may last, and the time between two looks.
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);

fn check_times(watch: &Watch) -> Result<(), StrategyError> {
    if watch.lasts > LONGEST {
        return Err(StrategyError::Time { name: "watch", value: watch.lasts, allowed: "at most 30 days" });
    }
    if watch.every < SHORTEST_INTERVAL {
        return Err(StrategyError::Time { name: "every", value: watch.every, allowed: "at least 100 ms" });
    }
    let Watch { lasts, every, limits } = *watch;
    let (looks, least) = (limits.unhealthy_looks, every.saturating_mul(limits.unhealthy_looks));
    if lasts < least { Err(StrategyError::TooShort { watch: lasts, least, looks, every }) } else { Ok(()) }
}

impl TryFrom<StrategySpec> for Strategy {
    type Error = StrategyError;

    fn try_from(spec: StrategySpec) -> Result<Self, StrategyError> {
        match spec.name.as_str() {
            "blue_green" => {
                spec.only(&[])?;
                Ok(Self::BlueGreen { watch: spec.watch()? })
            }
            "canary" => {
                spec.only(&["shares", "step_backs"])?;
                canary(spec.watch()?, spec.shares, spec.step_backs)
            }
            "direct" => {
                spec.only(&["acknowledged_by"])?;
                let acknowledged_by = acknowledged(spec.acknowledged_by.as_deref().unwrap_or_default())?;
                Ok(Self::Direct { watch: spec.watch()?, acknowledged_by })
            }
            unknown => Err(StrategyError::Unknown { name: excerpt(unknown) }),
        }
    }
}

fn canary(watch: Watch, shares: Option<Vec<Percentage>>, step_backs: Option<u32>) -> Result<Strategy, StrategyError> {
    let Strategy::Canary { shares: usual, step_backs: usual_backs, .. } = Strategy::canary() else {
        return Err(StrategyError::Shares { shares: Vec::new() });
    };
    let shares = shares.unwrap_or(usual);
    let grow = shares.iter().zip(shares.iter().skip(1)).all(|(low, high)| low < high);
    let from_nothing = shares.first().is_some_and(|first| *first > Percentage::ZERO);
    if grow && from_nothing && shares.last() == Some(&Percentage::HUNDRED) {
        return Ok(Strategy::Canary { shares, watch, step_backs: step_backs.unwrap_or(usual_backs) });
    }
    Err(StrategyError::Shares { shares })
}

fn acknowledged(by: &str) -> Result<String, StrategyError> {
    let name = crate::text::message(by);
    if name.is_empty() { Err(StrategyError::NotAcknowledged) } else { Ok(name) }
}

impl From<Strategy> for StrategySpec {
    fn from(strategy: Strategy) -> Self {
        let Watch { lasts, every, limits } = *strategy.watch();
        let common =
            Self { watch: Some(lasts), every: Some(every), limits: Some(limits), ..Self::named(strategy.name()) };
        match strategy {
            Strategy::BlueGreen { .. } => common,
            Strategy::Canary { shares, step_backs, .. } => {
                Self { shares: Some(shares), step_backs: Some(step_backs), ..common }
            }
            Strategy::Direct { acknowledged_by, .. } => Self { acknowledged_by: Some(acknowledged_by), ..common },
        }
    }
}

/// A strategy that is not one. Nothing falls back to another.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum StrategyError {
    /// There is none of that name.
    #[error("`{name}` is not a strategy; there are {}", list(&Strategy::NAMES))]
    Unknown {
        /// The start of the name.
        name: String,
    },
    /// The strategy has no use for a field, so that something else was meant.
    #[error("the strategy {strategy} has no `{field}`")]
    DoesNotFit {
        /// The strategy.
        strategy: String,
        /// The field.
        field: &'static str,
    },
    /// A direct migration has a downtime, and its way back is the backup: somebody has to know.
    #[error("the strategy direct has to be acknowledged: `acknowledged_by` names who knows of the downtime")]
    NotAcknowledged,
    /// The shares of a canary.
    #[error("the shares {shares:?} are not those of a canary; they have to grow, from above 0% to 100%")]
    Shares {
        /// What was given.
        shares: Vec<Percentage>,
    },
    /// A limit is out of range.
    #[error("the limit `{name}` is {value}; allowed: {allowed}")]
    Limit {
        /// Which one.
        name: &'static str,
        /// What it is.
        value: f64,
        /// What it may be.
        allowed: &'static str,
    },
    /// A duration is out of range.
    #[error("`{name}` is {value:?}; allowed: {allowed}")]
    Time {
        /// Which one.
        name: &'static str,
        /// What it is.
        value: Duration,
        /// What it may be.
        allowed: &'static str,
    },
    /// A watch would be over before as many looks as it takes to call new bad.
    #[error(
        "`watch` is {watch:?}, too short to be one; it has to be at least {least:?}: `unhealthy_looks` ({looks}) times \
         `every` ({every:?})"
    )]
    TooShort {
        /// How long it is.
        watch: Duration,
        /// How long it has to be at least.
        least: Duration,
        /// How many looks in a row call new bad.
        looks: u32,
        /// The time between two looks.
        every: Duration,
    },
}
