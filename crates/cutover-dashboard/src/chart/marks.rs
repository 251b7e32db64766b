//! Marks where settings changed.

use cutover::SystemMode;

use super::{Number, Time};
use crate::pages::words;
use crate::view::{Point, Series};

/// A change between two points.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Mark {
    /// From 1, in the order of time.
    pub(crate) number: usize,
    /// In percent of the width.
    pub(crate) at: Number,
    /// Whether there is room for its number.
    pub(crate) has_label: bool,
    pub(crate) time: String,
    pub(crate) text: String,
}

/// The least distance between two numbers, in percent of the width.
const ROOM: f64 = 5.0;

pub(super) fn marks(series: &Series, time: &Time) -> Vec<Mark> {
    let mut marks: Vec<Mark> = Vec::new();
    let mut labelled = f64::NEG_INFINITY;
    let pairs = series.points.iter().zip(series.points.iter().skip(1));
    for (before, point) in pairs.filter(|(before, point)| differs(before, point)) {
        let at = time.percent(point.at);
        let has_label = at.0 - labelled >= ROOM;
        labelled = if has_label { at.0 } else { labelled };
        let text = text(before, point);
        marks.push(Mark { number: marks.len() + 1, at, has_label, time: words::When::clock(point.at), text });
    }
    marks
}

fn differs(before: &Point, point: &Point) -> bool {
    before.epoch != point.epoch || settings_differ(before, point)
}

fn settings_differ(before: &Point, point: &Point) -> bool {
    before.mode != point.mode || before.rollout.to_bits() != point.rollout.to_bits()
}

fn text(before: &Point, point: &Point) -> String {
    let now = words(point.mode, point.rollout);
    if settings_differ(before, point) {
        format!("{} → {now}, epoch {}", words(before.mode, before.rollout), point.epoch)
    } else {
        format!("epoch {}, still {now}", point.epoch)
    }
}

pub(super) fn words(mode: SystemMode, rollout: f64) -> String {
    let name = words::mode(mode).name;
    if mode == SystemMode::GradualRollout { format!("{name}, {rollout} %") } else { name.to_owned() }
}
