//! Both sides beside each other.

use cutover::MigrationStatus;
use cutover::monitor::{PerformanceComparison, SidePerformance};

use super::nanos;
use crate::pages::overview::{SideFigure as Cell, health_of};
use crate::pages::words;

pub(super) struct Sides {
    pub(super) rows: Vec<SideRow>,
    pub(super) note: String,
}

pub(super) struct SideRow {
    pub(super) name: String,
    pub(super) legacy: Cell,
    pub(super) new: Cell,
    /// How new compares: `better`, `worse` or nothing.
    pub(super) tone: &'static str,
    pub(super) change: String,
}

impl Sides {
    pub(super) fn of(status: &MigrationStatus) -> Self {
        let mut rows = Vec::new();
        if let Some(health) = status.health {
            let [legacy, new] = [health.legacy, health.new].map(|side| Cell::of(health_of(side)));
            rows.push(SideRow { name: "health".to_owned(), legacy, new, tone: "", change: String::new() });
        }
        let Some(performance) = &status.performance else {
            return Self { rows, note: "The host gave no monitor, so calls are not counted here.".to_owned() };
        };
        rows.extend(measured(performance));
        let time = words::span(performance.time);
        Self { rows, note: format!("By the calls of this process in epoch {}, for {time}.", performance.epoch) }
    }
}

fn plain(text: Option<String>) -> Cell {
    Cell::of((("", ""), text.unwrap_or_else(|| "–".to_owned())))
}

/// How a figure of a side is written.
type Figure = fn(&SidePerformance) -> Option<String>;

fn measured(performance: &PerformanceComparison) -> Vec<SideRow> {
    let PerformanceComparison { success_rate_change, duration_improvement, p95_improvement, .. } = performance;
    let points = success_rate_change.map(|change| signed(change, "points better", "points worse"));
    let faster = |change: Option<f64>| change.map(|change| signed(change, "% faster", "% slower"));
    let rows: [(&str, Figure, Option<Signed>); 8] = [
        ("calls", |side| Some(words::thousands(side.calls)), None),
        ("calls a second", |side| side.calls_per_second.map(|calls| format!("{calls:.1}")), None),
        ("failed", |side| Some(words::thousands(side.failed)), None),
        ("success rate", |side| side.success_rate.map(words::share), points),
        ("average", |side| side.mean.map(nanos), faster(*duration_improvement)),
        ("p50", |side| side.p50.map(nanos), None),
        ("p95", |side| side.p95.map(nanos), faster(*p95_improvement)),
        ("p99", |side| side.p99.map(nanos), None),
    ];
    let sides = (&performance.legacy, &performance.new);
    let row = |(name, figure, change): (&str, Figure, Option<Signed>)| {
        let (legacy, new) = (plain(figure(sides.0)), plain(figure(sides.1)));
        SideRow::of(name.to_owned(), legacy, new, change)
    };
    let throughput =
        performance.throughput_improvement.map(|change| signed(change, "% more complete", "% fewer complete"));
    let completed = |side: &SidePerformance| plain(Some(words::thousands(side.calls.saturating_sub(side.overdue))));
    let completed = SideRow::of("completed".to_owned(), completed(sides.0), completed(sides.1), throughput);
    let quality = performance.quality.iter().map(|metric| {
        let number = |value: Option<f64>| plain(value.map(|value| format!("{value:.3}")));
        let change = metric.improvement.map(|change| signed(change, "% larger", "% smaller"));
        SideRow::of(words::shown(&metric.name), number(metric.legacy), number(metric.new), change)
    });
    rows.into_iter().map(row).chain([completed]).chain(quality).collect()
}

impl SideRow {
    fn of(name: String, legacy: Cell, new: Cell, change: Option<Signed>) -> Self {
        let (tone, change) = change.map_or(("", String::new()), |change| (change.tone, change.text));
        Self { name, legacy, new, tone, change }
    }
}

struct Signed {
    tone: &'static str,
    text: String,
}

/// A change in hundredths, of which positive is better.
fn signed(change: f64, better: &str, worse: &str) -> Signed {
    let hundredths = change * 100.0;
    let number = words::trimmed(&format!("{:.1}", hundredths.abs()));
    if number == "0" {
        return Signed { tone: "", text: "the same".to_owned() };
    }
    let (tone, word) = if hundredths > 0.0 { ("better", better) } else { ("worse", worse) };
    Signed { tone, text: format!("{number} {word}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_change_says_that_new_is_better() {
        let texts = [0.102, -0.5, 0.0004].map(|change| {
            let Signed { tone, text } = signed(change, "% faster", "% slower");
            format!("{tone}: {text}")
        });
        assert_eq!(texts, ["better: 10.2 % faster", "worse: 50 % slower", ": the same"]);
    }
}
