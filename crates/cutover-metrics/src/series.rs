//! [`RunnerSeries`]: what is counted for a runner.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use cutover::observe::{Part, SkipReason};
use cutover::{Outcome, Side, Verdict};
use opentelemetry::KeyValue;

use crate::cells::{Cells, Out};
use crate::metric::attribute::{MIGRATION, OUTCOME, PART, REASON, ROLE, RUNNER, SIDE, VERDICT};
use crate::names::{Labels, Series};

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

/// What is counted for a runner.
pub(crate) struct RunnerSeries {
    labels: Labels,
    /// By role, side and outcome.
    runs: Cells<{ 3 * RUNS }>,
    /// The attributes of durations, by role, side and outcome.
    durations: [[KeyValue; 5]; 3 * RUNS],
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
pub(crate) const SIDES: [Side; 2] = [Side::Legacy, Side::New];

#[inline]
const fn run(role: Role, side: Side, outcome: Outcome) -> usize {
    role as usize * RUNS + side as usize * OUTCOMES + outcome as usize
}

fn runs() -> impl Iterator<Item = (Role, Side, Outcome)> {
    let of_role = |role| SIDES.into_iter().flat_map(move |side| Outcome::ALL.map(|outcome| (role, side, outcome)));
    Role::ALL.into_iter().flat_map(of_role)
}

impl Series for RunnerSeries {
    fn new(labels: &Labels) -> Self {
        let mut of_runs = runs();
        let durations = std::array::from_fn(|_| {
            let (role, side, outcome) = of_runs.next().unwrap_or((Role::Serve, Side::Legacy, Outcome::Ok));
            [
                KeyValue::new(MIGRATION, Arc::clone(&labels.migration)),
                KeyValue::new(OUTCOME, outcome.name()),
                KeyValue::new(ROLE, role.name()),
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
        self.runs.count(run(role, side, outcome));
    }

    /// The attributes of the duration of such a run; `None` for one that nobody has seen the end of.
    #[inline]
    pub(crate) fn duration(&self, role: Role, side: Side, outcome: Outcome) -> Option<&[KeyValue; 5]> {
        self.durations.get(run(role, side, outcome)).filter(|_| outcome != Outcome::Abandoned)
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
        for ((role, side, outcome), count) in self.runs.told_groups(runs(), OUTCOMES) {
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
