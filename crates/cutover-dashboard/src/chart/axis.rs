//! Axes with round ticks.

use std::time::Duration;

use super::{HEIGHT, Number, TOP, Tick};
use crate::pages::words;

/// What the numbers of an axis are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unit {
    /// From 0 to 1, shown in percent.
    Share,
    Nanos,
}

impl Unit {
    pub(super) fn text(self, value: f64) -> String {
        match self {
            Self::Share => words::share(value),
            Self::Nanos => words::duration(value),
        }
    }
}

/// An axis upwards, from one round number to another.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Scale {
    pub(super) low: f64,
    pub(super) high: f64,
    step: f64,
}

impl Scale {
    /// From a round number at or below `low` to one at or above `high`, with about three steps between them.
    pub(super) fn around(low: f64, high: f64) -> Self {
        let (low, high) = if low.is_finite() && high.is_finite() && high > low { (low, high) } else { (0.0, 1.0) };
        let step = round_step((high - low) / 3.0);
        Self { low: (low / step + ROUNDING).floor() * step, high: (high / step - ROUNDING).ceil() * step, step }
    }

    /// Downwards from 1, for rates that should be there.
    pub(super) fn below_one(least: f64, _most: f64) -> Self {
        let depth = (1.0 - least).clamp(0.019, 1.0);
        let Self { high, step, .. } = Self::around(0.0, depth);
        Self { low: (1.0 - high).max(0.0), high: 1.0, step }
    }

    /// Upwards from 0, for rates that should not be there.
    pub(super) fn above_zero(_least: f64, most: f64) -> Self {
        let scale = Self::around(0.0, most.clamp(0.019, 1.0));
        Self { high: scale.high.min(1.0), ..scale }
    }

    pub(super) fn durations(_least: f64, most: f64) -> Self {
        Self::around(0.0, if most > 0.0 { most } else { 10e6 })
    }

    /// Evidence up to its threshold, which is 1, and a little more.
    pub(super) const fn evidence() -> Self {
        Self { low: 0.0, high: 1.25, step: 0.5 }
    }

    /// The distance from below, from 0 to 1.
    fn share(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low)).clamp(0.0, 1.0)
    }

    /// The height of `value` in the coordinates of lines: 0 is above.
    pub(super) fn y(&self, value: f64) -> f64 {
        HEIGHT * (1.0 - self.share(value))
    }

    /// The same in pixels of the whole chart.
    pub(super) fn pixel(&self, value: f64) -> Number {
        Number(TOP + self.y(value))
    }

    pub(super) fn ticks(&self, unit: Unit) -> Vec<Tick> {
        // Downwards from 1 the steps begin there, else at the lowest number.
        let count = ((self.high - self.low) / self.step + ROUNDING).floor();
        let (from, direction) = if self.low > 0.0 { (self.high, -1.0) } else { (self.low, 1.0) };
        let values = (0..12_u32).map(f64::from).take_while(|number| *number <= count);
        let tick = |number: f64| {
            let value = from + direction * number * self.step;
            Tick { at: self.pixel(value), label: unit.text(clean(value, self.step)) }
        };
        let mut ticks: Vec<Tick> = values.map(tick).collect();
        if direction < 0.0 {
            ticks.reverse();
        }
        ticks
    }
}

/// What a sum of steps may be off, as a share of a step.
const ROUNDING: f64 = 1e-9;

/// `value` without what arithmetic added to it.
fn clean(value: f64, step: f64) -> f64 {
    let unit = step / 10.0;
    let rounded = (value / unit).round() * unit;
    // A unit such as 0.001 is not exact, and neither are its multiples.
    (rounded * 1e9).round() / 1e9
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    let times = step / power;
    let round = [1.0, 2.0, 5.0].into_iter().find(|round| times <= round + ROUNDING).unwrap_or(10.0);
    round * power
}

/// Steps of time that people count in, in seconds.
const STEPS: [u64; 15] = [10, 20, 30, 60, 120, 300, 600, 900, 1_200, 1_800, 3_600, 7_200, 14_400, 28_800, 86_400];

/// Round moments before now, oldest first: how many milliseconds back, and their labels.
pub(super) fn back_from_now(window: Duration) -> Vec<(u64, String)> {
    let seconds = window.as_secs();
    let step = STEPS.into_iter().find(|step| seconds / step <= 3);
    let step = step.unwrap_or_else(|| (seconds / 3).div_ceil(86_400).max(1) * 86_400);
    let label =
        |back: u64| if back == 0 { "now".to_owned() } else { format!("−{}", words::span(Duration::from_secs(back))) };
    (0..=seconds / step).rev().map(|number| (number * step * 1_000, label(number * step))).collect()
}
