//! The file: one known finding on a line.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::RatchetError;
use crate::atomic;
use crate::finding::Finding;
use crate::fingerprint::Fingerprint;

/// A finding that a baseline knows.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Known {
    /// The file that it was in when it was written down, below the root of the scan.
    pub path: String,
    /// The id of the rule.
    pub rule: String,
    /// Which place it is.
    pub fingerprint: Fingerprint,
    /// Why it was accepted.
    pub reason: String,
}

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.path, self.rule)
    }
}

/// All that is known, sorted by path, rule and fingerprint.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Baseline {
    pub(super) findings: BTreeSet<Known>,
}

/// What every version's file says about itself.
#[derive(Deserialize)]
struct Head {
    format: u32,
}

/// What this version's file says.
#[derive(Deserialize)]
struct Written {
    findings: Vec<Known>,
}

fn unread(path: &Path, source: io::Error) -> RatchetError {
    let path = path.to_owned();
    if source.kind() == io::ErrorKind::NotFound {
        RatchetError::Missing { path }
    } else {
        RatchetError::Io { path, source }
    }
}

impl Baseline {
    pub(super) const FORMAT: u32 = 1;

    pub(super) fn read(path: &Path) -> Result<Self, RatchetError> {
        let text = fs::read_to_string(path).map_err(|source| unread(path, source))?;
        let invalid = |source| RatchetError::Invalid { path: path.to_owned(), source };
        let Head { format } = serde_json::from_str(&text).map_err(invalid)?;
        if format != Self::FORMAT {
            return Err(RatchetError::UnknownFormat { path: path.to_owned(), format });
        }
        let Written { findings } = serde_json::from_str(&text).map_err(invalid)?;
        Ok(Self { findings: findings.into_iter().collect() })
    }

    /// Writes the file if that changes it: as a whole, or not at all.
    pub(super) fn write(&self, path: &Path) -> Result<(), RatchetError> {
        let io = |source| RatchetError::Io { path: path.to_owned(), source };
        if fs::exists(path).map_err(io)? && Self::read(path)? == *self {
            return Ok(());
        }
        let text = self.to_text().map_err(|error| io(error.into()))?;
        atomic::write(path, text.as_bytes()).map_err(io)
    }

    fn to_text(&self) -> serde_json::Result<String> {
        let lines = self.findings.iter().map(|known| Ok(format!("\n    {}", serde_json::to_string(known)?)));
        let lines = lines.collect::<serde_json::Result<Vec<_>>>()?.join(",");
        let end = if lines.is_empty() { "" } else { "\n  " };
        Ok(format!("{{\n  \"format\": {},\n  \"findings\": [{lines}{end}]\n}}\n", Self::FORMAT))
    }

    pub(super) fn forget(&mut self, gone: &[Known]) {
        for known in gone {
            self.findings.remove(known);
        }
    }

    /// Knows each edited finding as it is now.
    pub(super) fn follow(&mut self, edited: &[(Known, Finding)]) {
        for (known, finding) in edited {
            self.findings.remove(known);
            self.findings.insert(Known { fingerprint: finding.fingerprint, ..known.clone() });
        }
    }

    pub(super) fn learn(&mut self, new: &[Finding], reason: &str) {
        self.findings.extend(new.iter().map(|finding| Known {
            path: finding.path.clone(),
            rule: finding.rule.clone(),
            fingerprint: finding.fingerprint,
            reason: reason.to_owned(),
        }));
    }
}
