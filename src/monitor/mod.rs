//! What both sides were seen to do, as sums that can be added: [`PerformanceMonitor`].

mod baseline;
mod builder;
mod cells;
mod closing;
mod comparison;
mod counts;
mod ended;
mod evidence;
mod firsts;
mod histogram;
mod late;
mod ledger;
mod performance;
mod quality;
mod record;
mod settings;
mod snapshot;
mod tally;

pub use builder::{MonitorError, PerformanceMonitorBuilder};
pub use comparison::{PerformanceComparison, QualityComparison, SidePerformance};
pub use counts::{PairTally, PhaseCounts, ServedCounts, SideCounts};
pub use evidence::{Baseline, Evidence, LatencyFactors, MeanDurations, SideFailures};
pub use histogram::Histogram;
pub use performance::PerformanceMonitor;
pub use quality::{QualityError, QualityValues, Values};
pub use snapshot::MonitorSnapshot;
