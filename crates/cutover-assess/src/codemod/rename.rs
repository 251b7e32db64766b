//! Edits that come from findings, and whether the next scan would find what they leave.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::io;

use super::Repeat;
use super::diff::slashed;
use super::edit::Edit;
use super::error::PlanError;
use super::plan::PlannedFile;
use crate::assessment::Assessment;
use crate::finding::Finding;
use crate::rule::Rule;
use crate::scan::Scan;

/// The findings that have a replacement.
pub(super) fn edits(assessment: &Assessment) -> Result<Vec<Edit>, PlanError> {
    if assessment.scanned().files == 0 {
        return Err(PlanError::NothingScanned);
    }
    let edit = |finding: &Finding| {
        let replacement = finding.replacement.clone()?;
        Some(
            expected(finding, assessment.rules())
                .map(|text| Edit::new(&finding.path, finding.span.start, text, replacement)),
        )
    };
    assessment.findings().iter().filter_map(edit).collect()
}

/// The text that was found: as the finding shows it, or the rule's pattern where it shows a part.
fn expected(finding: &Finding, rules: &[Rule]) -> Result<String, PlanError> {
    let shown = finding.excerpt.get(finding.matched.clone());
    let pattern = rules.iter().find(|rule| rule.id == finding.rule).map(|rule| rule.pattern.as_str());
    let whole = shown.into_iter().chain(pattern).find(|text| text.len() == finding.span.len());
    let too_long = || PlanError::TooLong { path: finding.path.clone().into(), line: finding.line };
    whole.map(ToOwned::to_owned).ok_or_else(too_long)
}

/// What the scan finds in the planned files, of all that it would replace. It looks at them in a folder of their own, and has to
/// look at those of `paths`, where it found something before.
pub(super) fn repeats(scan: &Scan, paths: &BTreeSet<String>, files: &[PlannedFile]) -> Result<Vec<Repeat>, PlanError> {
    let search = |source: Box<dyn Error + Send + Sync>| PlanError::Search { source };
    let folder = laid_out(files).map_err(|source| search(source.into()))?;
    let found = scan.run(folder.path()).map_err(|source| search(source.into()))?;
    if let Some(skipped) = found.skipped().first() {
        return Err(PlanError::Unsearched { path: skipped.path.clone().into(), reason: skipped.reason.clone() });
    }
    let found_before = files.iter().filter(|file| paths.contains(&slashed(file.path()))).count();
    if found.scanned().files < found_before as u64 {
        return Err(search("it leaves files out that it has searched before".into()));
    }
    let replaced = found.findings().iter().filter(|finding| finding.replacement.is_some());
    let repeat = |finding: &Finding| Repeat {
        path: finding.path.clone(),
        span: finding.span.clone(),
        rule: Some(finding.rule.clone()),
    };
    Ok(replaced.map(repeat).collect())
}

/// The planned files, as they would be.
fn laid_out(files: &[PlannedFile]) -> io::Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    for file in files {
        let path = folder.path().join(slashed(file.path()));
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, file.after())?;
    }
    Ok(folder)
}
