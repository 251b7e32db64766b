//! Replace something old while it runs: run both, compare, roll out by percentage, and roll back in an instant.

pub mod bucket;
pub mod clock;
pub mod compare;
pub mod control;
pub mod dual;
pub mod flag;
pub mod handover;
pub mod mode;
pub mod observe;
pub mod random;
pub mod record;
pub mod runtime;
pub mod stats;
pub mod store;
#[cfg(feature = "testing")]
pub mod testing;
pub mod validate;

mod contain;
mod lock;
mod live;
mod outcome;
mod percentage;
mod route;

pub use bucket::{BucketKey, MissingKey};
pub use clock::{Clock, SystemClock};
pub use compare::{Comparator, Comparison, Equality};
pub use dual::DualRunner;
pub use flag::{Decision, FeatureFlag, FlagConfig, FlagSet};
pub use compare::{Comparator, Comparison, Equality, Structural};
pub use control::{ChangeError, MigrationController, MigrationStatus};
pub use mode::{SystemMode, TransitionError, UnknownMode};
pub use observe::Observer;
pub use outcome::{Outcome, Side, Verdict};
pub use percentage::{Percentage, PercentageError};
pub use record::{Discrepancy, MemoryRecorder, Recorder};
pub use route::{Route, Router, Shadow};
pub use runtime::{HostRuntime, Runtime};
pub use runtime::Runtime;
pub use validate::MigrationValidator;
pub use store::{MemoryStore, StateStore, StoreError};
