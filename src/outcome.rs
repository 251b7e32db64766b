//! [`Side`], the [`Outcome`] of one side and the [`Verdict`] on the pair.

use std::fmt;

use serde::{Deserialize, Serialize};

/// One of the two implementations.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "a migration has exactly two sides")]
pub enum Side {
    /// What is there today.
    Legacy,
    /// What shall replace it.
    New,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Legacy => Self::New,
            Self::New => Self::Legacy,
        }
    }

    /// The wire name: `legacy` or `new`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "legacy",
            Self::New => "new",
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// How one side of a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the verdict table is a match over all of them")]
pub enum Outcome {
    /// It returned `Ok`.
    Ok,
    /// It returned `Err`.
    Err,
    /// It panicked.
    Panicked,
    /// It was stopped because its time was up. Only a shadow can be.
    TimedOut,
    /// It was dropped before it ended, because the caller left or because the other side panicked.
    Abandoned,
}

impl Outcome {
    /// All outcomes, in the order of the verdict table.
    pub const ALL: [Self; 5] = [Self::Ok, Self::Err, Self::Panicked, Self::TimedOut, Self::Abandoned];

    /// The wire name, such as `timed_out`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Err => "err",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What the two outcomes of one call say together. Every selected call gets exactly one.
///
/// | legacy \ new | ok | err | panicked | timed out | abandoned |
/// |---|---|---|---|---|---|
/// | ok | *the comparator*: matched, mismatched or ignored | one failed | panicked | timed out | abandoned |
/// | err | one failed | *the error comparator*, else both failed | panicked | timed out | abandoned |
/// | panicked | panicked | panicked | panicked | panicked | panicked |
/// | timed out | timed out | timed out | panicked | timed out | timed out |
/// | abandoned | abandoned | abandoned | panicked | timed out | abandoned |
///
/// A panic outranks a time-out, which outranks an abandoned call: the more a verdict says about the sides, the higher
/// it stands. A comparator that fails has no opinion; its call is ignored and the fault is counted apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "counts add up only over all of them")]
pub enum Verdict {
    /// Both sides agree.
    Matched,
    /// Both sides ended and disagree.
    Mismatched,
    /// The comparator, or known noise, says that this difference does not matter; or the comparator itself failed.
    Ignored,
    /// Both sides returned `Err`, and nothing compares errors.
    BothFailed,
    /// One side returned `Ok`, the other `Err`.
    OneFailed,
    /// At least one side panicked.
    Panicked,
    /// The shadow took too long.
    TimedOut,
    /// The call was dropped before both sides had ended.
    Abandoned,
}

impl Verdict {
    /// All verdicts, in the order in which counts list them.
    pub const ALL: [Self; 8] = [
        Self::Matched,
        Self::Mismatched,
        Self::Ignored,
        Self::BothFailed,
        Self::OneFailed,
        Self::Panicked,
        Self::TimedOut,
        Self::Abandoned,
    ];

    /// The wire name, such as `both_failed`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Mismatched => "mismatched",
            Self::Ignored => "ignored",
            Self::BothFailed => "both_failed",
            Self::OneFailed => "one_failed",
            Self::Panicked => "panicked",
            Self::TimedOut => "timed_out",
            Self::Abandoned => "abandoned",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What two outcomes leave to decide.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pairing {
    /// Both returned `Ok`: the comparator decides.
    CompareValues,
    /// Both returned `Err`: the error comparator decides, and without one both failed.
    CompareErrors,
    /// The outcomes alone decide.
    Decided(Verdict),
}

impl Pairing {
    /// The verdict table; see [`Verdict`].
    pub(crate) const fn of(legacy: Outcome, new: Outcome) -> Self {
        use Outcome::{Abandoned, Err, Ok, Panicked, TimedOut};
        match (legacy, new) {
            (Ok, Ok) => Self::CompareValues,
            (Err, Err) => Self::CompareErrors,
            (Ok, Err) | (Err, Ok) => Self::Decided(Verdict::OneFailed),
            (Panicked, _) | (_, Panicked) => Self::Decided(Verdict::Panicked),
            (TimedOut, _) | (_, TimedOut) => Self::Decided(Verdict::TimedOut),
            (Abandoned, _) | (_, Abandoned) => Self::Decided(Verdict::Abandoned),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_table_stands_as_documented() {
        use Outcome::{Abandoned, Err, Ok, Panicked, TimedOut};
        use Pairing::{CompareErrors, CompareValues, Decided};
        let one = Decided(Verdict::OneFailed);
        let panic = Decided(Verdict::Panicked);
        let time = Decided(Verdict::TimedOut);
        let gone = Decided(Verdict::Abandoned);
        let table = [
            (Ok, [CompareValues, one, panic, time, gone]),
            (Err, [one, CompareErrors, panic, time, gone]),
            (Panicked, [panic; 5]),
            (TimedOut, [time, time, panic, time, time]),
            (Abandoned, [gone, gone, panic, time, gone]),
        ];
        for (legacy, row) in table {
            for (new, expected) in Outcome::ALL.into_iter().zip(row) {
                assert_eq!(Pairing::of(legacy, new), expected, "legacy {legacy}, new {new}");
            }
        }
    }
}
