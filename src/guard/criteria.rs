//! [`PromotionCriteria`]: what has to be proven before new is promoted.

use serde::{Deserialize, Serialize};

use super::{Criterion, GuardError};

/// What has to be proven before new is promoted. What is not proven holds, however good it looks.
///
/// The default, with the sign of every change:
///
/// | criterion | has to be proven | sign |
/// |---|---|---|
/// | validation | at least 0.8 of the comparisons match | more is better |
/// | throughput | the change is at least -0.05: of the calls of new, at least 95 % come to an end in time. Those that were given up after a long time did not | plus is better, minus is worse |
/// | latency | the p95 changes by at most +0.10: it is at most 10 % longer than that of legacy | plus is slower and worse, minus is faster |
///
/// None of them looks at errors: a call that fails fast has come to an end. That is the business of the error rate among the
/// [`RollbackTriggers`](super::RollbackTriggers). With its default limit of 5 %, a new side that fails in 4 % of its calls is
/// promoted; a limit of 2 % takes it back.
///
/// In a phase, a criterion that is not kept is ever taken for proven with a probability of at most 5 %, however often
/// somebody looks. Where all three are asked for, a wrong promotion is no more probable: whatever is wrong with new, the proof
/// of that criterion had to be wrong. What was proven and is not kept lately holds, until it is kept again.
///
/// ```
/// use cutover::guard::PromotionCriteria;
///
/// let strict = PromotionCriteria::builder().validation_at_least(0.999).p95_change_at_most(0.05).build()?;
/// assert_eq!(strict.throughput_change_at_least(), -0.05);
///
/// // A "change" of +50 % for the better is not what latency is about: 0.5 would be 50 % slower.
/// let refused = PromotionCriteria::builder().throughput_change_at_least(0.05).build().unwrap_err();
/// assert_eq!(
///     refused.to_string(),
///     "the criterion `throughput` is 0.05; allowed: -0.9 to -0.0001 (minus is worse than legacy)",
/// );
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(try_from = "Raw", into = "Raw")]
pub struct PromotionCriteria {
    raw: Raw,
}

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Raw {
    validation_at_least: f64,
    throughput_change_at_least: f64,
    p95_change_at_most: f64,
    alpha: f64,
}

impl Default for Raw {
    fn default() -> Self {
        Self { validation_at_least: 0.8, throughput_change_at_least: -0.05, p95_change_at_most: 0.10, alpha: 0.05 }
    }
}

impl From<PromotionCriteria> for Raw {
    fn from(criteria: PromotionCriteria) -> Self {
        criteria.raw
    }
}

impl TryFrom<Raw> for PromotionCriteria {
    type Error = GuardError;

    fn try_from(raw: Raw) -> Result<Self, GuardError> {
        let refuse = |criterion, value, allowed| Err(GuardError::Criterion { criterion, value, allowed });
        if !(0.1..=0.9999).contains(&raw.validation_at_least) {
            return refuse(Criterion::Validation, raw.validation_at_least, "0.1 to 0.9999");
        }
        if !(-0.9..=-0.0001).contains(&raw.throughput_change_at_least) {
            let allowed = "-0.9 to -0.0001 (minus is worse than legacy)";
            return refuse(Criterion::Throughput, raw.throughput_change_at_least, allowed);
        }
        if !(0.0..=1.0).contains(&raw.p95_change_at_most) {
            return refuse(Criterion::Latency, raw.p95_change_at_most, "0 to 1 (plus is slower than legacy)");
        }
        if !(raw.alpha > 0.0 && raw.alpha <= 0.5) {
            return Err(GuardError::Alpha { value: raw.alpha });
        }
        Ok(Self { raw })
    }
}

impl PromotionCriteria {
    /// Builds other criteria than the default.
    pub fn builder() -> PromotionCriteriaBuilder {
        PromotionCriteriaBuilder { raw: Raw::default() }
    }

    /// Which share of the comparisons has to match, from 0 to 1.
    #[must_use]
    pub const fn validation_at_least(&self) -> f64 {
        self.raw.validation_at_least
    }

    /// How throughput may change at worst: -0.05 is 5 % less than legacy. It is never positive.
    #[must_use]
    pub const fn throughput_change_at_least(&self) -> f64 {
        self.raw.throughput_change_at_least
    }

    /// How the p95 may change at worst: +0.10 is 10 % *slower* than legacy. It is never negative.
    ///
    /// The monitor counts the calls that are slower than that, so it has to be built with the same number, as
    /// [`promotion_factor`](crate::monitor::PerformanceMonitorBuilder::promotion_factor). With another one nothing is proven,
    /// and the report says so.
    #[must_use]
    pub const fn p95_change_at_most(&self) -> f64 {
        self.raw.p95_change_at_most
    }

    /// The probability that a criterion that is not kept is ever taken for proven, from 0 to 1.
    #[must_use]
    pub const fn alpha(&self) -> f64 {
        self.raw.alpha
    }

    /// Which share of bad events has to be proven not to be reached.
    pub(super) fn bad_share(&self, criterion: Criterion) -> f64 {
        match criterion {
            Criterion::Validation => 1.0 - self.raw.validation_at_least,
            Criterion::Throughput => -self.raw.throughput_change_at_least,
            Criterion::Latency => SLOW,
        }
    }
}

/// Beyond a p95 are 5 % of the calls.
pub(super) const SLOW: f64 = 0.05;

/// Builds [`PromotionCriteria`], from the default.
#[derive(Debug, Clone)]
#[must_use = "a builder does nothing until it builds"]
pub struct PromotionCriteriaBuilder {
    raw: Raw,
}

impl PromotionCriteriaBuilder {
    /// See [`PromotionCriteria::validation_at_least`]. The default is 0.8.
    pub fn validation_at_least(mut self, share: f64) -> Self {
        self.raw.validation_at_least = share;
        self
    }

    /// See [`PromotionCriteria::throughput_change_at_least`]. The default is -0.05.
    pub fn throughput_change_at_least(mut self, change: f64) -> Self {
        self.raw.throughput_change_at_least = change;
        self
    }

    /// See [`PromotionCriteria::p95_change_at_most`]. The default is +0.10.
    pub fn p95_change_at_most(mut self, change: f64) -> Self {
        self.raw.p95_change_at_most = change;
        self
    }

    /// See [`PromotionCriteria::alpha`]. The default is 0.05.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.raw.alpha = alpha;
        self
    }

    /// The criteria.
    ///
    /// # Errors
    /// [`GuardError`] names the first value that is out of range.
    pub fn build(self) -> Result<PromotionCriteria, GuardError> {
        self.raw.try_into()
    }
}
