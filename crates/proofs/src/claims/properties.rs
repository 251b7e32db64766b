//! What always holds of claims, and what must be reachable for that to mean anything.

use stateright::Property;

use super::state::State;
use super::store::{ITEMS, Lease, Verb};
use super::{Action, ClaimModel};

/// Promises that hold whether the store fails or not.
pub(crate) fn sides() -> Vec<Property<ClaimModel>> {
    vec![
        Property::always("no claim is granted at another epoch", |_, state: &State| !state.past.granted_at_other_epoch),
        Property::always("no claim is granted for the side that does not serve", |_, state: &State| {
            !state.past.granted_for_other_side
        }),
        Property::always("a completed item is never claimed again", |_, state: &State| {
            !state.past.granted_after_completion
        }),
        Property::always("an expired lease is not renewed, completed or released", |_, state: &State| {
            !state.past.accepted_after_expiry
        }),
        Property::always("an item that is not completed can be completed", can_be_completed),
    ]
}

/// Promises of a store that keeps what it has acknowledged.
pub(crate) fn tokens() -> Vec<Property<ClaimModel>> {
    vec![
        Property::always("tokens grow", |_, state: &State| !state.past.token_did_not_grow),
        Property::always("only the current token is accepted", |_, state: &State| !state.past.accepted_old_token),
        Property::always("a completed item has exactly one accepted completion", one_completion),
    ]
}

pub(crate) fn happenings() -> Vec<Property<ClaimModel>> {
    vec![
        Property::sometimes("an instance knows an old epoch", |_, state: &State| {
            state.instances.iter().any(|instance| instance.cached.epoch < state.store.policy.epoch)
        }),
        Property::sometimes("a holder is paused beyond its lease, and another holds the item", |_, state: &State| {
            holders(state, 0) > 1 && state.store.rows[0].lease == Lease::Held
        }),
        Property::sometimes("a holder has a token of a completed item", |_, state: &State| {
            holders(state, 0) > 0 && state.store.rows[0].lease == Lease::Completed
        }),
        Property::sometimes("legacy and new serve one item each", |_, state: &State| {
            state.store.policy.side(0) != state.store.policy.side(1)
        }),
        Property::sometimes("an item is held at a later epoch than it was claimed", |_, state: &State| {
            state.store.policy.epoch > 1 && holders(state, 0) > 0 && state.store.rows[0].lease == Lease::Held
        }),
        Property::sometimes("an item is completed", |_, state: &State| {
            state.store.rows.iter().any(|row| row.lease == Lease::Completed)
        }),
    ]
}

fn holders(state: &State, item: usize) -> usize {
    state.instances.iter().filter(|instance| instance.tokens[item].is_some()).count()
}

fn one_completion(_: &ClaimModel, state: &State) -> bool {
    let rows = state.store.rows.iter().zip(state.past.completions);
    rows.into_iter().all(|(row, completions)| completions == u8::from(row.lease == Lease::Completed))
}

/// When the lease is over, an instance that reads, claims and completes is accepted.
fn can_be_completed(model: &ClaimModel, state: &State) -> bool {
    (0..ITEMS).all(|item| {
        let mut end = state.clone();
        end.budget.claims[item] += 1;
        if end.store.rows[item].lease == Lease::Held {
            end.take(Action::Expire(item), model.rules);
        }
        for action in attempt(item) {
            end.take(action, model.rules);
        }
        end.store.rows[item].lease == Lease::Completed
    })
}

fn attempt(item: usize) -> [Action; 3] {
    let complete = Action::Ask { i: 0, item, verb: Verb::Complete, heard: true };
    [Action::Read(0), Action::Claim { i: 0, item, heard: true }, complete]
}
