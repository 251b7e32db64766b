//! [`Metric`]: the name, unit, attributes and meaning of each one.

/// The attributes of metrics. Each has few values; none ever holds a key, an item, a person, a reason, a text or a value of
/// the host.
pub mod attribute {
    /// The migration: its id, or where it is not told, the name of the runner.
    pub const MIGRATION: &str = "cutover.migration";
    /// The runner, or whoever else told of the event.
    pub const RUNNER: &str = "cutover.runner";
    /// `legacy` or `new`.
    pub const SIDE: &str = "cutover.side";
    /// What a plan came to, or what was said to it: a [`PlanEvent`](cutover::observe::PlanEvent).
    pub const EVENT: &str = "cutover.event";
    /// What a side ran for: `serve`, `shadow`, or `fallback` when legacy answered because new had failed.
    pub const ROLE: &str = "cutover.role";
    /// How a side, a health check or a claim ended, such as `ok`, `timed_out` or `released`.
    pub const OUTCOME: &str = "cutover.outcome";
    /// A [`Verdict`](cutover::Verdict) on both sides, or the one of a guard.
    pub const VERDICT: &str = "cutover.verdict";
    /// Why a shadow did not run, why a change or a claim was refused, or why the store is not believed.
    pub const REASON: &str = "cutover.reason";
    /// A [`Part`](cutover::observe::Part) that the host gave.
    pub const PART: &str = "cutover.part";
    /// A [`SystemMode`](cutover::SystemMode).
    pub const MODE: &str = "cutover.mode";
    /// What is the matter with a migration: `stale`, `assumed`, `unpersisted_emergency` or `doubt`.
    pub const CONDITION: &str = "cutover.condition";
    /// The health of a side: `unknown`, `healthy` or `failing`.
    pub const HEALTH_STATE: &str = "cutover.health.state";
    /// What evidence is about: the name of a trigger or of a criterion.
    pub const SUBJECT: &str = "cutover.subject";
    /// What evidence is for: `regression` and `alarm` for triggers, `promotion` for criteria.
    pub const EVIDENCE: &str = "cutover.evidence";
}

use attribute::{
    CONDITION, EVENT, EVIDENCE, HEALTH_STATE, MIGRATION, MODE, OUTCOME, PART, REASON, ROLE, RUNNER, SIDE, SUBJECT,
    VERDICT,
};

/// One metric. Its name, unit and attributes stay as they are; a later version may add metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Metric {
    /// The name in OpenTelemetry, such as `cutover.call.duration`.
    pub name: &'static str,
    /// What kind of instrument it is.
    pub kind: Kind,
    /// The unit, as in UCUM; one in braces is a mere note.
    pub unit: &'static str,
    /// The names of its attributes, sorted.
    pub attributes: &'static [&'static str],
    /// What it says.
    pub description: &'static str,
}

/// The kind of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kind {
    /// A number that only grows while the process lives.
    Counter,
    /// A number as it is when it is asked for.
    Gauge,
    /// How many values lie in each of some ranges.
    Histogram,
}

