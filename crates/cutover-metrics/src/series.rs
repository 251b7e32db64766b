//! What is counted for a runner, and for a migration.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cutover::observe::{Part, SkipReason};
use cutover::store::Doubt;
use cutover::{Outcome, Side, SystemMode, Verdict};
use opentelemetry::KeyValue;
use opentelemetry::metrics::AsyncInstrument;

use crate::metric::attribute::{MIGRATION, MODE, OUTCOME, PART, REASON, ROLE, RUNNER, SIDE, VERDICT};
use crate::names::{Labels, Series};

/// What a metric is told to when it is asked for.
pub(crate) type Out<'a> = &'a dyn AsyncInstrument<u64>;

/// What a side ran for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    Serve,
    Shadow,
    Fallback,
}

impl Role {
    const ALL: [Self; 3] = [Self::Serve, Self::Shadow, Self::Fallback];

    const fn name(self) -> &'static str {
        match self {
            Self::Serve => "serve",
            Self::Shadow => "shadow",
            Self::Fallback => "fallback",
        }
    }
}

/// A count for each of `N` things.
struct Cells<const N: usize>([AtomicU64; N]);

impl<const N: usize> Cells<N> {
    const fn new() -> Self {
        Self([const { AtomicU64::new(0) }; N])
    }

    #[inline]
    fn count(&self, index: usize) {
        if let Some(cell) = self.0.get(index) {
            cell.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The counts beside what they count, in the same order.
    fn each<'a, K: 'a>(&'a self, keys: impl IntoIterator<Item = K> + 'a) -> impl Iterator<Item = (K, u64)> + 'a {
        keys.into_iter().zip(&self.0).map(|(key, cell)| (key, cell.load(Ordering::Relaxed)))
    }

    /// As [`each`](Self::each), for whole groups of `size` in which something was counted. A group is told with its zeros, so
    /// that the first of a kind is seen to be one more.
    fn told_groups<K: Copy>(&self, keys: impl IntoIterator<Item = K>, size: usize) -> Vec<(K, u64)> {
        let counts: Vec<_> = self.each(keys).collect();
        let is_told = |group: &&[(K, u64)]| group.iter().any(|(_, count)| *count > 0);
        counts.chunks(size).filter(is_told).flatten().copied().collect()
    }
}

/// What is counted for a runner.
pub(crate) struct RunnerSeries {
    labels: Labels,
    /// By role, side and outcome.
    runs: Cells<{ 3 * RUNS }>,
    /// The attributes of durations, by side and outcome.
    durations: [[KeyValue; 4]; RUNS],
    comparisons: Cells<{ Verdict::ALL.len() }>,
    skipped: Cells<{ SkipReason::ALL.len() }>,
    faults: Cells<{ Part::ALL.len() }>,
    fallbacks: AtomicU64,
    breaker_openings: AtomicU64,
    /// 1 while the breaker is open.
    breaker_open: AtomicU64,
}

/// How many pairs of a side and an outcome there are.
const RUNS: usize = 2 * OUTCOMES;
const OUTCOMES: usize = Outcome::ALL.len();
const SIDES: [Side; 2] = [Side::Legacy, Side::New];

#[inline]
const fn run(side: Side, outcome: Outcome) -> usize {
    side as usize * OUTCOMES + outcome as usize
}

fn runs() -> impl Iterator<Item = (Side, Outcome)> {
    SIDES.into_iter().flat_map(|side| Outcome::ALL.map(|outcome| (side, outcome)))
}

impl Series for RunnerSeries {
    fn new(labels: &Labels) -> Self {
        let mut of_runs = runs();
        let durations = std::array::from_fn(|_| {
            let (side, outcome) = of_runs.next().unwrap_or((Side::Legacy, Outcome::Ok));
            [
                KeyValue::new(MIGRATION, Arc::clone(&labels.migration)),
                KeyValue::new(OUTCOME, outcome.name()),
                KeyValue::new(RUNNER, Arc::clone(&labels.runner)),
                KeyValue::new(SIDE, side.name()),
            ]
        });
        Self {
            labels: labels.clone(),
            runs: Cells::new(),
            durations,
            comparisons: Cells::new(),
            skipped: Cells::new(),
            faults: Cells::new(),
            fallbacks: AtomicU64::new(0),
            breaker_openings: AtomicU64::new(0),
            breaker_open: AtomicU64::new(0),
        }
    }
}

impl RunnerSeries {
    #[inline]
    pub(crate) fn ran(&self, role: Role, side: Side, outcome: Outcome) {
        self.runs.count(role as usize * RUNS + run(side, outcome));
    }

