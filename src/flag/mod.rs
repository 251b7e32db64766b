//! [`FeatureFlag`], one flag as a value, and [`FlagSet`], many flags from layered configuration.

mod config;
mod decision;
mod env;
mod error;
mod explain;
mod feature;
mod keys;
mod layers;
mod names;
mod set;

pub use config::FlagConfig;
pub use decision::{Decision, Rule};
pub use error::{FlagConfigError, FlagSetError, UnknownFlag};
pub use explain::{Explained, Explanation};
pub use feature::FeatureFlag;
pub use set::{FlagRouter, FlagSet, FlagSetBuilder};
