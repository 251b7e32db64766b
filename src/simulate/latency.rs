//! [`Latency`]: how long calls take.

use std::time::Duration;

use super::SideModel;

/// Durations whose logarithm is normal.
#[derive(Debug, Clone, Copy)]
pub(super) struct Latency {
    ln_median: f64,
    sigma: f64,
}

impl Latency {
    pub(super) fn of(side: &SideModel) -> Self {
        Self { ln_median: libm::log(side.median.as_secs_f64()), sigma: side.sigma }
    }

    /// The share of calls that take longer than `limit`, when all take `factor` times as long as usual.
    pub(super) fn longer_than(&self, limit: Duration, factor: f64) -> f64 {
        let deviations = (libm::log(limit.as_secs_f64() / factor) - self.ln_median) / self.sigma;
        upper_tail(deviations)
    }

    /// The duration that a share of `1 - p` of the calls exceeds.
    pub(super) fn quantile(&self, p: f64) -> Duration {
        let (mut below, mut above) = (-9.0, 9.0);
        for _ in 0..64 {
            let middle = f64::midpoint(below, above);
            let half = if upper_tail(middle) > 1.0 - p { &mut below } else { &mut above };
            *half = middle;
        }
        seconds(libm::exp(self.ln_median + self.sigma * below))
    }

    pub(super) fn mean(&self, factor: f64) -> Duration {
        seconds(libm::exp(self.ln_median + self.sigma * self.sigma / 2.0) * factor)
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

/// The probability that a standard normal variable is larger.
fn upper_tail(deviations: f64) -> f64 {
    0.5 * libm::erfc(deviations / std::f64::consts::SQRT_2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_and_tails_are_those_of_the_lognormal_distribution() {
        let latency = Latency::of(&SideModel { median: Duration::from_millis(20), sigma: 1.0, failure_rate: 0.0 });
        assert!((latency.quantile(0.5).as_secs_f64() - 0.02).abs() < 1e-9);
        // exp(1.644854) = 5.180252
        assert!((latency.quantile(0.95).as_secs_f64() - 0.02 * 5.180_252).abs() < 1e-6);
        assert!((latency.longer_than(latency.quantile(0.95), 1.0) - 0.05).abs() < 1e-9);
        // P(Z > 1.644854 - ln 2) = P(Z > 0.951707) = 0.170624
        assert!((latency.longer_than(latency.quantile(0.95), 2.0) - 0.170_624).abs() < 1e-4);
        assert!((latency.mean(1.0).as_secs_f64() - 0.02 * 0.5_f64.exp()).abs() < 1e-9);
    }
}
