//! How often a warm call allocates, counted by a program of its own: counting would slow down what is timed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

/// What one subject allocates.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Counted {
    /// The comparison.
    pub comparison: String,
    /// The name of its entry.
    pub subject: String,
    /// Allocations of the calling thread per call.
    pub per_call: f64,
}

/// In how many calls to count, if one call took `took`: in as many as take half a second, or a fortieth of it, but not in more
/// than are needed to see one allocation in a thousand calls.
#[must_use]
pub fn calls_to_count(took: Duration, quick: bool) -> u64 {
    let time = Duration::from_millis(if quick { 12 } else { 500 });
    let calls = time.as_nanos() / took.as_nanos().max(1);
    u64::try_from(calls).unwrap_or(u64::MAX).clamp(2, 16_384)
}
