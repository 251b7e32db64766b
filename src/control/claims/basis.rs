//! Which claims what is known allows: pure.

use super::{NotClaimed, Shared};
use crate::mode::SystemMode;
use crate::outcome::Side;
use crate::store::{Doubt, Expect};

/// What a claim rests on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Basis {
    /// The epoch by which this process routes.
    pub(super) epoch: u64,
    /// The mode by which this process routes.
    mode: SystemMode,
    /// The record that the store holds, as far as this process knows.
    expect: Expect,
    doubt: Option<Doubt>,
    /// Whether an emergency holds that is not stored yet.
    braked: bool,
    /// Whether nothing but an assumption of the host routes: the store has not been heard, and no record is known.
    pub(super) assumed: bool,
}

impl Shared {
    pub(super) fn basis(&self) -> Basis {
        let known = self.inner.known();
        Basis {
            epoch: known.epoch(),
            mode: known.effective().mode,
            expect: Expect::of(known.base()),
            doubt: known.doubt(),
            braked: known.brake.is_some(),
            assumed: known.assumed.is_some() && known.record.is_none(),
        }
    }
}

impl Basis {
    /// What the store is to hold for a claim of `side` that was routed by `epoch`.
    pub(super) fn check(&self, side: Side, epoch: u64) -> Result<Expect, NotClaimed> {
        let Self { expect, mode, doubt, .. } = *self;
        if self.braked && side == Side::New {
            return Err(NotClaimed::Unpersisted);
        }
        if self.assumed && side == Side::New {
            return Err(NotClaimed::Assumed);
        }
        if self.epoch != epoch {
            return Err(NotClaimed::OutdatedRoute { routed: epoch, present: self.epoch });
        }
        if let Some(doubt) = doubt.filter(|_| side == Side::New) {
            return Err(NotClaimed::InDoubt(doubt));
        }
        if serves(mode, side) { Ok(expect) } else { Err(NotClaimed::NotServing { side, mode }) }
    }

    /// The side that may process what `side` has begun.
    pub(super) fn heir_of(&self, side: Side) -> Side {
        if self.check(side, self.epoch).is_ok() { side } else { side.other() }
    }
}

/// Whether `side` serves any key in `mode`.
fn serves(mode: SystemMode, side: Side) -> bool {
    [false, true].into_iter().any(|in_rollout| mode.routing(in_rollout).serves == side)
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRADUAL: Basis = Basis {
        epoch: 3,
        mode: SystemMode::GradualRollout,
        expect: Expect::Absent,
        doubt: None,
        braked: false,
        assumed: false,
    };

    #[test]
    fn a_side_claims_in_the_modes_in_which_it_serves() {
        use SystemMode::{EmergencyRollback, GradualRollout, LegacyOnly, NewOnly, Parallel};
        for mode in SystemMode::ALL {
            let allowed = |side| Basis { mode, ..GRADUAL }.check(side, 3).is_ok();
            let expected = match mode {
                LegacyOnly | Parallel | EmergencyRollback => (true, false),
                GradualRollout => (true, true),
                NewOnly => (false, true),
            };
            assert_eq!((allowed(Side::Legacy), allowed(Side::New)), expected, "{mode}");
        }
    }

    #[test]
    fn new_claims_nothing_in_doubt_by_an_assumption_or_before_an_emergency_is_stored_and_legacy_goes_on() {
        let doubtful = Basis { doubt: Some(Doubt::StateLost { known_epoch: 3 }), ..GRADUAL };
        let braked = Basis { braked: true, ..GRADUAL };
        let assumed = Basis { assumed: true, ..GRADUAL };
        assert!(matches!(doubtful.check(Side::New, 3), Err(NotClaimed::InDoubt(_))));
        assert!(matches!(braked.check(Side::New, 3), Err(NotClaimed::Unpersisted)));
        assert!(matches!(braked.check(Side::New, 2), Err(NotClaimed::Unpersisted)));
        assert!(matches!(assumed.check(Side::New, 3), Err(NotClaimed::Assumed)));
        for basis in [doubtful, braked, assumed] {
            assert!(basis.check(Side::Legacy, 3).is_ok());
            assert_eq!((basis.heir_of(Side::New), basis.heir_of(Side::Legacy)), (Side::Legacy, Side::Legacy));
        }
    }

    #[test]
    fn only_the_epoch_by_which_this_process_routes_will_do() {
        for epoch in [0, 2, 4, u64::MAX] {
            let refused = GRADUAL.check(Side::New, epoch);
            assert!(matches!(refused, Err(NotClaimed::OutdatedRoute { present: 3, .. })), "{refused:?}");
        }
    }
}
