//! What a host's own tests need (feature `testing`): time that stands still, tasks in a fixed order, chance that
//! repeats, and parts that fail on request.

mod clock;
mod random;
mod recorders;
mod router;
mod runtime;

pub use clock::ManualClock;
pub use random::SeededRandom;
pub use recorders::{PanickingRecorder, StuckRecorder, discrepancy};
pub use router::ScriptedRouter;
pub use runtime::VirtualRuntime;
