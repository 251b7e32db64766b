//! What always holds, and what must be reachable for that to mean anything.

use cutover::{Side, SystemMode};
use stateright::Property;

use super::ControlModel;
use super::decide::rank;
use super::instance::Instance;
use super::record::{Change, Expect, Kind, id_of};
use super::settle::converges;
use super::state::{Budget, State};

/// The promises of the protocol.
pub(crate) fn promises() -> Vec<Property<ControlModel>> {
    vec![
        Property::always("the audit is 1..n without a gap and ends in the record", audit_is_whole),
        Property::always("every stored transition is in the table", transitions_are_valid),
        Property::always("a write replaces the record that it was decided on", writes_replace_their_base),
        Property::always("an operation is committed at most once", operations_are_committed_once),
        Property::always("no acknowledged write is lost by a sound store", |_, state: &State| {
            !state.past.acknowledged_write_lost
        }),
        Property::always("an emergency holds where it was pulled", emergencies_hold),
        Property::always("in doubt nothing is promoted", |_, state: &State| !state.past.promoted_in_doubt),
        Property::always("in doubt the safer mode routes", the_safer_mode_routes),
        Property::always("a sound store is not doubted", sound_stores_are_believed),
        Property::always("a record never goes back unnoticed", |_, state: &State| !state.past.went_back_unnoticed),
        Property::always("a fork of the history is never believed", |_, state: &State| !state.past.fork_believed),
        Property::always("fair reads converge, and one reconciliation ends all doubt", |model, state| {
            converges(state, &model.scope)
        }),
    ]
}

/// What must be reachable within `budget`, so that the promises are not empty.
pub(crate) fn happenings(budget: Budget) -> Vec<Property<ControlModel>> {
    let mut happenings = vec![
        Property::sometimes("instances know different epochs", different_epochs),
        Property::sometimes("one key is served by legacy here and by new there", different_sides),
    ];
    if budget.changes > 0 {
        happenings.push(Property::sometimes("a write meets a conflict", |_, state: &State| {
            state.instances.iter().any(|instance| instance.change.is_some_and(|(_, task)| task.sent.is_none()))
        }));
        happenings.push(Property::sometimes("an operator leaves an emergency", emergency_left));
    }
    if budget.pulls > 0 {
        happenings.push(Property::sometimes("an emergency holds and is not stored", |_, state: &State| {
            state.instances.iter().any(|instance| instance.brake.is_some())
        }));
    }
    if budget.messages > 0 {
        happenings.push(Property::sometimes("a request is late", |_, state: &State| state.late.is_some()));
    }
    if budget.faults > 0 {
        happenings.extend(failures());
    }
    if budget.faults > 0 && budget.changes > 0 {
        happenings.extend(settlements());
    }
    happenings
}

fn failures() -> [Property<ControlModel>; 3] {
    [
        Property::sometimes("a lost record is doubted", |_, state: &State| {
            found_in_doubt(state).any(|id| id.is_none())
        }),
        Property::sometimes("an older record is doubted", |_, state: &State| {
            found_in_doubt(state).any(|id| id.is_some())
        }),
        Property::sometimes("a write is lost that somebody has seen", |_, state: &State| {
            state.instances.iter().any(|instance| !state.store.remembers(instance.known.record))
        }),
    ]
}

fn settlements() -> [Property<ControlModel>; 3] {
    [
        Property::sometimes("a fork is doubted", |_, state: &State| {
            let doubted = state.instances.iter().filter_map(|instance| Some((instance.known, instance.known.doubted?)));
            doubted.into_iter().any(|(known, doubted)| id_of(doubted.found).is_some_and(|id| id.epoch > known.epoch()))
        }),
        Property::sometimes("a settlement is believed by another instance", |_, state: &State| {
            let settling = |instance: &&Instance| instance.known.record.is_some_and(|record| record.settles > 0);
            state.instances.iter().filter(settling).count() > 1
        }),
        Property::sometimes("an operator reconciles", |_, state: &State| {
            let mut made = state.store.audit.iter().filter(|entry| entry.record.id.etag.op > 0);
            made.any(|entry| entry.kind == Kind::Reconciliation)
        }),
    ]
}

fn audit_is_whole(_: &ControlModel, state: &State) -> bool {
    let store = &state.store;
    let counted = store.audit.iter().zip(1..).all(|(entry, epoch)| entry.record.id.epoch == epoch);
    counted && store.audit.last().map(|entry| entry.record) == store.record
}

/// Each entry with the mode before it.
fn steps(state: &State) -> impl Iterator<Item = (SystemMode, &Change)> {
    let modes = state.store.audit.iter().map(|entry| entry.record.mode);
    let before = std::iter::once(SystemMode::default()).chain(modes);
    before.zip(&state.store.audit)
}

fn transitions_are_valid(_: &ControlModel, state: &State) -> bool {
    steps(state).all(|(before, entry)| match entry.kind {
        Kind::Transition | Kind::Emergency => before.check_transition(entry.record.mode).is_ok(),
        Kind::Reconciliation => entry.expect.is_none() || rank(entry.record.mode) <= rank(before),
    })
}

fn writes_replace_their_base(_: &ControlModel, state: &State) -> bool {
    let ids = state.store.audit.iter().map(|entry| Some(entry.record.id));
    std::iter::once(None).chain(ids).zip(&state.store.audit).all(|(before, entry)| entry.expect == before)
}

fn operations_are_committed_once(_: &ControlModel, state: &State) -> bool {
    let mut seen = 0_u16;
    state.store.audit.iter().all(|entry| {
        let bit = 1 << entry.record.id.etag.op;
        let fresh = seen & bit == 0;
        seen |= bit;
        fresh
    })
}

fn emergencies_hold(model: &ControlModel, state: &State) -> bool {
    let variant = model.scope.variant;
    state.instances.iter().all(|instance| !instance.pulled || serves_legacy(instance.mode(variant)))
}

fn serves_legacy(mode: SystemMode) -> bool {
    [false, true].iter().all(|&in_rollout| mode.routing(in_rollout).serves == Side::Legacy)
}

fn the_safer_mode_routes(model: &ControlModel, state: &State) -> bool {
    state.instances.iter().all(|instance| {
        let Some(doubted) = instance.known.doubted else { return true };
        let routed = rank(instance.mode(model.scope.variant));
        let seen = [instance.known.record, doubted.found];
        seen.iter().flatten().all(|record| routed <= rank(record.mode))
    })
}

fn sound_stores_are_believed(_: &ControlModel, state: &State) -> bool {
    state.past.store_failed || state.instances.iter().all(|instance| instance.known.doubted.is_none())
}

fn different_epochs(_: &ControlModel, state: &State) -> bool {
    state.instances.iter().any(|instance| instance.known.record != state.instances[0].known.record)
}

fn different_sides(model: &ControlModel, state: &State) -> bool {
    let side = |i: usize| state.instances[i].mode(model.scope.variant).routing(true).serves;
    (1..state.instances.len()).any(|i| side(i) != side(0))
}

fn emergency_left(_: &ControlModel, state: &State) -> bool {
    steps(state).any(|(before, entry)| {
        before == SystemMode::EmergencyRollback
            && entry.record.mode == SystemMode::LegacyOnly
            && entry.record.id.epoch > 1
    })
}

fn found_in_doubt(state: &State) -> impl Iterator<Item = Expect> {
    let doubted = state.instances.iter().filter_map(|instance| instance.known.doubted);
    doubted.map(|doubted| id_of(doubted.found))
}
