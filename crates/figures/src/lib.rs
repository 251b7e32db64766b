//! Proves and measures what the stores of `cutover` promise, with real processes, real servers and real kills.
//!
//! `cargo run --release -p cutover-figures` prints the table of docs/proofs.md.

pub mod address;
pub mod claims;
pub mod contention;
pub mod detectors;
pub mod outage;
pub mod propagation;
pub mod stores;

mod unwatched;

/// Whatever goes wrong ends the program: a figure that cannot be had is no figure.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The value below which `share` of `sorted` lies, by the nearest rank; the default of an empty list.
///
/// ```
/// assert_eq!(cutover_figures::quantile(&[1, 2, 3, 4], 0.5), 2);
/// ```
#[must_use]
pub fn quantile<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "lists are short, and shares lie between 0 and 1"
    )]
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().unwrap_or_default()
}
