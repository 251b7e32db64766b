//! [`Rule`], what to look for, and [`RuleSet`], rules that fit together.

mod complexity;
mod error;
mod one;
mod set;

pub use complexity::{Complexity, UnknownComplexity};
pub use error::RuleError;
pub use one::Rule;
pub use set::RuleSet;
