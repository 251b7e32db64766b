//! The control protocol keeps its promises in every order of every step.
#![expect(clippy::print_stdout, reason = "the figures are what a reader of the output wants")]

use cutover_proofs::control::ControlModel;
use cutover_proofs::explore;

#[track_caller]
fn holds(name: &'static str, model: ControlModel, at_least: usize) {
    let report = explore(name, model);
    println!("{report}");
    assert!(report.holds(), "{report}");
    assert!(
        report.states >= at_least,
        "{} states are fewer than {at_least}: the model has become smaller",
        report.states
    );
}

#[test]
fn operators_who_race() {
    holds("changes", ControlModel::changes(), 100_000);
}

#[test]
fn emergencies_that_race_changes() {
    holds("emergencies", ControlModel::emergencies(), 200_000);
}

#[test]
fn outcomes_that_are_not_known() {
    holds("unknown outcomes", ControlModel::unknown_outcomes(), 800_000);
}

#[test]
fn reads_that_are_overtaken() {
    holds("overtaken reads", ControlModel::overtaken_reads(), 400_000);
    holds("overtaken reads, emergency", ControlModel::overtaken_reads_of_emergencies(), 300_000);
}

#[test]
fn a_store_that_fails() {
    holds("failover", ControlModel::failover(), 500_000);
    holds("failover, emergency", ControlModel::failover_of_emergencies(), 500_000);
}

#[test]
fn a_store_that_fails_between_changes_and_an_emergency() {
    holds("failover, changes and emergency", ControlModel::failover_of_races(), 500_000);
}

#[test]
fn a_store_that_fails_while_it_is_read() {
    holds("failover while reading", ControlModel::failover_while_reading(), 300_000);
    let model = ControlModel::failover_of_emergencies_while_reading();
    holds("failover while reading, emergency", model, 300_000);
}
