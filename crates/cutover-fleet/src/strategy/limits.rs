//! [`Limits`]: what is too bad while new is watched.

use serde::{Deserialize, Serialize};

/// What is too bad while new is watched, and what has to hold at the end. The sign of every change: `+0.10` of a latency is
/// slower by a tenth and worse, `+0.10` of a throughput is more by a tenth and better.
///
/// ```
/// use cutover_fleet::Limits;
///
/// let strict: Limits = serde_json::from_str(r#"{ "error_rate": 0.01 }"#)?;
/// assert_eq!((strict.error_rate, strict.latency_change_at_most), (0.01, 0.10));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Limits {
    /// After so many looks in a row that found new unhealthy, it goes back. The default is 3; 1 to 1000.
    pub unhealthy_looks: u32,
    /// New goes back when it is proven that a larger share of its calls fails, with at most one false alarm among 100 watches
    /// ([`Bernoulli`](cutover::stats::Bernoulli)). The default is 0.05; between 0 and 1.
    pub error_rate: f64,
    /// New goes back when its p95 is longer than that of legacy by this factor in as many looks in a row as with
    /// `unhealthy_looks`. The default is 2; more than 1.
    pub p95_factor: f64,
    /// New goes back when, with all traffic, it does less than this part of what legacy did, in as many looks in a row. The
    /// default is 0.5; 0 to 1.
    pub throughput_factor: f64,
    /// The most that the p95 may have changed against legacy at the end of a watch: plus is slower. The default is +0.10;
    /// 0 to 10.
    pub latency_change_at_most: f64,
    /// The least that the throughput must have changed against legacy at the end of the watch with all traffic: minus is
    /// less. The default is -0.05; -1 to 0.
    pub throughput_change_at_least: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            unhealthy_looks: 3,
            error_rate: 0.05,
            p95_factor: 2.0,
            throughput_factor: 0.5,
            latency_change_at_most: 0.10,
            throughput_change_at_least: -0.05,
        }
    }
}

impl Limits {
    /// The first that is out of range: its name, its value and what is allowed.
    pub(crate) fn out_of_range(&self) -> Option<(&'static str, f64, &'static str)> {
        let Self { unhealthy_looks, error_rate, p95_factor, throughput_factor, .. } = *self;
        let Self { latency_change_at_most: latency, throughput_change_at_least: throughput, .. } = *self;
        let checks = [
            ("unhealthy_looks", f64::from(unhealthy_looks), (1..=1000).contains(&unhealthy_looks), "1 to 1000"),
            ("error_rate", error_rate, error_rate > 0.0 && error_rate < 1.0, "more than 0 and less than 1"),
            ("p95_factor", p95_factor, p95_factor > 1.0 && p95_factor.is_finite(), "more than 1"),
            ("throughput_factor", throughput_factor, (0.0..=1.0).contains(&throughput_factor), "0 to 1"),
            ("latency_change_at_most", latency, (0.0..=10.0).contains(&latency), "0 to 10 (plus is slower)"),
            ("throughput_change_at_least", throughput, (-1.0..=0.0).contains(&throughput), "-1 to 0 (minus is less)"),
        ];
        checks.into_iter().find(|check| !check.2).map(|(name, value, _, allowed)| (name, value, allowed))
    }
}
