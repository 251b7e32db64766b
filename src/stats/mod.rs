//! Statistics as pure functions of counts, of constant size, that may be looked at as often as one likes.
//!
//! | question | see |
//! |---|---|
//! | is a rate above what is allowed, or proven to be below it? | [`Bernoulli`] |
//! | is new worse than legacy, when each call is served by one of them? | [`Relative`] |
//! | are calls split as they should be? | [`split_ln_e`] |
//! | is new worse than legacy, when both run the same items? | [`Paired`], [`mcnemar`] |
//! | did a rate change after a long healthy time? | [`Cusum`] |
//! | how exactly is a quantile known? | [`quantile`] |
//! | how is an error budget split over phases without end? | [`spend`] |
//!
//! # E-values
//! An *e-value* is the wealth of one who bets against a hypothesis, beginning with 1. While the hypothesis holds, no bet
//! wins on average, so that the wealth ever reaches `1 / alpha` with a probability of at most `alpha` (Ville 1939). One
//! may look after every call, for ever, and act at the first time. All functions give its natural logarithm: act when
//! `ln_e >= (1 / alpha).ln()`.
//!
//! What is assumed of the calls stands at each type. None assumes that calls are independent of each other.

mod bernoulli;
mod cusum;
pub mod mcnemar;
mod mixture;
mod paired;
pub mod quantile;
mod rate_error;
mod relative;
mod spending;

pub use bernoulli::Bernoulli;
pub use cusum::Cusum;
pub use paired::{PairCounts, Paired};
pub use rate_error::RateError;
pub use relative::{Labels, Relative, split_ln_e};
pub use spending::spend;

#[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are rounded")]
const fn to_float(count: u64) -> f64 {
    count as f64
}
