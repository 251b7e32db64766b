//! Charts of a [`Series`]: pure geometry, which a template draws as SVG.
//!
//! Positions along the time axis are shares of the width in percent, so that a chart fills any page while its texts keep
//! their size; heights are pixels.

mod axis;
mod fold;
mod lines;
mod marks;
#[cfg(test)]
mod tests;

use crate::view::Series;
use fold::Column;
use lines::Line;
use marks::Mark;

use axis::{Scale, Unit};

/// All charts of a migration, with what is common to them.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Charts {
    pub(crate) all: Vec<Chart>,
    /// What changed in the time that they show.
    pub(crate) marks: Vec<Mark>,
    /// The same as a table, newest first.
    pub(crate) rows: Vec<Row>,
    /// The time that one row of the table stands for, in words.
    pub(crate) row_span: String,
    /// The whole time, in words.
    pub(crate) window: String,
}

/// One chart.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Chart {
    /// Unique in a page, for references.
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    /// What it shows, in sentences, for those who do not see it.
    pub(crate) description: String,
    pub(crate) lines: Vec<Line>,
    pub(crate) y_ticks: Vec<Tick>,
    pub(crate) x_ticks: Vec<Tick>,
    /// Where the line is that means something by itself: the height and its name.
    pub(crate) threshold: Option<Tick>,
    pub(crate) has_data: bool,
}

/// A place on an axis and its label.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tick {
    pub(crate) at: Number,
    pub(crate) label: String,
}

/// A coordinate; it is written with at most two decimals.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub(crate) struct Number(pub(crate) f64);

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&crate::pages::words::trimmed(&format!("{:.2}", self.0)))
    }
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) time: String,
    pub(crate) mode: String,
    /// Success rate, p50, p95, p99: legacy, then new.
    pub(crate) cells: Vec<String>,
    pub(crate) mismatch: String,
    pub(crate) evidence: String,
}

/// The height of the part in which lines are drawn, in pixels and in units of its own coordinates.
pub(crate) const HEIGHT: f64 = 120.0;
/// The width of that part in units of its own coordinates.
pub(crate) const WIDTH: f64 = 1_000.0;
/// Where it begins, in percent of the width of the chart, and how wide it is.
pub(crate) const LEFT: f64 = 14.0;
pub(crate) const SPAN: f64 = 84.0;
/// Where it begins, in pixels from above.
pub(crate) const TOP: f64 = 16.0;

/// The most points that a line has.
const COLUMNS: usize = 240;
/// The most rows that the table has.
const ROWS: usize = 40;

impl Charts {
    /// The charts of `series`; `None` if nothing was sampled yet.
    pub(crate) fn of(series: &Series) -> Option<Self> {
        let time = Time::of(series)?;
        let columns = fold::fold(series, COLUMNS);
        let draw = |spec: &Spec| spec.draw(&columns, &time);
        let all = lines::SPECS.iter().map(draw).chain([lines::evidence(&columns, &time)]).collect();
        let rows = fold::fold(series, ROWS);
        let per_row = series.points.len().div_ceil(ROWS).max(1);
        let row_span = crate::pages::words::span(time.every * u32::try_from(per_row).unwrap_or(u32::MAX));
        let window = crate::pages::words::span(time.window());
        let marks = marks::marks(series, &time);
        Some(Self { all, marks, rows: rows.iter().rev().map(Row::of).collect(), row_span, window })
    }
}

impl Chart {
    /// The chart with this title; they are always all there.
    #[cfg(test)]
    fn named<'a>(charts: &'a Charts, id: &str) -> &'a Self {
        charts.all.iter().find(|chart| chart.id == id).unwrap()
    }
}

/// The axis of time that all charts share.
#[derive(Debug, Clone, PartialEq)]
struct Time {
    every: std::time::Duration,
    first: u64,
    last: u64,
}

/// A chart is at least that many points wide, so that the first ones do not fill it.
const LEAST_POINTS: u64 = 24;

