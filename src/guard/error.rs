//! [`GuardError`].

use super::{Criterion, Trigger};

/// A guard cannot be built like this. The value that is refused stands in the message.
#[derive(Debug, Clone, Copy, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum GuardError {
    /// A limit is out of range.
    #[error("the limit of the trigger `{}` is {value}; allowed: {allowed}", trigger.name())]
    Limit {
        /// Of which trigger.
        trigger: Trigger,
        /// What was asked for.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A share of the budget is out of range.
    #[error("the share of the trigger `{}` is {value}; allowed: {allowed}", trigger.name())]
    Share {
        /// Of which trigger.
        trigger: Trigger,
        /// What was asked for.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The triggers share out more than the whole budget.
    #[error("with the trigger `{}` the shares add up to {sum}; allowed: at most 1", trigger.name())]
    Shares {
        /// The first trigger that has too little left.
        trigger: Trigger,
        /// The sum up to and with it.
        sum: f64,
    },
    /// The budget of false rollbacks is out of range.
    #[error("the budget of false rollbacks is {value}; allowed: more than 0, less than 1")]
    Budget {
        /// What was asked for.
        value: f64,
    },
    /// The number of calls to a false alarm is out of range.
    #[error("{value} calls to a false alarm are out of range; allowed: 100 to 1e15")]
    FalseAlarm {
        /// What was asked for.
        value: f64,
    },
    /// A criterion is out of range.
    #[error("the criterion `{}` is {value}; allowed: {allowed}", criterion.name())]
    Criterion {
        /// Which criterion.
        criterion: Criterion,
        /// What was asked for.
        value: f64,
        /// What is allowed.
        allowed: &'static str,
    },
    /// The chance of a wrong promotion is out of range.
    #[error("the chance of a wrong promotion is {value}; allowed: more than 0, at most 0.5")]
    Alpha {
        /// What was asked for.
        value: f64,
    },
}
