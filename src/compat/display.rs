//! Reports of deprecations, as text.

use std::fmt;

use super::deprecation::Deprecation;
use super::report::{Caller, Deprecated, DeprecationReport};

/// A line for each old thing and each of its callers.
impl fmt::Display for DeprecationReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let callers = Amount(self.call_sites() as u64, "caller");
        write!(f, "{} deprecated, {callers} left", self.deprecated.len())?;
        self.deprecated.iter().try_for_each(|(old, entry)| write!(f, "\n{}", Entry(old, entry)))?;
        if self.uncounted > 0 {
            write!(f, "\n{} at further call sites, which are not told apart", Amount(self.uncounted, "use"))?;
        }
        self.problems.iter().try_for_each(|problem| write!(f, "\nproblem: {problem}"))
    }
}

/// An old thing and its callers, in lines.
pub(super) struct Entry<'a>(pub(super) &'a str, pub(super) &'a Deprecated);

impl fmt::Display for Entry<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(old, entry) = self;
        write!(f, "{}: ", Facts(entry.facts(old)))?;
        if entry.callers.is_empty() {
            return f.write_str("no use was seen");
        }
        write!(f, "{}", Amount(entry.uses(), "use"))?;
        let lines = |caller: &Caller| format!("{caller}: {}", Amount(caller.uses, "use"));
        write!(f, "{}", Lines(&entry.callers.iter().map(lines).collect::<Vec<_>>()))
    }
}

/// What is known of an old thing, in one line.
struct Facts<'a>(Deprecation<'a>);

impl fmt::Display for Facts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Deprecation { old, new, since, remove_after } = self.0;
        match new {
            Some(new) => write!(f, "`{old}`, use `{new}`")?,
            None => write!(f, "`{old}`, nothing replaces it")?,
        }
        match (since, remove_after) {
            (None, None) => Ok(()),
            (Some(since), None) => write!(f, " (since {since})"),
            (None, Some(last)) => write!(f, " (to go after {last})"),
            (Some(since), Some(last)) => write!(f, " (since {since}, to go after {last})"),
        }
    }
}

/// A number and what it counts, in the plural unless it is one.
pub(super) struct Amount(pub(super) u64, pub(super) &'static str);

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(number, what) = self;
        write!(f, "{number} {what}{}", if *number == 1 { "" } else { "s" })
    }
}

/// The most lines that are shown of a list.
const MOST: usize = 20;

/// An indented line for each, and how many more there are.
pub(super) struct Lines<'a>(pub(super) &'a [String]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().take(MOST).try_for_each(|line| write!(f, "\n  {line}"))?;
        match self.0.len().saturating_sub(MOST) {
            0 => Ok(()),
            more => write!(f, "\n  and {more} more"),
        }
    }
}
