//! [`Missing`]: what stands between now and the end of the old code.

use std::fmt;

use cutover::compat::DeprecationReport;
use cutover::dual::Counts;
use cutover::{MigrationStatus, Percentage, SystemMode};
use serde::Serialize;

use super::{Agreement, CallSites, DeprecatedCalls, Evidence, Migration};
use crate::assessment::Assessment;
use crate::warning::Warning;

/// What is missing before the old code can be deleted.
///
/// On the wire it is an object whose member `kind` is the name of the variant in `snake_case`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[non_exhaustive]
pub enum Missing {
    /// An assessment of the sources.
    Assessment,
    /// The assessment has not seen a single file.
    NothingScanned,
    /// Legacy call sites are left.
    CallSites {
        /// How many.
        left: usize,
    },
    /// Legacy call sites are allowed to stay, and need the old code.
    Allowed {
        /// How many.
        allowed: usize,
    },
    /// Files or folders were not looked at, and may hold legacy call sites.
    Unseen {
        /// How many.
        unseen: usize,
    },
    /// No file was scanned for a rule, or for one of its globs.
    NotLookedFor {
        /// The rule's id.
        rule: String,
    },
    /// The status of the migration.
    Status,
    /// The status may not be what the store holds.
    Uncertain,
    /// The migration is not in `new_only`.
    Mode {
        /// In which mode it is.
        mode: SystemMode,
    },
    /// The counts of a dual run.
    Counts,
    /// Too few calls were judged.
    Judged {
        /// How many were.
        judged: u64,
        /// How many have to be.
        least: u64,
    },
    /// Too few of the judged calls matched.
    MatchRate {
        /// The share that did.
        match_rate: Percentage,
        /// The share that has to.
        least: Percentage,
    },
    /// A report on what is deprecated, in which it is declared.
    Deprecations,
    /// Callers of what is deprecated are left.
    DeprecatedCallers {
        /// How many.
        callers: usize,
    },
    /// The report had no room for all callers.
    UncountedCallers {
        /// How often those called that it does not name.
        uses: u64,
    },
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Assessment => f.write_str("an assessment of the sources"),
            Self::NothingScanned => f.write_str("an assessment that has seen a file; this one has seen none"),
            Self::CallSites { left } => write!(f, "migrating the call sites that are left: {left}"),
            Self::Allowed { allowed } => {
                write!(f, "migrating the call sites that comments allow to stay, and that need the old code: {allowed}")
            }
            Self::Unseen { unseen } => write!(f, "a look at what was skipped and may hold call sites: {unseen}"),
            Self::NotLookedFor { rule } => write!(f, "a look for the rule `{rule}`, whose globs match no file"),
            Self::Status => f.write_str("the status of the migration"),
            Self::Uncertain => f.write_str("a status that the store confirms; this one may be old or assumed"),
            Self::Mode { mode } => write!(f, "the mode new_only; it is {mode}"),
            Self::Counts => f.write_str("the counts of a dual run"),
            Self::Judged { judged, least } => write!(f, "compared calls: {judged} of at least {least}"),
            Self::MatchRate { match_rate, least } => write!(f, "a match rate of at least {least}; it is {match_rate}"),
            Self::Deprecations => f.write_str("a report on what is deprecated, in which it is declared"),
            Self::DeprecatedCallers { callers } => write!(f, "moving the callers of what is deprecated: {callers}"),
            Self::UncountedCallers { uses } => {
                write!(f, "a report with room for all callers; those it does not name called {uses} times")
            }
        }
    }
}

pub(super) fn missing(evidence: &Evidence<'_>) -> Vec<Missing> {
    [
        evidence.assessment.map_or_else(|| vec![Missing::Assessment], in_sources),
        evidence.status.map_or_else(|| vec![Missing::Status], in_status),
        evidence.counts.map_or_else(|| vec![Missing::Counts], |counts| in_counts(counts, evidence)),
        evidence.deprecations.map_or_else(|| vec![Missing::Deprecations], in_deprecations),
    ]
    .concat()
}

fn in_sources(assessment: &Assessment) -> Vec<Missing> {
    let CallSites { left, allowed, unseen, scanned, .. } = CallSites::of(assessment);
    let counted = [
        (scanned == 0).then_some(Missing::NothingScanned),
        (left > 0).then_some(Missing::CallSites { left }),
        (allowed > 0).then_some(Missing::Allowed { allowed }),
        (unseen > 0).then_some(Missing::Unseen { unseen }),
    ];
    counted.into_iter().flatten().chain(not_looked_for(assessment)).collect()
}

/// The rules that look at less than they say, once each.
fn not_looked_for(assessment: &Assessment) -> Vec<Missing> {
    let mut rules: Vec<_> = assessment.warnings().iter().filter_map(rule_without_files).collect();
    rules.sort_unstable();
    rules.dedup();
    rules.into_iter().map(|rule| Missing::NotLookedFor { rule: rule.clone() }).collect()
}

const fn rule_without_files(warning: &Warning) -> Option<&String> {
    match warning {
        Warning::RuleWithoutFiles { rule } | Warning::GlobWithoutFiles { rule, .. } => Some(rule),
        Warning::UnknownAllow { .. } | Warning::UnusedAllow { .. } | Warning::MalformedAllow { .. } => None,
    }
}

fn in_status(status: &MigrationStatus) -> Vec<Missing> {
    let Migration { mode, is_certain, .. } = Migration::of(status);
    let uncertain = (!is_certain).then_some(Missing::Uncertain);
    uncertain.into_iter().chain((mode != SystemMode::NewOnly).then_some(Missing::Mode { mode })).collect()
}

fn in_counts(counts: &Counts, evidence: &Evidence<'_>) -> Vec<Missing> {
    let Agreement { judged, match_rate, .. } = Agreement::of(counts);
    let few = judged < evidence.least_judged || judged == 0;
    let judged = few.then_some(Missing::Judged { judged, least: evidence.least_judged.max(1) });
    let least = evidence.least_match_rate;
    let rate = match_rate.filter(|rate| *rate < least).map(|match_rate| Missing::MatchRate { match_rate, least });
    judged.into_iter().chain(rate).collect()
}

fn in_deprecations(report: &DeprecationReport) -> Vec<Missing> {
    let DeprecatedCalls { declared, callers, .. } = DeprecatedCalls::of(report);
    let found = [
        (declared == 0).then_some(Missing::Deprecations),
        (callers > 0).then_some(Missing::DeprecatedCallers { callers }),
        (report.uncounted > 0).then_some(Missing::UncountedCallers { uses: report.uncounted }),
    ];
    found.into_iter().flatten().collect()
}
