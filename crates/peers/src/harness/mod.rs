//! How it is measured: every peer in a process of its own, in turns with the floors and with cutover.

mod allocations;
mod driver;
mod machine;
mod rounds;

pub use allocations::{Counted, calls_to_count};
pub use driver::{Driver, DriverError};
pub use machine::Machine;
pub use rounds::{Effort, Timed, Times, time};

use serde::{Deserialize, Serialize};

/// Everything that a report is made of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Results {
    /// Where it was measured.
    pub machine: Machine,
    /// How long the calls took.
    pub times: Vec<Times>,
    /// How often they allocated.
    pub allocations: Vec<Counted>,
}
