//! BENCHMARKS.md.

mod behaviour;
mod figures;
mod table;
mod versions;

use std::fmt;

use askama::Template;

use crate::Comparison;
use crate::harness::{Machine, Results};
use table::Table;

/// The page.
#[derive(Debug, Template)]
#[template(path = "benchmarks.md", escape = "none")]
pub struct Report {
    machine: Machine,
    tables: Vec<Table>,
    faults: Vec<Vec<String>>,
    shares: Vec<Vec<String>>,
}

impl Report {
    /// Of what was measured. How libraries behave is looked at now.
    #[must_use]
    pub fn new(results: &Results, comparisons: &[Comparison]) -> Self {
        Self {
            machine: results.machine.clone(),
            tables: comparisons.iter().map(|comparison| Table::new(comparison, results)).collect(),
            faults: behaviour::faults(),
            shares: behaviour::shares(),
        }
    }

    /// Rows of cutover that are slower than a peer which offers as much.
    #[must_use]
    pub fn unexplained(&self) -> Vec<String> {
        self.tables.iter().flat_map(Table::unexplained).collect()
    }
}

/// A line of a Markdown table.
fn line(cells: &[String]) -> impl fmt::Display {
    format!("| {} |", cells.join(" | "))
}

/// The line below the heads: the first column is text, the others may be numbers.
fn rule(cells: &[String]) -> impl fmt::Display {
    format!("|{}", "---|".repeat(cells.len()))
}