/// The upper bounds of the ranges of `cutover.call.duration`, in seconds: 100 µs to 60 s. Give the meter provider a view to
/// have others.
pub const DURATION_BOUNDARIES: [f64; 18] =
    [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

/// All metrics, in the order of the table in README.md.
pub const METRICS: [Metric; 30] = [
    CALLS,
    CALL_DURATION,
    COMPARISONS,
    FALLBACKS,
    SHADOWS_SKIPPED,
    BREAKER_OPENINGS,
    BREAKER_OPEN,
    FAULTS,
    TRANSITIONS,
    EMERGENCIES,
    STORE_OUTAGES,
    DOUBTS,
    HEALTH_CHECKS,
    CHANGES_REFUSED,
    PLAN_EVENTS,
    CLAIMS,
    CLAIMS_REFUSED,
    CLAIMS_ENDED,
    CURRENT_MODE,
    ROLLOUT,
    SHADOW_SHARE,
    EPOCH,
    STATE_AGE,
    CURRENT_CONDITION,
    CURRENT_HEALTH,
    STRENGTH,
    THRESHOLD,
    GUARD_VERDICT,
    UNNAMED,
    UNREAD,
];

pub(crate) const CALLS: Metric = counter(
    "cutover.calls",
    "{run}",
    &[MIGRATION, OUTCOME, ROLE, RUNNER, SIDE],
    "Runs of one side of a call, by how they ended.",
);
pub(crate) const CALL_DURATION: Metric = Metric {
    kind: Kind::Histogram,
    ..counter(
        "cutover.call.duration",
        "s",
        &[MIGRATION, OUTCOME, ROLE, RUNNER, SIDE],
        "How long one side of a call ran; abandoned runs are left out.",
    )
};
pub(crate) const COMPARISONS: Metric =
    counter("cutover.comparisons", "{comparison}", &[MIGRATION, RUNNER, VERDICT], "Calls of both sides, by verdict.");
pub(crate) const FALLBACKS: Metric = counter(
    "cutover.fallbacks",
    "{call}",
    &[MIGRATION, RUNNER],
    "Calls that legacy answered because new failed while it served.",
);
pub(crate) const SHADOWS_SKIPPED: Metric = counter(
    "cutover.shadows.skipped",
    "{shadow}",
    &[MIGRATION, REASON, RUNNER],
    "Routed shadows that did not run, by reason.",
);
pub(crate) const BREAKER_OPENINGS: Metric = counter(
    "cutover.breaker.openings",
    "{opening}",
    &[MIGRATION, RUNNER],
    "How often the breaker opened after too many shadow faults in a row.",
);
pub(crate) const BREAKER_OPEN: Metric = gauge(
    "cutover.breaker.open",
    "{breaker}",
    &[MIGRATION, RUNNER],
    "1 while the breaker keeps shadows from running, else 0.",
);
pub(crate) const FAULTS: Metric = counter(
    "cutover.faults",
    "{fault}",
    &[MIGRATION, PART, RUNNER],
    "Contained faults of parts that the host gave; no answer was touched.",
);
pub(crate) const TRANSITIONS: Metric = counter(
    "cutover.transitions",
    "{transition}",
    &[MIGRATION, MODE],
    "Changes of the mode that this process has seen, by the new mode.",
);
pub(crate) const EMERGENCIES: Metric = counter(
    "cutover.emergencies",
    "{emergency}",
    &[MIGRATION],
    "Changes of the mode to emergency_rollback that this process has seen.",
);
pub(crate) const STORE_OUTAGES: Metric =
    counter("cutover.store.outages", "{outage}", &[MIGRATION], "How often the store stopped answering this process.");
pub(crate) const DOUBTS: Metric =
    counter("cutover.doubts", "{doubt}", &[MIGRATION, REASON], "How often the store could not be believed, by reason.");
pub(crate) const HEALTH_CHECKS: Metric = counter(
    "cutover.health.checks",
    "{check}",
    &[MIGRATION, OUTCOME, SIDE],
    "Health checks of this process, by how they ended.",
);
pub(crate) const CHANGES_REFUSED: Metric = counter(
    "cutover.changes.refused",
    "{change}",
    &[MIGRATION, REASON],
    "Changes that were asked of this process and not made, by reason.",
);
pub(crate) const PLAN_EVENTS: Metric = counter(
    "cutover.plan.events",
    "{event}",
    &[EVENT, MIGRATION],
    "What plans came to, and what people said to them, as this process stored it.",
);
pub(crate) const CLAIMS: Metric =
    counter("cutover.claims", "{claim}", &[MIGRATION, SIDE], "Items that this process claimed for a side.");
pub(crate) const CLAIMS_REFUSED: Metric = counter(
    "cutover.claims.refused",
    "{claim}",
    &[MIGRATION, REASON, SIDE],
    "Items that this process wanted to claim for a side and did not get, by reason.",
);
pub(crate) const CLAIMS_ENDED: Metric = counter(
    "cutover.claims.ended",
    "{claim}",
    &[MIGRATION, OUTCOME, SIDE],
    "Claims of this process that ended, by how.",
);
pub(crate) const CURRENT_MODE: Metric = gauge(
    "cutover.mode",
    "{mode}",
    &[MIGRATION, MODE],
    "1 for the mode by which this process routes, 0 for all others.",
);
pub(crate) const ROLLOUT: Metric = gauge(
    "cutover.rollout",
    "1",
    &[MIGRATION],
    "The share of keys that new serves while the rollout is gradual, 0 to 1.",
);
pub(crate) const SHADOW_SHARE: Metric = gauge(
    "cutover.shadow_share",
    "1",
    &[MIGRATION],
    "The share of calls that also run the shadow, in modes that have one, 0 to 1.",
);
pub(crate) const EPOCH: Metric = gauge(
    "cutover.epoch",
    "{epoch}",
    &[MIGRATION],
    "The epoch of the last record that this process believed; it grows with every change.",
);
pub(crate) const STATE_AGE: Metric =
    gauge("cutover.state.age", "s", &[MIGRATION], "How long ago the store last answered this process.");
pub(crate) const CURRENT_CONDITION: Metric = gauge(
    "cutover.condition",
    "{condition}",
    &[CONDITION, MIGRATION],
    "1 for each of stale, assumed, unpersisted_emergency and doubt that holds in this process, else 0.",
);
pub(crate) const CURRENT_HEALTH: Metric = gauge(
    "cutover.health.state",
    "{state}",
    &[HEALTH_STATE, MIGRATION, SIDE],
    "1 for the state in which a checked side is, 0 for the others.",
);
pub(crate) const STRENGTH: Metric = gauge(
    "cutover.evidence.strength",
    "{nat}",
    &[EVIDENCE, MIGRATION, SUBJECT],
    "How much a guard has proven, as the natural logarithm of its e-value or detector.",
);
pub(crate) const THRESHOLD: Metric = gauge(
    "cutover.evidence.threshold",
    "{nat}",
    &[EVIDENCE, MIGRATION, SUBJECT],
    "The strength from which on it is proven, as a natural logarithm.",
);
pub(crate) const GUARD_VERDICT: Metric = gauge(
    "cutover.guard.verdict",
    "{verdict}",
    &[MIGRATION, VERDICT],
    "1 for what a guard found at its last look, healthy, inconclusive or regressed, 0 for the others.",
);
pub(crate) const UNNAMED: Metric =
    counter("cutover.metrics.unnamed", "{event}", &[], "Events of runners and migrations that are told as `other`.");
pub(crate) const UNREAD: Metric = counter(
    "cutover.metrics.unread",
    "{reading}",
    &[],
    "Readings of gauges that are missing because code of the host panicked.",
);

const fn counter(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    description: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Counter, unit, attributes, description }
}

const fn gauge(
    name: &'static str,
    unit: &'static str,
    attributes: &'static [&'static str],
    description: &'static str,
) -> Metric {
    Metric { kind: Kind::Gauge, ..counter(name, unit, attributes, description) }
}
