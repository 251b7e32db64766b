//! What the gauges say, read from controllers and guards when they are asked.

use cutover::control::{HealthState, MigrationStatus};
use cutover::guard::{GuardReport, GuardVerdict};
use cutover::{Percentage, Side, SystemMode};
use opentelemetry::KeyValue;
use opentelemetry::metrics::AsyncInstrument;

use crate::cells::Out;
use crate::metric::attribute::{CONDITION, EVIDENCE, HEALTH_STATE, MODE, SIDE, SUBJECT, VERDICT};
use crate::state::State;

/// What a gauge of fractions is told to.
type Number<'a> = &'a dyn AsyncInstrument<f64>;

pub(crate) fn tell_mode(state: &State, out: Out<'_>) {
    state.each_status(|status, migration| {
        for mode in SystemMode::ALL {
            out.observe(u64::from(mode == status.mode), &[migration.clone(), KeyValue::new(MODE, mode.name())]);
        }
    });
}

pub(crate) fn tell_rollout(state: &State, out: Number<'_>) {
    state.each_status(|status, migration| out.observe(share(status.rollout), &[migration]));
}

pub(crate) fn tell_shadow_share(state: &State, out: Number<'_>) {
    state.each_status(|status, migration| out.observe(share(status.shadow_share), &[migration]));
}

pub(crate) fn tell_epoch(state: &State, out: Out<'_>) {
    state.each_status(|status, migration| out.observe(status.epoch, &[migration]));
}

pub(crate) fn tell_age(state: &State, out: Number<'_>) {
    state.each_status(|status, migration| out.observe(status.age.as_secs_f64(), &[migration]));
}

pub(crate) fn tell_condition(state: &State, out: Out<'_>) {
    state.each_status(|status, migration| {
        for (condition, holds) in conditions(status) {
            out.observe(u64::from(holds), &[KeyValue::new(CONDITION, condition), migration.clone()]);
        }
    });
}

fn conditions(status: &MigrationStatus) -> [(&'static str, bool); 4] {
    [
        ("stale", status.stale),
        ("assumed", status.assumed),
        ("unpersisted_emergency", status.unpersisted_emergency),
        ("doubt", status.doubt.is_some()),
    ]
}

const HEALTH_STATES: [HealthState; 3] = [HealthState::Unknown, HealthState::Healthy, HealthState::Failing];

pub(crate) fn tell_health(state: &State, out: Out<'_>) {
    state.each_status(|status, migration| {
        let Some(health) = status.health else { return };
        for (side, health) in [(Side::Legacy, health.legacy), (Side::New, health.new)] {
            let Some(health) = health else { continue };
            for state in HEALTH_STATES {
                let (state, is) = (KeyValue::new(HEALTH_STATE, state.name()), state == health.state);
                out.observe(u64::from(is), &[state, migration.clone(), KeyValue::new(SIDE, side.name())]);
            }
        }
    });
}

pub(crate) fn tell_guard(state: &State, out: Out<'_>) {
    state.each_report(|report, migration| {
        for (verdict, name) in VERDICTS {
            out.observe(u64::from(verdict == report.verdict), &[migration.clone(), KeyValue::new(VERDICT, name)]);
        }
    });
}

const VERDICTS: [(GuardVerdict, &str); 3] = [
    (GuardVerdict::Healthy, "healthy"),
    (GuardVerdict::Inconclusive, "inconclusive"),
    (GuardVerdict::Regressed, "regressed"),
];

pub(crate) fn tell_strength(state: &State, out: Number<'_>) {
    tell_evidence(state, out, |proof| Some(proof.strength));
}

pub(crate) fn tell_threshold(state: &State, out: Number<'_>) {
    tell_evidence(state, out, |proof| proof.threshold);
}

/// How much of something is proven, and how much has to be.
struct Proof {
    evidence: &'static str,
    subject: &'static str,
    strength: f64,
    threshold: Option<f64>,
}

fn tell_evidence(state: &State, out: Number<'_>, pick: fn(&Proof) -> Option<f64>) {
    state.each_report(|report, migration| {
        for proof in proofs(report) {
            // Proof may be without end; a number that is none is never told.
            if let Some(nats) = pick(&proof).filter(|nats| !nats.is_nan()) {
                let attributes =
                    [KeyValue::new(EVIDENCE, proof.evidence), migration.clone(), KeyValue::new(SUBJECT, proof.subject)];
                out.observe(nats.clamp(f64::MIN, f64::MAX), &attributes);
            }
        }
    });
}

fn proofs(report: &GuardReport) -> Vec<Proof> {
    let strengths = report.triggers.iter().filter_map(|found| Some((found.trigger.name(), found.strength?)));
    let of_triggers = strengths.flat_map(|(subject, found)| {
        [
            Proof { evidence: "regression", subject, strength: found.ln_e, threshold: found.ln_threshold },
            Proof { evidence: "alarm", subject, strength: found.ln_alarm, threshold: Some(found.ln_alarm_threshold) },
        ]
    });
    let of_criteria = report.criteria.iter().map(|found| Proof {
        evidence: "promotion",
        subject: found.criterion.name(),
        strength: found.ln_e,
        threshold: Some(found.ln_threshold),
    });
    of_triggers.chain(of_criteria).collect()
}

impl State {
    /// Tells of every controller that is watched, beside its name as an attribute.
    fn each_status(&self, mut tell: impl FnMut(&MigrationStatus, KeyValue)) {
        self.watched.each_status(|status| {
            if let Some(migration) = self.named(status.id.as_str()) {
                tell(status, migration);
            }
        });
    }

    /// Tells of every guard that is watched, beside the name of its migration as an attribute.
    fn each_report(&self, mut tell: impl FnMut(&GuardReport, KeyValue)) {
        self.watched.each_report(|migration, report| {
            if let Some(migration) = self.named(migration) {
                tell(report, migration);
            }
        });
    }

    /// A gauge cannot be told for several at once, so that migrations beyond the limit have none.
    fn named(&self, migration: &str) -> Option<KeyValue> {
        self.migrations.named(migration, migration).map(crate::migration::MigrationSeries::attribute)
    }
}

/// From 0 to 1.
fn share(percentage: Percentage) -> f64 {
    f64::from(percentage.ppm()) / 1e6
}
