//! An item has at most one accepted completion, and is never claimed for the side that does not serve it.
#![expect(clippy::print_stdout, reason = "the figures are what a reader of the output wants")]

use cutover_proofs::claims::{ClaimModel, Rules};
use cutover_proofs::{explore, refute};

#[track_caller]
fn holds(name: &'static str, model: ClaimModel, at_least: usize) {
    let report = explore(name, model);
    println!("{report}");
    assert!(report.holds(), "{report}");
    assert!(
        report.states >= at_least,
        "{} states are fewer than {at_least}: the model has become smaller",
        report.states
    );
}

/// The shortest way to a broken promise breaks `promise`.
#[track_caller]
fn breaks(model: ClaimModel, rules: Rules, promise: &str) {
    let report = refute("broken on purpose", model.with(rules));
    println!("{rules:?}, {report}");
    assert!(report.broken.contains_key(promise), "{rules:?} does not break {promise:?}: {report}");
}

#[test]
fn a_store_that_keeps_what_it_acknowledges() {
    holds("claims of two items", ClaimModel::sound(), 150_000);
    holds("claims of one item", ClaimModel::contended(), 10_000);
}

#[test]
fn a_store_that_fails() {
    holds("claims, failover, epoch and etag", ClaimModel::failover(), 50_000);
}

#[test]
fn the_expected_epoch_is_needed() {
    breaks(ClaimModel::sound(), Rules::NoEpoch, "no claim is granted at another epoch");
}

#[test]
fn the_token_is_needed() {
    breaks(ClaimModel::sound(), Rules::NoToken, "only the current token is accepted");
}

#[test]
fn the_expiry_is_needed() {
    breaks(ClaimModel::sound(), Rules::NoExpiry, "an expired lease is not renewed, completed or released");
}

#[test]
fn a_released_item_must_keep_its_token() {
    breaks(ClaimModel::sound(), Rules::ForgetToken, "tokens grow");
}

#[test]
fn a_completed_item_must_stay_completed() {
    breaks(ClaimModel::sound(), Rules::ClaimCompleted, "a completed item is never claimed again");
}

#[test]
fn a_completion_must_be_accepted_once() {
    breaks(ClaimModel::sound(), Rules::CompleteTwice, "a completed item has exactly one accepted completion");
}

/// A known limit for a store that fails, see the README: two records of one epoch are taken for one.
#[test]
fn the_epoch_alone_does_not_tell_two_histories_apart() {
    breaks(ClaimModel::failover(), Rules::Epoch, "no claim is granted for the side that does not serve");
}

/// A known limit for a store that fails, see the README: a token is as durable as the store.
#[test]
fn a_store_that_loses_a_claim_grants_its_token_again() {
    breaks(ClaimModel::failover().durable(), Rules::EpochAndEtag, "tokens grow");
}
