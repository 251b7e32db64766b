//! Pages: values of [`view`](crate::view) in, HTML out. Rendering is pure; [`handlers`] asks for the values.

mod assets;
mod audit;
mod claims;
mod commands;
mod discrepancies;
mod done;
mod frame;
pub(crate) mod handlers;
mod migration;
mod overview;
#[cfg(test)]
mod tests;
pub(crate) mod words;

use askama::Template;
use audit::audit;
use claims::claims;
use discrepancies::{discrepancies, discrepancy};
use frame::{Frame, Notice};
use migration::migration;
use overview::overview;

/// A word with its icon and its class, so that nothing is said by colour alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Flag {
    /// `alarm`, `warning`, `notice`, `ok` or `unknown`.
    pub(crate) class: &'static str,
    /// The name of its symbol.
    pub(crate) icon: &'static str,
    pub(crate) word: String,
}

impl Flag {
    /// The class is also the name of its symbol.
    pub(crate) fn new(class: &'static str, word: impl Into<String>) -> Self {
        Self { class, icon: class, word: word.into() }
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage {
    frame: Frame,
    heading: &'static str,
}

/// A page that says why there is none; the notice of the frame says it.
fn problem(frame: Frame, heading: &'static str) -> Result<String, askama::Error> {
    ProblemPage { frame, heading }.render()
}
