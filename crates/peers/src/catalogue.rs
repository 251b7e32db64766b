//! Everything that is compared.

use crate::{Entry, alone, dual, flags, latency};

/// A floor, what cutover offers, and its peers, all doing the same work.
#[derive(Debug)]
pub struct Comparison {
    /// How the command line names it.
    pub id: &'static str,
    /// What is compared.
    pub title: &'static str,
    /// What is the same for all rows, and what a row contains.
    pub about: &'static str,
    /// Its rows: floors first.
    pub entries: Vec<Entry>,
}

/// All of them, in the order of the report.
#[must_use]
pub fn comparisons() -> Vec<Comparison> {
    vec![
        flags::one_flag(),
        flags::many_flags(),
        dual::both_sides(),
        dual::one_side(),
        dual::without_async(),
        latency::recording(),
        latency::clocks(),
        alone::routing(),
        alone::detached(),
        alone::comparing(),
        alone::looking(),
    ]
}

/// The one of this name.
#[must_use]
pub fn comparison(id: &str) -> Option<Comparison> {
    comparisons().into_iter().find(|comparison| comparison.id == id)
}
