//! What stays for those who still use the old: [`Deprecations`] counts them until they are gone, and an [`AliasMap`] turns
//! old names into new ones.

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

pub use baseline::{DeprecationBaseline, Growth};
pub use check::DeprecationError;
pub use deprecation::{DeclareError, Deprecation, Fact};
pub use deprecations::Deprecations;
pub use release::{InvalidRelease, Release};
pub use report::{Caller, Deprecated, DeprecationReport};
