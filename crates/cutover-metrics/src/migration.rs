//! [`MigrationSeries`]: what is counted for a migration.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cutover::store::Doubt;
use cutover::{Side, SystemMode};
use opentelemetry::KeyValue;

use crate::cells::{Cells, Out};
use crate::metric::attribute::{EVENT, MIGRATION, MODE, OUTCOME, REASON, SIDE};
use crate::names::{Labels, Series};
use crate::series::SIDES;

/// What is counted for a migration.
pub(crate) struct MigrationSeries {
    name: Arc<str>,
    transitions: Cells<{ SystemMode::ALL.len() }>,
    emergencies: AtomicU64,
    store_outages: AtomicU64,
    doubts: Cells<{ DOUBTS.len() }>,
    /// By side and outcome.
    checks: Cells<{ 2 * CHECKS.len() }>,
    refusals: Cells<{ REFUSALS.len() }>,
    plan_events: Cells<{ PLAN_EVENTS.len() }>,
    /// By side.
    claims: Cells<2>,
    /// By side and reason.
    claim_refusals: Cells<{ 2 * CLAIM_REFUSALS.len() }>,
    /// By side and outcome.
    claim_ends: Cells<{ 2 * CLAIM_ENDS.len() }>,
}

/// The core may come to know more of them; they count as the last one.
const DOUBTS: [&str; 5] = ["state_lost", "state_regressed", "forked", "audit_gap", "other"];
const CHECKS: [&str; 5] = ["ok", "failed", "timed_out", "panicked", "other"];
const REFUSALS: [&str; 9] =
    ["text", "transition", "rollout_fixed", "in_doubt", "outdated", "evidence", "contended", "store", "other"];
const PLAN_EVENTS: [&str; 12] = [
    "entered",
    "approved",
    "acknowledged",
    "paused",
    "frozen",
    "asked",
    "resumed",
    "restarted",
    "done",
    "rolled_back",
    "aborted",
    "other",
];
const CLAIM_REFUSALS: [&str; 12] = [
    "item",
    "ttl",
    "outdated_route",
    "not_serving",
    "in_doubt",
    "unpersisted",
    "assumed",
    "held",
    "completed",
    "late",
    "store",
    "other",
];
const CLAIM_ENDS: [&str; 5] = ["completed", "released", "lost", "dropped", "other"];

/// The place of a name; that of the last one if it is not there.
fn place(names: &[&str], name: &str) -> usize {
    names.iter().position(|known| *known == name).unwrap_or(names.len() - 1)
}