    /// The attributes of the duration of such a run; `None` for one that nobody has seen the end of.
    #[inline]
    pub(crate) fn duration(&self, side: Side, outcome: Outcome) -> Option<&[KeyValue; 4]> {
        self.durations.get(run(side, outcome)).filter(|_| outcome != Outcome::Abandoned)
    }

    #[inline]
    pub(crate) fn compared(&self, verdict: Verdict, fell_back: bool) {
        self.comparisons.count(verdict as usize);
        if fell_back {
            self.fallbacks.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn skipped(&self, reason: SkipReason) {
        self.skipped.count(reason as usize);
    }

    pub(crate) fn fault(&self, part: Part) {
        self.faults.count(part as usize);
    }

    pub(crate) fn breaker_opened(&self) {
        self.breaker_openings.fetch_add(1, Ordering::Relaxed);
        self.breaker_open.store(1, Ordering::Relaxed);
    }

    pub(crate) fn breaker_closed(&self) {
        self.breaker_open.store(0, Ordering::Relaxed);
    }

    /// Sides that never ran in a role are left out.
    pub(crate) fn tell_calls(&self, out: Out<'_>) {
        let keys = Role::ALL.into_iter().flat_map(|role| runs().map(move |run| (role, run)));
        for ((role, (side, outcome)), count) in self.runs.told_groups(keys, OUTCOMES) {
            let [role, outcome] = [KeyValue::new(ROLE, role.name()), KeyValue::new(OUTCOME, outcome.name())];
            let [migration, runner] = self.names();
            out.observe(count, &[migration, outcome, role, runner, KeyValue::new(SIDE, side.name())]);
        }
    }

    pub(crate) fn tell_comparisons(&self, out: Out<'_>) {
        for (verdict, count) in self.comparisons.each(Verdict::ALL) {
            let [migration, runner] = self.names();
            out.observe(count, &[migration, runner, KeyValue::new(VERDICT, verdict.name())]);
        }
    }

    pub(crate) fn tell_skipped(&self, out: Out<'_>) {
        for (reason, count) in self.skipped.each(SkipReason::ALL) {
            let [migration, runner] = self.names();
            out.observe(count, &[migration, KeyValue::new(REASON, reason.name()), runner]);
        }
    }

    pub(crate) fn tell_faults(&self, out: Out<'_>) {
        for (part, count) in self.faults.each(Part::ALL) {
            let [migration, runner] = self.names();
            out.observe(count, &[migration, KeyValue::new(PART, part.name()), runner]);
        }
    }

    pub(crate) fn tell_fallbacks(&self, out: Out<'_>) {
        out.observe(self.fallbacks.load(Ordering::Relaxed), &self.names());
    }

    pub(crate) fn tell_breaker_openings(&self, out: Out<'_>) {
        out.observe(self.breaker_openings.load(Ordering::Relaxed), &self.names());
    }

    pub(crate) fn tell_breaker_open(&self, out: Out<'_>) {
        out.observe(self.breaker_open.load(Ordering::Relaxed), &self.names());
    }

    fn names(&self) -> [KeyValue; 2] {
        let Labels { migration, runner } = self.labels.clone();
        [KeyValue::new(MIGRATION, migration), KeyValue::new(RUNNER, runner)]
    }
}

/// What is counted for a migration.
pub(crate) struct MigrationSeries {
    name: Arc<str>,
    transitions: Cells<{ SystemMode::ALL.len() }>,
    emergencies: AtomicU64,
    store_outages: AtomicU64,
    doubts: Cells<{ DOUBTS.len() }>,
    /// By side and outcome.
    checks: Cells<{ 2 * CHECKS.len() }>,
}

/// The core may come to know more of them; they count as the last one.
const DOUBTS: [&str; 5] = ["state_lost", "state_regressed", "forked", "audit_gap", "other"];
const CHECKS: [&str; 5] = ["ok", "failed", "timed_out", "panicked", "other"];

impl Series for MigrationSeries {
    fn new(labels: &Labels) -> Self {
        Self {
            name: Arc::clone(&labels.migration),
            transitions: Cells::new(),
            emergencies: AtomicU64::new(0),
            store_outages: AtomicU64::new(0),
            doubts: Cells::new(),
            checks: Cells::new(),
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
        let outcome = CHECKS.iter().position(|name| *name == outcome).unwrap_or(CHECKS.len() - 1);
        self.checks.count(side as usize * CHECKS.len() + outcome);
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
        let keys = SIDES.into_iter().flat_map(|side| CHECKS.map(|outcome| (side, outcome)));
        for ((side, outcome), count) in self.checks.told_groups(keys, CHECKS.len()) {
            let (outcome, side) = (KeyValue::new(OUTCOME, outcome), KeyValue::new(SIDE, side.name()));
            out.observe(count, &[self.attribute(), outcome, side]);
        }
    }
}
