//! [`Kpis`]: how the whole of it goes, against what it is to be.

mod figures;
mod targets;

pub use figures::KpiFigures;
pub use targets::{KpiTargets, Target};

use std::fmt;

use serde::Serialize;

/// The figures of a fleet, each with its target, and a score of how far the targets are reached.
///
/// | figure | unit | target by default | its sign |
/// |---|---|---|---|
/// | migrated | share of all systems | 1 | more is better |
/// | rate | systems per day | none | |
/// | validation | share of cases that passed, mean of systems | at least 0.8 | more is better |
/// | rollbacks | number | at most 4 (fewer than 5) | less is better |
/// | failed | systems whose recovery failed | at most 0 | less is better |
/// | throughput | change against legacy, mean of systems | at least +0.20 | plus is more and better |
/// | latency | change of the p95 against legacy, mean of systems | below +0.10 | plus is slower and worse |
/// | hours | per migrated system | below 2 | less is better |
/// | downtime | minutes, of all systems | at most 0 | less is better |
///
/// Without a migrated system there are no figures but the share, and no score: no data is neither success nor failure. What
/// was not measured has no part in the score.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Kpis {
    /// The figures, in the order of the table.
    pub figures: Vec<Kpi>,
    /// The mean of the figures' scores, 0.0 to 1.0; `None` with nothing migrated.
    pub score: Option<f64>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Kpi {
    /// Its name, as in the table of [`Kpis`].
    pub name: &'static str,
    /// What it counts.
    pub unit: &'static str,
    /// Its value; `None` without data.
    pub value: Option<f64>,
    /// What it is to be, if it has a target.
    pub target: Option<Target>,
    /// Whether it is; `None` without data or target.
    pub met: Option<bool>,
    /// Its part in the score, 0.0 to 1.0: 1 where the target is met, and no more for exceeding it; below that in proportion.
    pub score: Option<f64>,
}

/// How a value is weighed against its target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scale {
    /// A share: nothing of it is 0.
    Share,
    /// A change or a number: 1 is added, so that no change and none are in proportion to others.
    Ratio,
}

impl Kpis {
    /// The figures against the targets.
    ///
    /// ```
    /// use cutover_fleet::{KpiFigures, KpiTargets, Kpis};
    ///
    /// let nothing = Kpis::of(&KpiFigures { total: 20, ..KpiFigures::default() }, &KpiTargets::default());
    /// assert_eq!(nothing.score, None);
    ///
    /// let slower = KpiFigures { total: 1, migrated: 1, latency_change: Some(0.5), ..KpiFigures::default() };
    /// let kpis = Kpis::of(&slower, &KpiTargets::default());
    /// assert_eq!(kpis.get("latency").and_then(|latency| latency.met), Some(false)); // 50 % slower
    /// ```
    #[must_use]
    pub fn of(figures: &KpiFigures, targets: &KpiTargets) -> Self {
        let data = figures.migrated > 0;
        let when = |value: Option<f64>| value.filter(|value| data && value.is_finite());
        let figures = vec![
            Kpi::new("migrated", "share of all systems", figures.share(), Some(Target::AtLeast(1.0)), Scale::Share),
            Kpi::new("rate", "systems per day", when(figures.rate_per_day), None, Scale::Ratio),
            Kpi::new("validation", "share of cases", when(figures.validation), Some(targets.validation), Scale::Share),
            Kpi::new(
                "rollbacks",
                "number",
                when(Some(figures.rollbacks.into())),
                Some(targets.rollbacks),
                Scale::Ratio,
            ),
            Kpi::new("failed", "systems", when(Some(figures.failed.into())), Some(targets.failed), Scale::Ratio),
            Kpi::new("throughput", "change", when(figures.throughput_change), Some(targets.throughput), Scale::Ratio),
            Kpi::new("latency", "change of the p95", when(figures.latency_change), Some(targets.latency), Scale::Ratio),
            Kpi::new("hours", "per system", when(figures.hours_per_system), Some(targets.hours), Scale::Ratio),
            Kpi::new("downtime", "minutes", when(figures.downtime_minutes), Some(targets.downtime), Scale::Ratio),
        ];
        let score = if data { mean(figures.iter().filter_map(|figure| figure.score)) } else { None };
        Self { figures, score }
    }

    /// The figure `name`.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Kpi> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

impl Kpi {
    fn new(name: &'static str, unit: &'static str, value: Option<f64>, target: Option<Target>, scale: Scale) -> Self {
        let both = value.zip(target);
        let met = both.map(|(value, target)| target.is_met(value));
        let score = both.map(|(value, target)| score(value, target, scale));
        Self { name, unit, value, target, met, score }
    }

    /// The value as text; that of a change has a sign.
    pub(crate) fn number(&self) -> Option<String> {
        let is_change = self.unit.starts_with("change");
        self.value.map(|value| if is_change { format!("{value:+.3}") } else { format!("{value:.3}") })
    }
}

/// 1 where the target is met, in proportion where it is not.
fn score(value: f64, target: Target, scale: Scale) -> f64 {
    if target.is_met(value) {
        return 1.0;
    }
    let size = |number: f64| if scale == Scale::Share { number } else { 1.0 + number };
    let (value, wanted) = (size(value), size(target.number()));
    let part = match target {
        Target::AtLeast(_) => value / wanted,
        Target::AtMost(_) | Target::Below(_) => wanted / value,
    };
    if part.is_finite() { part.clamp(0.0, 1.0) } else { 0.0 }
}

/// The mean; `None` of nothing.
pub(crate) fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (sum, number) = values.fold((0.0, 0_u32), |(sum, number), value| (sum + value, number + 1));
    (number > 0).then(|| sum / f64::from(number))
}

impl fmt::Display for Kpi {
    /// Such as `latency: +0.050 change of the p95 (below 0.1: met)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, unit, target, met, .. } = self;
        let Some(value) = self.number() else { return write!(f, "{name}: no data") };
        write!(f, "{name}: {value} {unit}")?;
        let Some(target) = target else { return Ok(()) };
        write!(f, " ({target}: {})", if *met == Some(true) { "met" } else { "missed" })
    }
}