/// Each of these for each side.
fn by_side<const N: usize>(names: [&'static str; N]) -> impl Iterator<Item = (Side, &'static str)> {
    SIDES.into_iter().flat_map(move |side| names.map(|name| (side, name)))
}

impl Series for MigrationSeries {
    fn new(labels: &Labels) -> Self {
        Self {
            name: Arc::clone(&labels.migration),
            transitions: Cells::new(),
            emergencies: AtomicU64::new(0),
            store_outages: AtomicU64::new(0),
            doubts: Cells::new(),
            checks: Cells::new(),
            refusals: Cells::new(),
            plan_events: Cells::new(),
            claims: Cells::new(),
            claim_refusals: Cells::new(),
            claim_ends: Cells::new(),
        }
    }
}

impl MigrationSeries {
    /// The migration as an attribute.
    pub(crate) fn attribute(&self) -> KeyValue {
        KeyValue::new(MIGRATION, Arc::clone(&self.name))
    }

    pub(crate) fn entered(&self, mode: SystemMode) {
        self.transitions.count(mode as usize);
        if mode == SystemMode::EmergencyRollback {
            self.emergencies.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn store_lost(&self) {
        self.store_outages.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn doubted(&self, doubt: Doubt) {
        self.doubts.count(match doubt {
            Doubt::StateLost { .. } => 0,
            Doubt::StateRegressed { .. } => 1,
            Doubt::Forked { .. } => 2,
            Doubt::AuditGap { .. } => 3,
            _ => 4,
        });
    }

    /// `outcome` is the name of an outcome of checks.
    pub(crate) fn checked(&self, side: Side, outcome: &str) {
        self.checks.count(side as usize * CHECKS.len() + place(&CHECKS, outcome));
    }

    /// `reason` is the name of a refusal of changes.
    pub(crate) fn refused(&self, reason: &str) {
        self.refusals.count(place(&REFUSALS, reason));
    }

    /// `event` is the name of an event of plans.
    pub(crate) fn plan_moved(&self, event: &str) {
        self.plan_events.count(place(&PLAN_EVENTS, event));
    }

    pub(crate) fn claimed(&self, side: Side) {
        self.claims.count(side as usize);
    }

    /// `reason` is the name of a refusal of claims.
    pub(crate) fn not_claimed(&self, side: Side, reason: &str) {
        self.claim_refusals.count(side as usize * CLAIM_REFUSALS.len() + place(&CLAIM_REFUSALS, reason));
    }

    /// `end` is the name of an end of claims.
    pub(crate) fn claim_ended(&self, side: Side, end: &str) {
        self.claim_ends.count(side as usize * CLAIM_ENDS.len() + place(&CLAIM_ENDS, end));
    }

    pub(crate) fn tell_transitions(&self, out: Out<'_>) {
        for (mode, count) in self.transitions.each(SystemMode::ALL) {
            out.observe(count, &[self.attribute(), KeyValue::new(MODE, mode.name())]);
        }
    }

    pub(crate) fn tell_emergencies(&self, out: Out<'_>) {
        out.observe(self.emergencies.load(Ordering::Relaxed), &[self.attribute()]);
    }

    pub(crate) fn tell_store_outages(&self, out: Out<'_>) {
        out.observe(self.store_outages.load(Ordering::Relaxed), &[self.attribute()]);
    }

    pub(crate) fn tell_doubts(&self, out: Out<'_>) {
        for (reason, count) in self.doubts.each(DOUBTS) {
            out.observe(count, &[self.attribute(), KeyValue::new(REASON, reason)]);
        }
    }

    /// Sides that were never checked are left out.
    pub(crate) fn tell_checks(&self, out: Out<'_>) {
        for ((side, outcome), count) in self.checks.told_groups(by_side(CHECKS), CHECKS.len()) {
            let (outcome, side) = (KeyValue::new(OUTCOME, outcome), KeyValue::new(SIDE, side.name()));
            out.observe(count, &[self.attribute(), outcome, side]);
        }
    }

    pub(crate) fn tell_refusals(&self, out: Out<'_>) {
        for (reason, count) in self.refusals.each(REFUSALS) {
            out.observe(count, &[self.attribute(), KeyValue::new(REASON, reason)]);
        }
    }

    pub(crate) fn tell_plan_events(&self, out: Out<'_>) {
        for (event, count) in self.plan_events.each(PLAN_EVENTS) {
            out.observe(count, &[KeyValue::new(EVENT, event), self.attribute()]);
        }
    }

    pub(crate) fn tell_claims(&self, out: Out<'_>) {
        for (side, count) in self.claims.each(SIDES) {
            out.observe(count, &[self.attribute(), KeyValue::new(SIDE, side.name())]);
        }
    }

    /// Sides for which no claim was refused are left out.
    pub(crate) fn tell_claim_refusals(&self, out: Out<'_>) {
        let told = self.claim_refusals.told_groups(by_side(CLAIM_REFUSALS), CLAIM_REFUSALS.len());
        for ((side, reason), count) in told {
            let (reason, side) = (KeyValue::new(REASON, reason), KeyValue::new(SIDE, side.name()));
            out.observe(count, &[self.attribute(), reason, side]);
        }
    }

    /// Sides for which no claim ended are left out.
    pub(crate) fn tell_claim_ends(&self, out: Out<'_>) {
        for ((side, end), count) in self.claim_ends.told_groups(by_side(CLAIM_ENDS), CLAIM_ENDS.len()) {
            let (outcome, side) = (KeyValue::new(OUTCOME, end), KeyValue::new(SIDE, side.name()));
            out.observe(count, &[self.attribute(), outcome, side]);
        }
    }
}
