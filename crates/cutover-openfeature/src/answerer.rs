//! [`Answerer`]: a flag or a migration, and what it says to one targeting key.

use std::borrow::Cow;

use cutover::flag::Rule;
use cutover::{BucketKey, FeatureFlag, MigrationController, Percentage, Side, SystemMode};

use crate::resolution::{Origin, Reason, Resolution};

/// What a name stands for. A flag is a snapshot of itself; a controller takes one when it decides.
#[derive(Debug)]
pub(crate) enum Answerer<'a> {
    Flag(FeatureFlag),
    Migration(Cow<'a, MigrationController>),
}

/// Why the targeting key does not lead to an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoKey {
    Missing,
    /// It is not of the form that is set.
    Invalid,
}

impl Answerer<'_> {
    /// The answer for `key`, which may be missing or invalid as long as the answer does not depend on it.
    pub(crate) fn answer(&self, key: Result<BucketKey<'_>, NoKey>) -> Result<Resolution, NoKey> {
        match self {
            Self::Flag(flag) => of_flag(flag, key),
            Self::Migration(controller) => of_migration(controller, key),
        }
    }
}

fn of_flag(flag: &FeatureFlag, key: Result<BucketKey<'_>, NoKey>) -> Result<Resolution, NoKey> {
    let off_for_all = flag.is_off_for_all();
    if key == Err(NoKey::Invalid) && !off_for_all {
        return Err(NoKey::Invalid);
    }
    let decision = flag.decide(key.unwrap_or(BucketKey::Missing));
    let nobody_drew = decision.rule == Rule::MissingKey && decision.bucket.is_none();
    if nobody_drew && !off_for_all && decision.threshold != Percentage::ZERO {
        return Err(NoKey::Missing);
    }
    Ok(Resolution {
        side: if decision.enabled { Side::New } else { Side::Legacy },
        reason: if off_for_all && !flag.is_killed() {
            Reason::Static
        } else {
            reason_of(decision.rule, decision.threshold)
        },
        threshold: decision.threshold,
        bucket: decision.bucket.filter(|_| key.is_ok()),
        origin: Origin::Flag { rule: decision.rule },
    })
}

#[expect(clippy::wildcard_enum_match_arm, reason = "what a later version adds is a rule about the key")]
fn reason_of(rule: Rule, threshold: Percentage) -> Reason {
    match rule {
        Rule::KillSwitch => Reason::Disabled,
        Rule::Percentage | Rule::MissingKey if threshold == Percentage::ZERO => Reason::Default,
        Rule::Percentage | Rule::MissingKey => Reason::Split,
        _ => Reason::TargetingMatch,
    }
}

fn of_migration(controller: &MigrationController, key: Result<BucketKey<'_>, NoKey>) -> Result<Resolution, NoKey> {
    let decision = controller.decide(key.unwrap_or(BucketKey::Missing));
    let (mode, rollout) = (decision.route.mode, decision.rollout);
    let splits = mode == SystemMode::GradualRollout && rollout != Percentage::ZERO;
    match key {
        Err(NoKey::Invalid) if splits => return Err(NoKey::Invalid),
        Err(NoKey::Missing) if splits && decision.bucket.is_none() => return Err(NoKey::Missing),
        _ => {}
    }
    let reason = match mode {
        SystemMode::EmergencyRollback => Reason::Disabled,
        _ if decision.stale => Reason::Stale,
        SystemMode::GradualRollout if splits => Reason::Split,
        SystemMode::LegacyOnly | SystemMode::Parallel | SystemMode::GradualRollout | SystemMode::NewOnly => {
            Reason::Static
        }
    };
    Ok(Resolution {
        side: decision.route.serve,
        reason,
        threshold: rollout,
        bucket: decision.bucket.filter(|_| key.is_ok()),
        origin: Origin::Migration { mode, epoch: decision.route.epoch, stale: decision.stale },
    })
}
