//! [`spend`]: an error budget over phases without end.

use super::to_float;

/// What phase `k` may spend of `alpha`: `alpha * 6 / (pi^2 k^2)`, with `k` from 1, and nothing for 0.
///
/// Guarantee: the sum over all phases is `alpha`, however many there will be. So a plan that is begun anew after each fix
/// still raises a false alarm with a probability of at most `alpha` in all (union bound).
///
/// ```
/// use cutover::stats::spend;
///
/// assert!((spend(0.01, 1) - 0.006_079).abs() < 1e-6);
/// assert!((1..10_000).map(|phase| spend(0.01, phase)).sum::<f64>() < 0.01);
/// ```
#[must_use]
pub fn spend(alpha: f64, k: u64) -> f64 {
    if k == 0 {
        return 0.0;
    }
    let k = to_float(k);
    alpha * 6.0 / (std::f64::consts::PI * k).powi(2)
}
