//! What stays for those who still use the old: [`Deprecations`] counts them until they are gone, and an [`AliasMap`] turns
//! old names into new ones.

mod adapt;
mod alias_error;
mod alias_map;
mod baseline;
mod check;
mod deprecation;
mod deprecations;
mod display;
mod file;
mod release;
mod report;
mod sites;
mod unique;

pub use adapt::{Adapted, KeyConflict, Renamed};
pub use alias_error::{AliasError, OldNameError, UnknownName};
pub use alias_map::AliasMap;
pub use baseline::{DeprecationBaseline, Growth};
pub use check::DeprecationError;
pub use deprecation::{DeclareError, Deprecation, Fact};
pub use deprecations::Deprecations;
pub use release::{InvalidRelease, Release};
pub use report::{Caller, Deprecated, DeprecationReport};
