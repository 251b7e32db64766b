//! How exactly a quantile, such as the p95 of a duration, is known.

use super::to_float;

/// The interval of the `p` quantile after `n` values, as the two probabilities whose empirical quantiles are its ends.
///
/// Take the value that is not exceeded by a share of `lower` of the `n` values, and the one not exceeded by a share of
/// `upper`. In a histogram with fixed edges, round outwards: the lower edge of the bucket that holds the first, the upper
/// edge of the bucket that holds the second.
///
/// `None` while there are too few values for both ends to lie inside the data, and for a `p` or an `alpha` that is not
/// strictly between 0 and 1.
///
/// Guarantee: for independent values of one distribution, the interval holds the true quantile at all times at once with
/// a probability of at least `1 - alpha`, however often it is looked at. Values that depend on each other, as those of
/// calls do when load comes and goes, can break it; so it is for display, and for choosing a limit that then stays fixed.
///
/// Form: `p -+ f`, `f = 1.5 sqrt(p (1 - p) l) + 0.8 l`, `l = (1.4 ln ln(2.1 n) + ln(10 / alpha)) / n`.
///
/// Source: Howard and Ramdas, *Sequential estimation of quantiles with applications to A/B testing and best-arm
/// identification* (2022), theorem 1.
///
/// ```
/// use cutover::stats::quantile::interval;
///
/// assert_eq!(interval(0.95, 300, 0.01), None);
/// let (lower, upper) = interval(0.95, 3_500, 0.01).unwrap();
/// assert!(0.92 < lower && lower < 0.95 && 0.95 < upper && upper < 0.98);
/// ```
#[must_use]
pub fn interval(p: f64, n: u64, alpha: f64) -> Option<(f64, f64)> {
    let inside = |share: f64| share > 0.0 && share < 1.0;
    if !inside(p) || !inside(alpha) || n == 0 {
        return None;
    }
    let n = to_float(n);
    let per_value = (1.4 * (2.1 * n).ln().ln() + (10.0 / alpha).ln()) / n;
    let reach = 1.5 * (p * (1.0 - p) * per_value).sqrt() + 0.8 * per_value;
    let ends = (p - reach, p + reach);
    (inside(ends.0) && inside(ends.1)).then_some(ends)
}
