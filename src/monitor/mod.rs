//! What both sides were seen to do, as sums that can be added.

mod counts;
mod evidence;

pub use counts::{PairTally, PhaseCounts, ServedCounts, SideCounts};
pub use evidence::{Baseline, Evidence, MeanDurations, SideFailures};
