//! Which flags the code asks for, and which of them nobody needs any more.

mod calls;
mod definition;
mod display;
mod literal;
mod places;
mod references;

pub use calls::{FlagCalls, FlagCallsError};
pub use references::{FlagPlace, FlagReferences, FlagScanError, SettledFlag};
