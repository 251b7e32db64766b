//! Named measures of how good the answers are, which the host judges.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};

use crate::excerpt::excerpt;
use crate::outcome::Side;

/// The values of one side.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a sum and a number have nothing to add")]
pub struct Values {
    /// How many values were recorded.
    pub count: u64,
    /// Their sum, which stops at the largest and the smallest number there is.
    pub sum: f64,
}

/// A sum of numbers as large as they can be is the largest number: it can be written, and read again.
const fn finite(sum: f64) -> f64 {
    sum.clamp(f64::MIN, f64::MAX)
}

impl Values {
    /// The average value; `None` without one.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an average of more than 2^53 values")]
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then(|| self.sum / self.count as f64)
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { count: self.count.saturating_add(other.count), sum: finite(self.sum + other.sum) }
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        let count = self.count.saturating_sub(earlier.count);
        Self { count, sum: if count > 0 { finite(self.sum - earlier.sum) } else { 0.0 } }
    }
}

/// One metric that the host declared, of both sides, in the present phase.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::exhaustive_structs, reason = "a migration has exactly two sides")]
pub struct QualityValues {
    /// The name of the metric. A larger value is better.
    pub name: String,
    /// What legacy achieved.
    pub legacy: Values,
    /// What new achieved.
    pub new: Values,
}

/// A value of a quality metric was refused; nothing was recorded.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum QualityError {
    /// No metric has this name.
    #[error("there is no quality metric `{name}`; declared: {declared}")]
    Unknown {
        /// The name, at most 40 characters of it.
        name: String,
        /// The names of those that were declared.
        declared: String,
    },
    /// The value is not a number or not finite.
    #[error("{value} is no value of the quality metric `{name}`; allowed: finite numbers")]
    NotFinite {
        /// The name of the metric.
        name: String,
        /// The value.
        value: f64,
    },
}

/// The metrics of a monitor, since it was made.
#[derive(Debug, Default)]
pub(super) struct Qualities(Box<[Metric]>);

#[derive(Debug)]
struct Metric {
    name: Box<str>,
    sides: [Sum; 2],
}

/// A count and the bits of a floating-point sum.
#[derive(Debug, Default)]
struct Sum {
    count: AtomicU64,
    bits: AtomicU64,
}

impl Sum {
    fn add(&self, value: f64) {
        let added = |bits| Some(finite(f64::from_bits(bits) + value).to_bits());
        self.bits.fetch_update(Ordering::Relaxed, Ordering::Relaxed, added).ok();
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn get(&self) -> Values {
        Values { count: self.count.load(Ordering::Relaxed), sum: f64::from_bits(self.bits.load(Ordering::Relaxed)) }
    }
}

impl Qualities {
    pub(super) fn new(names: Vec<String>) -> Self {
        Self(names.into_iter().map(|name| Metric { name: name.into(), sides: Default::default() }).collect())
    }

    pub(super) const fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn record(&self, name: &str, side: Side, value: f64) -> Result<(), QualityError> {
        let Some(metric) = self.0.iter().find(|metric| *metric.name == *name) else {
            return Err(QualityError::Unknown { name: excerpt(name), declared: self.names() });
        };
        if !value.is_finite() {
            return Err(QualityError::NotFinite { name: name.to_owned(), value });
        }
        if let Some(sum) = metric.sides.get(side as usize) {
            sum.add(value);
        }
        Ok(())
    }

    fn names(&self) -> String {
        if self.0.is_empty() {
            return "none".to_owned();
        }
        self.0.iter().map(|metric| format!("`{}`", metric.name)).collect::<Vec<_>>().join(", ")
    }

    /// The sums of both sides, metric by metric.
    pub(super) fn sums(&self) -> impl Iterator<Item = [Values; 2]> {
        self.0.iter().map(|metric| metric.sides.each_ref().map(Sum::get))
    }

    /// What was recorded since these sums.
    pub(super) fn since(&self, base: &[[Values; 2]]) -> Vec<QualityValues> {
        let metrics = self.0.iter().zip(self.sums()).zip(base);
        let since = |((metric, now), before): ((&Metric, [Values; 2]), &[Values; 2])| {
            let ([legacy, new], [legacy_before, new_before]) = (now, *before);
            let (legacy, new) = (legacy.since(legacy_before), new.since(new_before));
            QualityValues { name: metric.name.to_string(), legacy, new }
        };
        metrics.map(since).collect()
    }
}
