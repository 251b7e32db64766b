//! [`Action`]: the steps that may be taken, one at a time and in any order.

use cutover::SystemMode;

use super::decide::Wish;
use super::instance::Slot;
use super::scope::Scope;
use super::state::State;
use super::variant::Variant;

/// One step. Numbers are instances, as they stand in the state before the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// A poll, or a hint, makes an instance read the store. What it found is on its way.
    Read(usize),
    /// What the read found is taken in.
    TakeIn(usize),
    /// Broken watch: the record of this line of the audit is delivered and believed.
    Hint(usize, usize),
    /// An operator wants something: read, decide, send.
    Begin(usize, Wish),
    /// After a conflict: read, decide anew, send.
    DecideAnew(usize),
    /// The operator no longer waits; an emergency is decided anew, since its outcome stays unknown.
    GiveUp(usize, Slot),
    /// An emergency: it holds here from this step on.
    Pull(usize),
    /// Read, and send the emergency if the store is not in one.
    SendBrake(usize),
    /// Find out whether the store still holds the emergency that it acknowledged.
    Confirm(usize),
    /// The store handles the write.
    Arrive(usize, Slot),
    /// The instance gets the store's answer.
    Answer(usize, Slot),
    /// The store's answer is lost; the instance repeats the operation.
    LoseAnswer(usize, Slot),
    /// The deadline passes before the store has handled the write; it is repeated, and the first request is late.
    Repeat(usize, Slot),
    /// The late request reaches the store.
    ArriveLate,
    /// A replica takes over that lacks the last write.
    FailOver,
    /// The store loses everything.
    LoseEverything,
}

/// What operators may want.
pub(crate) const WISHES: [Wish; 5] = [
    Wish::Become(SystemMode::LegacyOnly),
    Wish::Become(SystemMode::Parallel),
    Wish::Become(SystemMode::GradualRollout),
    Wish::Become(SystemMode::NewOnly),
    Wish::Reconcile,
];

/// All but the step to `Parallel`.
pub(crate) const FEWER_WISHES: &[Wish] = &[
    Wish::Become(SystemMode::LegacyOnly),
    Wish::Become(SystemMode::GradualRollout),
    Wish::Become(SystemMode::NewOnly),
    Wish::Reconcile,
];

/// All steps that are possible in `state`.
pub(crate) fn possible(state: &State, scope: &Scope, actions: &mut Vec<Action>) {
    for (i, instance) in state.instances.iter().enumerate() {
        // Equal instances do equal things.
        if i > 0 && *instance == state.instances[i - 1] {
            continue;
        }
        reads(state, scope, i, actions);
        operators(state, scope, i, actions);
        for slot in [Slot::Change, Slot::Brake] {
            messages(state, i, slot, actions);
        }
    }
    actions.extend(state.late.map(|_| Action::ArriveLate));
    if state.budget.faults > 0 && state.store.record.is_some() {
        actions.extend([Action::FailOver, Action::LoseEverything]);
    }
}

fn reads(state: &State, scope: &Scope, i: usize, actions: &mut Vec<Action>) {
    match state.instances[i].reading {
        Some(_) => actions.push(Action::TakeIn(i)),
        None => actions.push(Action::Read(i)),
    }
    if scope.variant == Variant::BelieveHints {
        actions.extend((0..state.store.audit.len()).map(|line| Action::Hint(i, line)));
    }
}

fn operators(state: &State, scope: &Scope, i: usize, actions: &mut Vec<Action>) {
    let instance = &state.instances[i];
    let unhindered = instance.brake.is_none();
    match &instance.change {
        None if unhindered && state.budget.changes > 0 => {
            actions.extend(scope.wishes.iter().map(|&wish| Action::Begin(i, wish)));
        }
        Some((_, task)) if task.sent.is_none() => {
            actions.push(Action::GiveUp(i, Slot::Change));
            actions.extend(unhindered.then_some(Action::DecideAnew(i)));
        }
        _ => {}
    }
    if state.budget.pulls > 0 && unhindered {
        actions.push(Action::Pull(i));
    }
    if let Some(brake) = instance.brake.filter(|brake| brake.sent.is_none()) {
        actions.push(Action::SendBrake(i));
        actions.extend(brake.acknowledged.map(|_| Action::Confirm(i)));
    }
}

fn messages(state: &State, i: usize, slot: Slot, actions: &mut Vec<Action>) {
    let Some(sent) = state.instances[i].sent(slot) else { return };
    let disturbed = state.budget.messages > 0;
    let free = disturbed && state.late.is_none();
    if sent.stored.is_some() {
        actions.push(Action::Answer(i, slot));
        actions.extend(disturbed.then_some(Action::LoseAnswer(i, slot)));
    } else {
        actions.push(Action::Arrive(i, slot));
        actions.extend(free.then_some(Action::Repeat(i, slot)));
        actions.extend(free.then_some(Action::GiveUp(i, slot)));
    }
}
