//! What a wish comes to. The crate's own decision is private; `agreement.rs` shows that this is the same one.

use cutover::SystemMode;

use super::known::Known;
use super::record::{Change, Etag, Id, Kind, Record, id_of, mode_of};
use super::variant::Variant;

/// What an operator wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Wish {
    /// Another mode.
    Become(SystemMode),
    /// To settle what holds after the store had lost records.
    Reconcile,
}

impl Wish {
    pub(crate) const fn kind(self) -> Kind {
        match self {
            Self::Become(_) => Kind::Transition,
            Self::Reconcile => Kind::Reconciliation,
        }
    }

    /// The mode to store; `None` if it holds already or is refused.
    pub(crate) fn decide(self, known: &Known, variant: Variant) -> Option<SystemMode> {
        let now = known.believed();
        let Self::Become(to) = self else { return known.doubted.map(|_| now) };
        let refused = known.doubted.is_some() && promotes(now, to) && variant != Variant::PromoteInDoubt;
        let allowed = now.check_transition(to).is_ok() && mode_of(known.base()).check_transition(to).is_ok();
        (to != now && !refused && allowed).then_some(to)
    }
}

/// The write of `mode` on what is known.
pub(crate) fn write(known: &Known, mode: SystemMode, kind: Kind, etag: Etag, variant: Variant) -> Change {
    let base = known.base();
    let epoch = base.map_or(0, |record| record.id.epoch) + 1;
    let knew = if known.doubted.is_some() && kind != Kind::Emergency { known.epoch() } else { 0 };
    let settled = if variant == Variant::SettleForNobody { 0 } else { knew };
    let settles = settled.max(base.map_or(0, |record| record.settles));
    Change { expect: id_of(base), record: Record { id: Id { epoch, etag }, mode, settles }, kind, knew }
}

/// How much a mode exposes to new.
pub(crate) const fn rank(mode: SystemMode) -> u8 {
    match mode {
        SystemMode::EmergencyRollback => 0,
        SystemMode::LegacyOnly => 1,
        SystemMode::Parallel => 2,
        SystemMode::GradualRollout => 3,
        SystemMode::NewOnly => 4,
    }
}

pub(crate) const fn promotes(before: SystemMode, after: SystemMode) -> bool {
    rank(after) > rank(before)
}

/// The one that exposes less to new.
pub(crate) const fn safer(one: SystemMode, other: SystemMode) -> SystemMode {
    if promotes(other, one) { other } else { one }
}
