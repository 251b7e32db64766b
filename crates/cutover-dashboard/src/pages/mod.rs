//! Pages: values of [`view`](crate::view) in, HTML out. Rendering is pure; [`handlers`] asks for the values.

mod assets;
mod audit;
mod claims;
mod discrepancies;
mod frame;
mod migration;
mod overview;
#[cfg(test)]
mod tests;
pub(crate) mod words;

pub(crate) use frame::{Base, Frame, Notice, Parts, Tab};

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
