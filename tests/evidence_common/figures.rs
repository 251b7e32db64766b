//! Shares of runs, shown and compared with what is allowed.

/// The share of runs with an alarm, shown beside what is allowed: alpha and three standard errors.
pub(crate) fn alarms(name: &str, alpha: f64, of: &[bool]) -> (f64, f64) {
    let (alarms, runs) = (of.iter().filter(|alarm| **alarm).count() as u64, of.len() as u64);
    let allowed = alpha + 3.0 * (alpha * (1.0 - alpha) * share(1, runs)).sqrt();
    println!("{name:<60} {:.4} of {runs} runs, alpha {alpha}", share(alarms, runs));
    (share(alarms, runs), allowed)
}

/// A share of so many.
#[expect(clippy::cast_precision_loss, reason = "counts of a test are small")]
pub(crate) fn share(part: u64, of: u64) -> f64 {
    part as f64 / of as f64
}
