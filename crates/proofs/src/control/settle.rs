//! What becomes of a state when nothing new happens and every message arrives: the fair end of all that is under way.

use super::action::Action;
use super::instance::{Sent, Slot};
use super::record::mode_of;
use super::scope::Scope;
use super::state::{INSTANCES, State};

/// In the first round everything is stored that is under way, in the second everybody hears of it.
const ROUNDS: usize = 2;

/// Whether all instances end up with the stored record, or in doubt where the store has failed.
pub(crate) fn converges(state: &State, scope: &Scope) -> bool {
    let mut end = state.clone();
    for _ in 0..ROUNDS {
        round(&mut end, scope);
    }
    let faulty = state.past.store_failed;
    let (record, mode) = (end.store.record, mode_of(end.store.record));
    end.instances.iter().all(|instance| {
        let agrees = instance.known.record == record && instance.mode(scope.variant) == mode;
        let idle = instance.brake.is_none() && instance.change.is_none();
        idle && (agrees || (faulty && instance.known.doubted.is_some()))
    })
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
        return Some(brake.sent.map_or(Action::SendBrake(i), |sent| on_its_way(i, Slot::Brake, sent)));
    }
    let (_, change) = instance.change.as_ref()?;
    Some(change.sent.map_or(Action::DecideAnew(i), |sent| on_its_way(i, Slot::Change, sent)))
}

const fn on_its_way(i: usize, slot: Slot, sent: Sent) -> Action {
    if sent.stored.is_some() { Action::Answer(i, slot) } else { Action::Arrive(i, slot) }
}
