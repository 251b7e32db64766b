//! A discrepancy as text for people.

use std::fmt;

use super::{Discrepancy, SideRecord};
use crate::compare::{Printable, write_short};

/// A line that says who disagrees and how, and below it an indented line for each difference, or for each side where no
/// differences are known. Values are cut after 80 characters, and control characters are escaped.
///
/// ```text
/// search: values_differ (legacy ok vs new ok), key 8d1f3a70c2b94e65, 3 times
///   /total: value, 100 -> 99
///   /currency: value (values not captured)
/// ```
impl fmt::Display for Discrepancy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let outcomes = (self.legacy.outcome, self.new.outcome);
        write!(f, "{}: {} (legacy {} vs new {})", Printable(&self.runner), self.kind, outcomes.0, outcomes.1)?;
        if let Some(key) = &self.key {
            write!(f, ", key {}", Printable(key))?;
        }
        if self.occurrences > 1 {
            write!(f, ", {} times", self.occurrences)?;
        }
        if self.differences.is_empty() {
            write_side(f, "legacy", &self.legacy)?;
            write_side(f, "new", &self.new)?;
        }
        self.differences.iter().try_for_each(|difference| write!(f, "\n  {difference}"))
    }
}

fn write_side(f: &mut fmt::Formatter<'_>, name: &str, side: &SideRecord) -> fmt::Result {
    write!(f, "\n  {name}: ")?;
    let Some(value) = &side.value else { return f.write_str("not captured") };
    write_short(f, Printable(&value.to_string()))
}
