//! cutover's flags.

use cutover::{FeatureFlag, FlagConfig, FlagSet, Percentage};

use super::SHARE;
use super::shares::{Flag, Shares, Taken};
use crate::traffic::{Ask, asks, flag_names, in_turn};
use crate::{Subject, Worker};

pub(super) struct Set {
    set: FlagSet,
    asks: Vec<Ask>,
}

impl Set {
    pub(super) fn new(flags: usize) -> Self {
        let share = Percentage::new(SHARE).unwrap();
        let config = flag_names(flags).try_fold(FlagConfig::new(), |config, name| config.with_rollout(&name, share));
        Self { set: FlagSet::new(config.unwrap()).unwrap(), asks: asks(flags) }
    }
}

impl Subject for Set {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.asks, |ask| self.set.is_enabled(&ask.flag, ask.key.as_str()))
    }
}

pub(super) struct Alone {
    flag: FeatureFlag,
    asks: Vec<Ask>,
}

impl Alone {
    pub(super) fn new() -> Self {
        let flag = FeatureFlag::new("new-search").rollout(Percentage::new(SHARE).unwrap());
        Self { flag, asks: asks(1) }
    }
}

impl Subject for Alone {
    fn worker(&self) -> Worker<'_> {
        in_turn(&self.asks, |ask| self.flag.is_enabled(ask.key.as_str()))
    }
}

/// Shares of [`FeatureFlag`].
pub(super) struct OurShares;

impl Shares for OurShares {
    fn name(&self) -> &'static str {
        "cutover"
    }

    fn flag(&self, name: &str, percent: f64) -> Taken<Flag> {
        let Ok(share) = Percentage::new(percent) else { return Taken::Refused };
        let flag = FeatureFlag::new(name).rollout(share);
        Taken::As(Box::new(move |key| flag.is_enabled(key)))
    }
}
