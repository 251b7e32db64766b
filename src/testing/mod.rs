//! What a host's own tests need (feature `testing`): time that stands still, tasks in a fixed order, chance that
//! repeats, parts that fail on request, pins that say when anybody moved, and the laws of stores as checks.

mod clock;
pub mod conformance;
mod failing_store;
mod modulo_router;
mod pin_file;
mod pins;
mod random;
mod recorders;
mod router;
mod runtime;
mod slow_store;

pub use clock::ManualClock;
pub use failing_store::{FailingStore, Fault};
pub use modulo_router::ModuloRouter;
pub use pins::{Move, PinError, PinKey, RolloutPins, UPDATE_PINS};
pub use random::SeededRandom;
pub use recorders::{PanickingRecorder, StuckRecorder, discrepancy};
pub use router::ScriptedRouter;
pub use runtime::VirtualRuntime;
pub use slow_store::SlowStore;
