//! The text of a [`Readiness`].

use std::fmt;

use super::{Agreement, CallSites, DeprecatedCalls, Migration, Readiness};
use cutover::SystemMode;

impl fmt::Display for Readiness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.missing.len() {
            0 => f.write_str("ready: the old code can be deleted")?,
            1 => f.write_str("not ready: 1 thing is missing before the old code can be deleted")?,
            many => write!(f, "not ready: {many} things are missing before the old code can be deleted")?,
        }
        row(f, "call sites", self.call_sites)?;
        row(f, "migration", self.migration.as_ref())?;
        row(f, "match rate", self.comparison)?;
        row(f, "deprecated callers", self.deprecated)?;
        if !self.missing.is_empty() {
            f.write_str("\nmissing:")?;
        }
        self.missing.iter().try_for_each(|missing| write!(f, "\n  - {missing}"))
    }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    match value {
        Some(value) => write!(f, "\n  {name:<18}  {value}"),
        None => write!(f, "\n  {name:<18}  no data"),
    }
}

impl fmt::Display for CallSites {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { left, in_files, allowed, unseen, scanned } = self;
        write!(f, "{left} left in {in_files} of {scanned} files, {allowed} allowed, {unseen} paths not looked at")
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} is in {}", self.id, self.mode)?;
        if self.mode == SystemMode::GradualRollout {
            write!(f, " at {}", self.rollout)?;
        }
        f.write_str(if self.is_certain { "" } else { ", which is not certain" })
    }
}

impl fmt::Display for Agreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.match_rate {
            Some(rate) => write!(f, "{rate} of {} judged calls", self.judged),
            None => f.write_str("no call was judged"),
        }
    }
}

impl fmt::Display for DeprecatedCalls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { declared, callers, uses } = self;
        write!(f, "{callers} left of {declared} deprecated, {uses} uses")
    }
}