impl Time {
    fn of(series: &Series) -> Option<Self> {
        let (first, last) = (series.points.first()?.at, series.points.last()?.at);
        let every = std::time::Duration::from_nanos(series.every).max(std::time::Duration::from_millis(1));
        let narrowest = u64::try_from(every.as_millis()).unwrap_or(u64::MAX).saturating_mul(LEAST_POINTS);
        let last = last.max(first);
        let first = first.min(last.saturating_sub(narrowest));
        // A clock that stands at 1970 leaves no room before it.
        Some(Self { every, first, last: last.max(first.saturating_add(1)) })
    }

    fn window(&self) -> std::time::Duration {
        std::time::Duration::from_millis(self.last - self.first)
    }

    /// From 0 to 1.
    fn share(&self, at: u64) -> f64 {
        let whole = float(self.last - self.first);
        (float(at.saturating_sub(self.first)) / whole).clamp(0.0, 1.0)
    }

    fn percent(&self, at: u64) -> Number {
        Number(LEFT + SPAN * self.share(at))
    }

    /// Whether nothing was sampled between two points that follow each other.
    fn is_gap(&self, from: u64, to: u64, points: usize) -> bool {
        let longest = self.every.as_millis() * 5 / 2 * u128::try_from(points.max(1)).unwrap_or(1);
        u128::from(to.saturating_sub(from)) > longest.max(1)
    }

    fn ticks(&self) -> Vec<Tick> {
        axis::back_from_now(self.window())
            .into_iter()
            .map(|(back, label)| Tick { at: self.percent(self.last.saturating_sub(back)), label })
            .collect()
    }
}

/// A line: its class, its name and what it shows of a column.
type LineSpec = (&'static str, &'static str, fn(&Column) -> Option<f64>);

/// What a chart with a line for each side shows.
struct Spec {
    id: &'static str,
    title: &'static str,
    unit: Unit,
    lines: &'static [LineSpec],
    scale: fn(f64, f64) -> Scale,
}

impl Spec {
    fn draw(&self, columns: &[Column], time: &Time) -> Chart {
        let values = || {
            let of_line = |(_, _, pick): &LineSpec| columns.iter().filter_map(*pick);
            self.lines.iter().flat_map(of_line).filter(|value| value.is_finite())
        };
        let has_data = values().next().is_some();
        let (least, most) = values().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), v| (a.min(v), b.max(v)));
        let scale = if has_data { (self.scale)(least, most) } else { (self.scale)(1.0, 0.0) };
        let draw = |(class, name, pick): &LineSpec| {
            Line::draw(class, (*name).to_owned(), columns, pick, &scale, time, self.unit)
        };
        let lines: Vec<Line> = self.lines.iter().map(draw).collect();
        let description = lines.iter().map(|line| line.sentence.clone()).collect::<Vec<_>>().join(" ");
        Chart {
            id: self.id,
            title: self.title,
            description,
            lines,
            y_ticks: scale.ticks(self.unit),
            x_ticks: time.ticks(),
            threshold: None,
            has_data,
        }
    }
}

impl Row {
    fn of(column: &Column) -> Self {
        let cell = |value: Option<f64>, unit: Unit| value.map_or_else(|| "–".to_owned(), |value| unit.text(value));
        let Column { legacy, new, .. } = column;
        let both = |pick: fn(&fold::SideColumn) -> Option<f64>, unit| [cell(pick(legacy), unit), cell(pick(new), unit)];
        let cells = [
            both(|side| side.success, Unit::Share),
            both(|side| side.p50, Unit::Nanos),
            both(|side| side.p95, Unit::Nanos),
            both(|side| side.p99, Unit::Nanos),
        ];
        let strongest = column.evidence.iter().max_by(|one, other| one.1.total_cmp(&other.1));
        Self {
            time: crate::pages::words::When::clock(column.at),
            mode: marks::words(column.mode, column.rollout),
            cells: cells.into_iter().flatten().collect(),
            mismatch: cell(column.mismatch, Unit::Share),
            evidence: strongest
                .map_or_else(|| "–".to_owned(), |(trigger, share)| format!("{} {trigger}", Unit::Share.text(*share))),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a window, and counts to look at")]
pub(crate) const fn float(count: u64) -> f64 {
    count as f64
}
