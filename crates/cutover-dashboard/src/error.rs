//! [`DashboardError`].

use cutover::store::MigrationId;

/// A dashboard cannot be built like this.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DashboardError {
    /// Two migrations have one name.
    #[error("the migration {id} was given twice")]
    Twice {
        /// Its name.
        id: MigrationId,
    },
    /// That is no origin.
    #[error(
        "the origin is not one; allowed: http:// or https:// with a host and perhaps a port, and nothing behind it"
    )]
    Origin,
    /// That is no path.
    #[error(
        "the base path is not one; allowed: empty, or `/` and a path of letters, digits, `/`, `-`, `.`, `_` and `~`"
    )]
    BasePath,
    /// A time is out of range.
    #[error("{what} is out of range; allowed: {allowed}")]
    Time {
        /// Which one.
        what: &'static str,
        /// What is allowed.
        allowed: &'static str,
    },
    /// Sampling and timeouts need a Tokio runtime, and there is none here.
    #[error("a router is made on a Tokio runtime, and this is none")]
    NoRuntime,
}
