//! [`RateError`].

use thiserror::Error;

/// A hypothesis that cannot be tested, because its number is none of those allowed.
#[derive(Debug, Clone, Copy, PartialEq, Error)]
#[non_exhaustive]
pub enum RateError {
    /// A rate that is not strictly between 0 and 1.
    #[error("the rate is {0}, and has to be above 0 and below 1")]
    Rate(f64),
    /// A ratio of two rates that is not above 0 and finite.
    #[error("the ratio is {0}, and has to be above 0 and finite")]
    Ratio(f64),
    /// A margin between two rates that is negative, or 1 or more.
    #[error("the margin is {0}, and has to be at least 0 and below 1")]
    Margin(f64),
}
