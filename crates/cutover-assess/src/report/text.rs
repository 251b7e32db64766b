//! Lines for a terminal.

use std::collections::BTreeMap;
use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::escape::plain;
use crate::assessment::{Assessment, Status, Totals};
use crate::finding::Finding;
use crate::rule::Complexity;

pub(super) fn write(assessment: &Assessment, colours: bool, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "Found {} migration items:", assessment.findings().len())?;
    for finding in assessment.findings() {
        writeln!(out, "{}", line(finding, colours))?;
    }
    writeln!(out)?;
    summary(assessment).iter().try_for_each(|line| writeln!(out, "{line}"))
}

fn line(Finding { path, line, name, complexity, .. }: &Finding, colours: bool) -> String {
    let style = if colours { style(*complexity) } else { Style::new() };
    format!("{}:{line} - {} ({style}{complexity}{style:#})", plain(path), plain(name))
}

const fn style(complexity: Complexity) -> Style {
    let colour = match complexity {
        Complexity::Low => AnsiColor::Green,
        Complexity::Medium => AnsiColor::Yellow,
        Complexity::High => AnsiColor::Red,
    };
    colour.on_default()
}

fn summary(assessment: &Assessment) -> Vec<String> {
    let mut lines = vec![verdict(assessment), amount(assessment)];
    lines.extend(allowed(assessment));
    lines.extend(elsewhere(assessment));
    lines.extend(harmless(assessment));
    lines.extend(unseen(assessment));
    lines.extend(assessment.warnings().iter().map(|warning| format!("warning: {}", plain(&warning.to_string()))));
    lines
}

/// What the assessment comes to, in one line.
pub(super) fn verdict(assessment: &Assessment) -> String {
    match assessment.status() {
        Status::Clear => "Nothing is left to migrate.".into(),
        Status::NothingScanned => "Nothing was looked at: this is no all-clear.".into(),
        Status::Incomplete => "Nothing was found, but not all of it was looked at: this is no all-clear.".into(),
        Status::Findings => costs(&assessment.totals(), &assessment.effort().unit),
    }
}

fn costs(totals: &Totals, unit: &str) -> String {
    let Totals { all, low, medium, high, files, .. } = totals;
    let (low, medium, high) = (low.places, medium.places, high.places);
    format!(
        "In {}: {low} low, {medium} medium, {high} high; effort {} {}.",
        count(files.len(), "file"),
        all.effort,
        plain(unit)
    )
}

/// How much was looked at, in one line.
pub(super) fn amount(assessment: &Assessment) -> String {
    let scanned = assessment.scanned();
    format!("Looked at {} of {} bytes.", count(scanned.files, "file"), scanned.bytes)
}

fn allowed(assessment: &Assessment) -> Option<String> {
    let allowed = assessment.allowed().len();
    (allowed > 0).then(|| format!("Allowed to stay by comments: {}.", count(allowed, "place")))
}

/// What rules leave out, in one line.
pub(super) fn elsewhere(assessment: &Assessment) -> Option<String> {
    let all = assessment.elsewhere().iter();
    let each = all.map(|one| format!("{} in {} ({})", one.places, one.context.plural(), plain(&one.rule)));
    let each: Vec<String> = each.collect();
    (!each.is_empty()).then(|| format!("Not counted, where rules do not look: {}.", each.join(", ")))
}

fn harmless(assessment: &Assessment) -> Option<String> {
    let mut kinds: BTreeMap<String, u64> = BTreeMap::new();
    for skipped in assessment.skipped().iter().filter(|skipped| !skipped.reason.hides_findings()) {
        *kinds.entry(skipped.reason.to_string()).or_default() += 1;
    }
    let each: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    (!each.is_empty()).then(|| format!("Skipped: {}.", each.join("; ")))
}

fn unseen(assessment: &Assessment) -> impl Iterator<Item = String> {
    let hiding = assessment.skipped().iter().filter(|skipped| skipped.reason.hides_findings());
    hiding.map(|skipped| format!("not looked at: {}: {}", plain(&skipped.path), plain(&skipped.reason.to_string())))
}

/// `1 file`, `2 files`.
pub(super) fn count(number: impl TryInto<u64>, what: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {what}{}", if number == 1 { "" } else { "s" })
}
