//! What a wish comes to, given what holds: pure, and run again whenever what holds has changed.

use serde_json::Value;

use super::error::ChangeError;
use crate::Percentage;
use crate::mode::SystemMode;
use crate::store::Doubt;
use crate::store::{ChangeKind, Settings};

/// What somebody wants.
#[derive(Debug, Clone, Default)]
pub(super) struct Wish {
    pub(super) target: Target,
    /// What the audit is to say, whether anything changes or not.
    pub(super) note: Option<ChangeKind>,
    /// Settle what holds after the store had lost records.
    pub(super) reconcile: bool,
    /// The record that has to hold for this to be wanted.
    pub(super) expected: Option<Expected>,
    pub(super) evidence: Option<Value>,
}

/// The settings that are wanted; the others stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Target {
    pub(super) mode: Option<SystemMode>,
    pub(super) rollout: Option<Percentage>,
    #[expect(clippy::option_option, reason = "one may want nothing, the mode's default, or a share")]
    pub(super) shadow_share: Option<Option<Percentage>>,
}

/// A record, by its epoch or exactly. The epoch is 0 if there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Expected {
    pub(super) epoch: u64,
    pub(super) etag: Option<u128>,
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
    /// The believed record: its epoch, which is 0 if there is none, and its etag.
    pub(super) epoch: u64,
    pub(super) etag: Option<u128>,
}

impl Wish {
    pub(super) fn of(target: Target) -> Self {
        Self { target, ..Self::default() }
    }

    pub(super) fn reconcile() -> Self {
        Self { reconcile: true, ..Self::default() }
    }

    /// The settings to store and the kind of the change, or `None` when there is nothing to store.
    pub(super) fn decide(&self, basis: &Basis) -> Result<Option<(Settings, ChangeKind)>, ChangeError> {
        self.expected.map_or(Ok(()), |expected| expected.check(basis))?;
        if self.reconcile {
            return Ok(basis.doubt.map(|_| (basis.effective, ChangeKind::Reconciliation)));
        }
        let (before, after) = (basis.effective, self.target.apply(basis.effective)?);
        let Some(kind) = kind(before, after).or(self.note) else { return Ok(None) };
        // What is only noted would settle the doubt, which nobody has looked into.
        if let Some(doubt) = basis.doubt.filter(|_| before == after || promotes(before, after)) {
            return Err(ChangeError::InDoubt(doubt));
        }
        basis.stored.mode.check_transition(after.mode)?;
        Ok(Some((after, kind)))
    }
}

impl Target {
    fn apply(self, now: Settings) -> Result<Settings, ChangeError> {
        let mode = self.mode.unwrap_or(now.mode);
        now.mode.check_transition(mode)?;
        let entered = if mode == now.mode { now } else { now.entering(mode) };
        let rollout = self.rollout.unwrap_or(entered.rollout);
        if rollout != entered.rollout && mode.resets_rollout() {
            return Err(ChangeError::RolloutFixed { mode });
        }
        let shadow_share = self.shadow_share.unwrap_or(entered.shadow_share);
        Ok(Settings { mode, rollout, shadow_share })
    }
}

impl Expected {
    fn check(self, basis: &Basis) -> Result<(), ChangeError> {
        let same = self.epoch == basis.epoch && self.etag.is_none_or(|etag| Some(etag) == basis.etag);
        if same { Ok(()) } else { Err(ChangeError::Outdated { expected: self.epoch, found: basis.epoch }) }
    }
}

/// The kind of a change of settings; `None` if they are the same.
fn kind(before: Settings, after: Settings) -> Option<ChangeKind> {
    if before.mode != after.mode {
        return Some(ChangeKind::Transition);
    }
    if before.rollout != after.rollout {
        return Some(ChangeKind::Rollout);
    }
    (before.shadow_share != after.shadow_share).then_some(ChangeKind::ShadowShare)
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
