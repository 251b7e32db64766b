//! What a wish comes to, given what holds: pure, and run again whenever what holds has changed.

use super::error::ChangeError;
use crate::Percentage;
use crate::mode::SystemMode;
use crate::store::Doubt;
use crate::store::{ChangeKind, Settings};

/// What somebody wants.
#[derive(Debug, Clone, Copy)]
pub(super) enum Wish {
    Transition(SystemMode),
    Rollout(Percentage),
    ShadowShare(Option<Percentage>),
    /// Settle what holds after the store had lost records.
    Reconcile,
}

/// What a decision rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// What the store says; the default if nothing is stored.
    pub(super) stored: Settings,
    /// What routes in this process.
    pub(super) effective: Settings,
    /// Whether the store can be believed.
    pub(super) doubt: Option<Doubt>,
}

impl Wish {
    pub(super) const fn kind(self) -> ChangeKind {
        match self {
            Self::Transition(_) => ChangeKind::Transition,
            Self::Rollout(_) => ChangeKind::Rollout,
            Self::ShadowShare(_) => ChangeKind::ShadowShare,
            Self::Reconcile => ChangeKind::Reconciliation,
        }
    }

    /// The settings to store, or `None` when they hold already.
    pub(super) fn decide(self, basis: &Basis) -> Result<Option<Settings>, ChangeError> {
        if let Self::Reconcile = self {
            return Ok(basis.doubt.map(|_| basis.effective));
        }
        let after = self.apply(basis.effective)?;
        if after == basis.effective {
            return Ok(None);
        }
        if let Some(doubt) = basis.doubt.filter(|_| promotes(basis.effective, after)) {
            return Err(ChangeError::InDoubt(doubt));
        }
        basis.stored.mode.check_transition(after.mode)?;
        Ok(Some(after))
    }

    fn apply(self, now: Settings) -> Result<Settings, ChangeError> {
        match self {
            Self::Transition(to) if to == now.mode => Ok(now),
            Self::Transition(to) => {
                now.mode.check_transition(to)?;
                Ok(now.entering(to))
            }
            Self::Rollout(rollout) if rollout == now.rollout => Ok(now),
            Self::Rollout(_) if now.mode.resets_rollout() => Err(ChangeError::RolloutFixed { mode: now.mode }),
            Self::Rollout(rollout) => Ok(Settings { rollout, ..now }),
            Self::ShadowShare(shadow_share) => Ok(Settings { shadow_share, ..now }),
            Self::Reconcile => Ok(now),
        }
    }
}

/// The settings of an emergency.
pub(super) const fn emergency(now: Settings) -> Settings {
    now.entering(SystemMode::EmergencyRollback)
}

/// The one that exposes less to new: by its mode, then its rollout, then its shadow share.
pub(super) fn safer(one: Settings, other: Settings) -> Settings {
    let exposure = |now: Settings| (rank(now.mode), now.rollout, now.effective_shadow_share());
    if exposure(other) < exposure(one) { other } else { one }
}

/// Whether `after` exposes more to new than `before`.
fn promotes(before: Settings, after: Settings) -> bool {
    if before.mode != after.mode {
        return rank(after.mode) > rank(before.mode);
    }
    after.rollout > before.rollout || after.effective_shadow_share() > before.effective_shadow_share()
}

/// How much a mode exposes to new.
const fn rank(mode: SystemMode) -> u8 {
    match mode {
        SystemMode::EmergencyRollback => 0,
        SystemMode::LegacyOnly => 1,
        SystemMode::Parallel => 2,
        SystemMode::GradualRollout => 3,
        SystemMode::NewOnly => 4,
    }
}
