//! [`RatchetError`], whose messages say what to do.

use std::io;
use std::path::PathBuf;

use super::RATCHET_VARIABLE;
use super::baseline::{Baseline, Known};
use crate::excerpt::excerpt;
use crate::finding::Finding;
use crate::skipped::Skipped;

/// An assessment that is not what the baseline says, or of which that cannot be said.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RatchetError {
    /// There is no baseline.
    #[error("{}: there is no baseline; write one with `cutover-assess ratchet --accept REASON` and commit it", path.display())]
    Missing {
        /// Where it should be.
        path: PathBuf,
    },
    /// The baseline could not be read or written.
    #[error("{}: the baseline cannot be read or written", path.display())]
    Io {
        /// Where it is.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
    /// The file is no baseline, such as one with marks of a merge conflict.
    #[error("{}: this is no baseline; resolve merge conflicts, or take the last version that was committed", path.display())]
    Invalid {
        /// Where it is.
        path: PathBuf,
        /// What is wrong with it, and where.
        #[source]
        source: serde_json::Error,
    },
    /// A newer version wrote the baseline.
    #[error("{}: the baseline has format {format}; known is {}", path.display(), Baseline::FORMAT)]
    UnknownFormat {
        /// Where it is.
        path: PathBuf,
        /// Its format.
        format: u32,
    },
    /// Not a single file was scanned, so nothing can be said.
    #[error("no file was scanned, so nothing is known; check the root of the scan, and what it leaves out")]
    NothingScanned,
    /// A rule of the baseline was not looked for, so its findings are not known to be gone.
    #[error(
        "the baseline has {count} of the rule `{rule}`, for which no file was scanned; put the rule back, or delete these lines"
    )]
    RuleNotLookedFor {
        /// The rule's id.
        rule: String,
        /// How many findings of it the baseline has.
        count: usize,
    },
    /// A file of which the baseline knows findings was not looked at.
    #[error("{}: the baseline knows findings there, and it was not looked at: {}", skipped.path, skipped.reason)]
    Unseen {
        /// The file, or a folder around it, and why.
        skipped: Skipped,
    },
    /// Not all was looked at, so that new findings, or old ones that seem to be gone, may be where nobody has looked.
    #[error("{}", unproven(gaps))]
    Unproven {
        /// What was skipped and may hold findings, and the globs and rules that met no file, as texts.
        gaps: Vec<String>,
    },
    /// There are findings that the baseline does not know.
    #[error("{}", grown(new, *gone))]
    Grown {
        /// They.
        new: Vec<Finding>,
        /// How many others are gone.
        gone: usize,
    },
    /// Findings of the baseline are gone, and it still has them.
    #[error("{}", shrunk(gone))]
    Shrunk {
        /// They.
        gone: Vec<Known>,
    },
    /// A reason without text.
    #[error("the reason is empty; say why these call sites may stay")]
    NoReason,
    /// The environment variable has a value that means nothing.
    #[error(
        "{RATCHET_VARIABLE} is `{value}`; allowed: shrink. To let the baseline grow: `cutover-assess ratchet --accept REASON`"
    )]
    Variable {
        /// The value, cut after 40 characters.
        value: String,
    },
}

impl RatchetError {
    pub(super) fn variable(value: &str) -> Self {
        Self::Variable { value: excerpt(value) }
    }
}

/// The most findings that a message names.
const NAMED: usize = 20;

fn grown(new: &[Finding], gone: usize) -> String {
    let head = match new.len() {
        1 => "1 legacy call site is new:".to_owned(),
        many => format!("{many} legacy call sites are new:"),
    };
    let also = (gone > 0).then(|| format!("({gone} others are gone)"));
    let advice = "migrate them; or allow one to stay with a comment `migrate:allow(RULE)` on its line; or accept all of them:\n  \
                  cutover-assess ratchet --accept REASON";
    lines(head, new.iter().map(shown), also, advice)
}

fn shown(finding: &Finding) -> String {
    let Finding { path, line, name, rule, replacement, .. } = finding;
    let instead = replacement.as_ref().map(|new| format!("; use `{new}`")).unwrap_or_default();
    format!("{path}:{line} - {name} ({rule}){instead}")
}

fn unproven(gaps: &[String]) -> String {
    let advice = "look at these files (or leave them out by an ignore file), and mend the globs (or take out rules that have no files)";
    lines("not all was looked at, so nothing is proven:".to_owned(), gaps.iter().cloned(), None, advice)
}

fn shrunk(gone: &[Known]) -> String {
    let head = match gone.len() {
        1 => "1 legacy call site is gone, and the baseline still has it:".to_owned(),
        many => format!("{many} legacy call sites are gone, and the baseline still has them:"),
    };
    let advice = "shrink the baseline and commit it, so that they stay gone:\n  \
                  CUTOVER_RATCHET=shrink cargo test   (or: cutover-assess ratchet --shrink)";
    lines(head, gone.iter().map(ToString::to_string), None, advice)
}

fn lines(head: String, all: impl ExactSizeIterator<Item = String>, also: Option<String>, advice: &str) -> String {
    let rest = all.len().saturating_sub(NAMED);
    let rest = (rest > 0).then(|| format!("  and {rest} more"));
    let named = all.take(NAMED).map(|line| format!("  {line}"));
    let text: Vec<_> = [head].into_iter().chain(named).chain(rest).chain(also).chain([advice.to_owned()]).collect();
    text.join("\n")
}
