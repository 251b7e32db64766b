//! Each rule of the control protocol is needed: without it the model finds a way to break a promise.
#![expect(clippy::print_stdout, reason = "the way to a broken promise is what a reader of the output wants")]

use cutover_proofs::control::{ControlModel, Demand, Variant};
use cutover_proofs::refute;

/// The shortest way to a broken promise breaks `promise`.
#[track_caller]
fn breaks(model: ControlModel, variant: Variant, promise: &str) {
    let report = refute("broken on purpose", model.with(variant));
    println!("{variant:?}, {report}");
    assert!(report.broken.contains_key(promise), "{variant:?} does not break {promise:?}: {report}");
}

#[test]
fn a_store_that_compares_epochs_only() {
    let promise = "a write replaces the record that it was decided on";
    breaks(ControlModel::failover(), Variant::CompareEpochOnly, promise);
}

#[test]
fn a_store_that_forgets_operations() {
    let promise = "an operation is committed at most once";
    breaks(ControlModel::unknown_outcomes(), Variant::ForgetOperations, promise);
}

#[test]
fn a_store_that_writes_record_and_audit_apart() {
    breaks(ControlModel::changes(), Variant::AuditApart, "the audit is 1..n without a gap and ends in the record");
}

#[test]
fn an_emergency_that_waits_for_the_store() {
    breaks(ControlModel::emergencies(), Variant::StoreEmergencyFirst, "an emergency holds where it was pulled");
}

#[test]
fn an_emergency_that_is_sent_only_once() {
    breaks(ControlModel::emergencies(), Variant::PersistOnce, "an emergency holds where it was pulled");
}

#[test]
fn an_answer_that_is_sent_again_after_a_conflict() {
    breaks(ControlModel::changes(), Variant::ResendAnswer, "every stored transition is in the table");
}

#[test]
fn hints_that_are_believed() {
    breaks(ControlModel::changes(), Variant::BelieveHints, "a record never goes back unnoticed");
}

#[test]
fn findings_that_are_believed() {
    breaks(ControlModel::failover(), Variant::BelieveFindings, "a record never goes back unnoticed");
}

#[test]
fn an_overtaken_read_that_counts_as_evidence() {
    breaks(ControlModel::overtaken_reads(), Variant::DoubtOvertakenReads, "a sound store is not doubted");
}

#[test]
fn doubt_that_hinders_nobody() {
    breaks(ControlModel::failover(), Variant::PromoteInDoubt, "in doubt nothing is promoted");
}

#[test]
fn doubt_that_routes_by_what_it_found() {
    breaks(ControlModel::failover(), Variant::RouteByFound, "in doubt the safer mode routes");
}

/// A known limit for a store that fails, see the README: only the epoch is compared with what was known.
#[test]
fn a_store_that_is_written_on_past_the_known_epoch_is_believed() {
    let model = ControlModel::failover().demand(Demand::Lineage);
    breaks(model, Variant::AsBuilt, "a fork of the history is never believed");
}

/// A known limit for a store that fails, see the README: the answer to the emergency is overtaken by a read.
#[test]
fn an_emergency_that_is_acknowledged_late_may_end_without_an_operator() {
    let model = ControlModel::failover_of_emergencies().demand(Demand::Emergencies);
    breaks(model, Variant::AsBuilt, "an emergency holds where it was pulled");
}
