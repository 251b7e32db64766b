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
//! For a host's own tests: stores that fail, and routing that can be worked out by head.

mod failing_store;
mod modulo_router;
mod slow_store;

pub use failing_store::{FailingStore, Fault};
pub use modulo_router::ModuloRouter;
pub use slow_store::SlowStore;
//! Under way.

mod pin_file;
mod pins;

pub use pins::{Move, PinError, PinKey, RolloutPins, UPDATE_PINS};
