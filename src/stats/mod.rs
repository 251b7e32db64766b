//! Statistics as pure functions of counts.

pub mod mcnemar;
