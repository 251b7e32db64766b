//! Lines of charts, with gaps where there is no data.

use cutover::guard::Trigger;

use super::axis::{Scale, Unit};
use super::fold::Column;
use super::{Chart, Number, Spec, TOP, Tick, Time, WIDTH};

/// A line: the stretches between gaps, and single points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Line {
    /// How it is drawn: `legacy`, `new` or `trigger-..`; differs in more than its colour.
    pub(crate) class: &'static str,
    pub(crate) name: String,
    /// For `<polyline points>`.
    pub(crate) stretches: Vec<String>,
    /// Points with a gap on either side: percent of the width, and pixels from above.
    pub(crate) dots: Vec<(Number, Number)>,
    /// Its last value, if there is one now.
    pub(crate) latest: Option<String>,
    pub(crate) sentence: String,
}

impl Line {
    pub(super) fn draw(
        class: &'static str,
        name: String,
        columns: &[Column],
        pick: impl Fn(&Column) -> Option<f64>,
        scale: &Scale,
        time: &Time,
        unit: Unit,
    ) -> Self {
        let value = |column: &Column| pick(column).filter(|value| value.is_finite());
        let mut line = Self {
            class,
            latest: columns.last().and_then(value).map(|value| unit.text(value)),
            sentence: sentence(&name, columns.iter().filter_map(value), unit),
            name,
            stretches: Vec::new(),
            dots: Vec::new(),
        };
        for stretch in stretches(columns, value, time) {
            line.add(&stretch, scale, time);
        }
        line
    }

    fn add(&mut self, stretch: &[(u64, f64)], scale: &Scale, time: &Time) {
        if let [(at, value)] = stretch {
            self.dots.push((time.percent(*at), Number(TOP + scale.y(*value))));
            return;
        }
        let place =
            |(at, value): &(u64, f64)| format!("{},{}", Number(WIDTH * time.share(*at)), Number(scale.y(*value)));
        self.stretches.push(stretch.iter().map(place).collect::<Vec<_>>().join(" "));
    }
}

/// The columns that follow each other without a gap.
fn stretches(columns: &[Column], value: impl Fn(&Column) -> Option<f64>, time: &Time) -> Vec<Vec<(u64, f64)>> {
    let mut all: Vec<Vec<(u64, f64)>> = Vec::new();
    let mut before: Option<u64> = None;
    for column in columns {
        let Some(value) = value(column) else {
            before = None;
            continue;
        };
        let follows = before.is_some_and(|before| !time.is_gap(before, column.at, column.points));
        match all.last_mut().filter(|_| follows) {
            Some(stretch) => stretch.push((column.at, value)),
            None => all.push(vec![(column.at, value)]),
        }
        before = Some(column.at);
    }
    all
}

fn sentence(name: &str, values: impl Iterator<Item = f64>, unit: Unit) -> String {
    let (mut low, mut high, mut last) = (f64::INFINITY, f64::NEG_INFINITY, None);
    for value in values {
        (low, high, last) = (low.min(value), high.max(value), Some(value));
    }
    let text = |value| unit.text(value);
    last.map_or_else(
        || format!("{name}: no data."),
        |last| format!("{name}: from {} to {}, last {}.", text(low), text(high), text(last)),
    )
}

/// The charts with a line for each side, and that of both together.
pub(super) const SPECS: [Spec; 5] = [
    Spec {
        id: "success",
        title: "Success rate",
        unit: Unit::Share,
        lines: &[("legacy", "legacy", |column| column.legacy.success), ("new", "new", |column| column.new.success)],
        scale: Scale::below_one,
    },
    Spec {
        id: "mismatch",
        title: "Mismatch rate",
        unit: Unit::Share,
        lines: &[("new", "answers that disagree", |column| column.mismatch)],
        scale: Scale::above_zero,
    },
    Spec {
        id: "p50",
        title: "Duration, p50",
        unit: Unit::Nanos,
        lines: &[("legacy", "legacy", |column| column.legacy.p50), ("new", "new", |column| column.new.p50)],
        scale: Scale::durations,
    },
    Spec {
        id: "p95",
        title: "Duration, p95",
        unit: Unit::Nanos,
        lines: &[("legacy", "legacy", |column| column.legacy.p95), ("new", "new", |column| column.new.p95)],
        scale: Scale::durations,
    },
    Spec {
        id: "p99",
        title: "Duration, p99",
        unit: Unit::Nanos,
        lines: &[("legacy", "legacy", |column| column.legacy.p99), ("new", "new", |column| column.new.p99)],
        scale: Scale::durations,
    },
];

/// How far each trigger is on the way to its threshold.
pub(super) fn evidence(columns: &[Column], time: &Time) -> Chart {
    let scale = Scale::evidence();
    let of =
        |trigger| move |column: &Column| column.evidence.iter().find(|(of, _)| *of == trigger).map(|(_, share)| *share);
    let seen = Trigger::ALL.into_iter().filter(|trigger| columns.iter().any(|column| of(*trigger)(column).is_some()));
    let draw = |trigger: Trigger| {
        Line::draw(class(trigger), trigger.to_string(), columns, of(trigger), &scale, time, Unit::Share)
    };
    let lines: Vec<Line> = seen.map(draw).collect();
    let sentences: Vec<&str> = lines.iter().map(|line| line.sentence.as_str()).collect();
    let description =
        format!("How far each trigger is on the way to its threshold, which is 100 %. {}", sentences.join(" "));
    Chart {
        id: "evidence",
        title: "Evidence against new",
        description,
        has_data: !lines.is_empty(),
        lines,
        y_ticks: scale.ticks(Unit::Share),
        x_ticks: time.ticks(),
        threshold: Some(Tick { at: scale.pixel(1.0), label: "the guard acts".to_owned() }),
    }
}

const fn class(trigger: Trigger) -> &'static str {
    match trigger {
        Trigger::Validation => "trigger-validation",
        Trigger::ErrorRate => "trigger-error-rate",
        Trigger::P95 => "trigger-p95",
        Trigger::Throughput => "trigger-throughput",
        Trigger::Health => "trigger-health",
        Trigger::AverageDuration | _ => "trigger-other",
    }
}
