//! Compares counts with the recorded ones.

use crate::record::{Record, Toolchain};

/// By how much a count may grow, as a share of the recorded one.
pub const TOLERANCE: f64 = 0.05;
/// By how much it may grow where another compiler made the program: it alone may add a few percent.
pub const TOLERANCE_OF_ANOTHER_COMPILER: f64 = 0.25;

/// What became of a count.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::exhaustive_enums, reason = "this package is not published")]
pub enum Change {
    /// It stayed within the tolerance.
    Held,
    /// It grew by more: the step fails.
    Grew,
    /// It shrank by more, which is worth recording, so that it stays so.
    Shrank,
    /// Nothing is recorded for it: the step fails, since nothing is held.
    Unrecorded,
    /// It is recorded and no longer counted: the step fails, since the record is no longer true.
    Uncounted,
}

/// One count beside the recorded one.
#[derive(Debug, Clone, PartialEq)]
#[expect(clippy::exhaustive_structs, reason = "this package is not published")]
pub struct Row {
    /// The name of the call.
    pub call: String,
    /// The recorded count.
    pub recorded: Option<f64>,
    /// The count of now.
    pub counted: Option<f64>,
    /// What became of it.
    pub change: Change,
}

/// The tolerance of counts that two compilers made, or nothing where their targets differ: such counts are not compared.
#[must_use]
pub fn tolerance(recorded: &Toolchain, here: &Toolchain) -> Option<f64> {
    let bound = if recorded.rustc == here.rustc { TOLERANCE } else { TOLERANCE_OF_ANOTHER_COMPILER };
    (recorded.target == here.target).then_some(bound)
}

/// Compares all counts with the recorded ones.
#[must_use]
pub fn compare(recorded: &Record, counted: &Record, tolerance: f64) -> Vec<Row> {
    let of_now = counted.instructions.iter().map(|(call, &count)| {
        let before = recorded.instructions.get(call).copied();
        Row::new(call, before, Some(count), tolerance)
    });
    let gone = recorded.instructions.iter().filter(|(call, _)| !counted.instructions.contains_key(*call));
    of_now.chain(gone.map(|(call, &before)| Row::new(call, Some(before), None, tolerance))).collect()
}

impl Row {
    fn new(call: &str, recorded: Option<f64>, counted: Option<f64>, tolerance: f64) -> Self {
        let change = match (recorded, counted) {
            (None, _) => Change::Unrecorded,
            (_, None) => Change::Uncounted,
            (Some(before), Some(now)) if now > before * (1.0 + tolerance) => Change::Grew,
            (Some(before), Some(now)) if now < before * (1.0 - tolerance) => Change::Shrank,
            _ => Change::Held,
        };
        Self { call: call.to_owned(), recorded, counted, change }
    }

    /// Whether the step fails for it.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        matches!(self.change, Change::Grew | Change::Unrecorded | Change::Uncounted)
    }

    /// By how much the count grew, in percent of the recorded one.
    #[must_use]
    pub fn growth(&self) -> Option<f64> {
        Some((self.counted? / self.recorded? - 1.0) * 100.0)
    }
}
