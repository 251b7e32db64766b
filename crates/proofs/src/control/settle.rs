//! What becomes of a state when nothing new happens and every message arrives: the fair end of all that is under way.

use super::action::Action;
use super::decide::Wish;
use super::instance::{Sent, Slot};
use super::known::Known;
use super::record::mode_of;
use super::scope::Scope;
use super::state::{INSTANCES, State};

/// In the first round everything is stored that is under way, in the second everybody hears of it.
const ROUNDS: usize = 2;

/// Whether all instances end up with the stored record, or in doubt where the store has failed; and whether all doubt ends,
/// for all, when one operator reconciles where the latest epoch was known.
pub(crate) fn converges(state: &State, scope: &Scope) -> bool {
    let mut end = rest(state, scope);
    let undecided = (0..INSTANCES).filter(|&i| !agrees(&end, i, scope));
    let Some(best) = undecided.max_by_key(|&i| end.instances[i].known.epoch()) else { return true };
    let doubted = |i: usize| end.instances[i].known.doubted.is_some();
    if !state.past.store_failed || !(0..INSTANCES).all(|i| agrees(&end, i, scope) || doubted(i)) {
        return false;
    }
    end.budget.changes = 1;
    end.take(Action::Begin(best, Wish::Reconcile), scope);
    let end = rest(&end, scope);
    (0..INSTANCES).all(|i| agrees(&end, i, scope))
}

fn rest(state: &State, scope: &Scope) -> State {
    let mut end = state.clone();
    for _ in 0..ROUNDS {
        round(&mut end, scope);
    }
    end
}

fn agrees(end: &State, i: usize, scope: &Scope) -> bool {
    let (instance, stored) = (&end.instances[i], end.store.record);
    let routes = instance.known == Known::new(stored) && instance.mode(scope.variant) == mode_of(stored);
    routes && instance.brake.is_none() && instance.change.is_none()
}

/// Every instance gets on with what it has begun, and reads.
fn round(state: &mut State, scope: &Scope) {
    for i in 0..INSTANCES {
        while let Some(action) = pending(state, i) {
            state.take(action, scope);
        }
        state.take(Action::Read(i), scope);
        state.take(Action::TakeIn(i), scope);
    }
}

fn pending(state: &State, i: usize) -> Option<Action> {
    let instance = &state.instances[i];
    if instance.reading.is_some() {
        return Some(Action::TakeIn(i));
    }
    if let Some(brake) = &instance.brake {
        let next = if brake.acknowledged.is_some() { Action::Confirm(i) } else { Action::SendBrake(i) };
        return Some(brake.sent.map_or(next, |sent| on_its_way(i, Slot::Brake, sent)));
    }
    let (_, change) = instance.change.as_ref()?;
    Some(change.sent.map_or(Action::DecideAnew(i), |sent| on_its_way(i, Slot::Change, sent)))
}

const fn on_its_way(i: usize, slot: Slot, sent: Sent) -> Action {
    if sent.stored.is_some() { Action::Answer(i, slot) } else { Action::Arrive(i, slot) }
}
