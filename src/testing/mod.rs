//! For a host's own tests: stores that fail, and routing that can be worked out by head.

mod failing_store;
mod modulo_router;
mod slow_store;

pub use failing_store::{FailingStore, Fault};
pub use modulo_router::ModuloRouter;
pub use slow_store::SlowStore;
