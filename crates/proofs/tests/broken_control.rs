//! Each rule of the control protocol is needed: without it the model finds a way to break a promise.
#![expect(clippy::print_stdout, reason = "the way to a broken promise is what a reader of the output wants")]

use cutover_proofs::control::{ControlModel, Variant};
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
fn an_emergency_that_is_acknowledged_and_not_confirmed() {
    let promise = "an emergency holds where it was pulled";
    breaks(ControlModel::failover_of_emergencies(), Variant::ReleaseOnAnswer, promise);
}

#[test]
fn an_emergency_that_is_confirmed_by_an_audit_later_than_the_record() {
    let promise = "an emergency holds where it was pulled";
    breaks(ControlModel::failover_of_emergencies_while_reading(), Variant::ConfirmByAuditOnly, promise);
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
    breaks(ControlModel::overtaken_reads(), Variant::TakeInOvertakenReads, "a sound store is not doubted");
}

#[test]
fn an_overtaken_acknowledgement_that_is_believed() {
    breaks(ControlModel::failover(), Variant::BelieveOvertakenAnswers, "a fork of the history is never believed");
}

#[test]
fn a_fork_that_is_believed_since_it_is_later() {
    breaks(ControlModel::failover(), Variant::BelieveForks, "a fork of the history is never believed");
    breaks(ControlModel::failover(), Variant::OutgrowDoubt, "a fork of the history is never believed");
}

#[test]
fn doubt_that_hinders_nobody() {
    breaks(ControlModel::failover(), Variant::PromoteInDoubt, "in doubt nothing is promoted");
}

#[test]
fn doubt_that_routes_by_what_it_found() {
    breaks(ControlModel::failover(), Variant::RouteByFound, "in doubt the safer mode routes");
}

#[test]
fn a_reconciliation_that_settles_nothing_for_others() {
    let promise = "fair reads converge, and one reconciliation ends all doubt";
    breaks(ControlModel::failover(), Variant::SettleForNobody, promise);
}

#[test]
fn a_reconciliation_that_settles_what_its_operator_did_not_know() {
    breaks(ControlModel::failover(), Variant::SettleForAll, "a fork of the history is never believed");
}
