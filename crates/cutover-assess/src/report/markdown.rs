//! Tables in GitHub's dialect.

use std::io::{self, Write};

use super::escape::{cell, code};
use super::text::{amount, elsewhere, verdict};
use crate::assessment::{Assessment, Tally, Totals};
use crate::finding::Finding;

pub(super) fn write(assessment: &Assessment, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "# Migration assessment\n")?;
    writeln!(out, "**Found {} migration items.** {}", assessment.findings().len(), cell(&verdict(assessment)))?;
    writeln!(out, "{}", cell(&amount(assessment)))?;
    if let Some(elsewhere) = elsewhere(assessment) {
        writeln!(out, "{}", cell(&elsewhere))?;
    }
    let totals = assessment.totals();
    sections(assessment, &totals).iter().try_for_each(|section| section.write(out))
}

/// The tables that have rows.
fn sections(assessment: &Assessment, totals: &Totals) -> [Section; 7] {
    let effort = format!("Effort in {}", cell(&assessment.effort().unit));
    [
        Section::new("By complexity", &["Complexity", "Items", &effort], by_complexity(totals)),
        Section::new("By rule", &["Rule", "Name", "Complexity", "Items", &effort, "Note"], by_rule(assessment, totals)),
        Section::new("By file", &["File", "Items", &effort], by_file(totals)),
        Section::new("Items", ITEM, assessment.findings().iter().map(item).collect()),
        Section::new("Allowed by comments", ITEM, assessment.allowed().iter().map(item).collect()),
        Section::new("Not looked at", &["Path", "Why"], skipped(assessment)),
        Section::new("Warnings", &["Warning"], warnings(assessment)),
    ]
}

const ITEM: &[&str] = &["Where", "Item", "Complexity", "Line"];

fn by_complexity(totals: &Totals) -> Vec<Vec<String>> {
    let Totals { low, medium, high, all, .. } = totals;
    let each = [("low", low), ("medium", medium), ("high", high), ("all", all)];
    each.into_iter().filter(|_| all.places > 0).map(|(name, tally)| tallied(vec![name.into()], *tally)).collect()
}

fn by_rule(assessment: &Assessment, totals: &Totals) -> Vec<Vec<String>> {
    let rules = assessment.rules().iter().zip(&totals.rules);
    let row = |(rule, total): (&crate::rule::Rule, &crate::assessment::RuleTotal)| {
        let mut row = tallied(vec![cell(&rule.id), cell(&rule.name), rule.complexity.to_string()], total.total);
        row.push(cell(rule.note.as_deref().unwrap_or_default()));
        row
    };
    rules.map(row).collect()
}

fn by_file(totals: &Totals) -> Vec<Vec<String>> {
    totals.files.iter().map(|file| tallied(vec![cell(&file.path)], file.total)).collect()
}

fn tallied(mut row: Vec<String>, Tally { places, effort }: Tally) -> Vec<String> {
    row.extend([places.to_string(), effort.to_string()]);
    row
}

fn item(Finding { path, line, name, complexity, excerpt, .. }: &Finding) -> Vec<String> {
    vec![format!("{}:{line}", cell(path)), cell(name), complexity.to_string(), code(excerpt)]
}

fn skipped(assessment: &Assessment) -> Vec<Vec<String>> {
    let row = |skipped: &crate::skipped::Skipped| vec![cell(&skipped.path), cell(&skipped.reason.to_string())];
    assessment.skipped().iter().map(row).collect()
}

fn warnings(assessment: &Assessment) -> Vec<Vec<String>> {
    assessment.warnings().iter().map(|warning| vec![cell(&warning.to_string())]).collect()
}

struct Section {
    title: &'static str,
    head: String,
    rule: String,
    rows: Vec<Vec<String>>,
}

impl Section {
    fn new(title: &'static str, head: &[&str], rows: Vec<Vec<String>>) -> Self {
        Self { title, head: head.join(" | "), rule: vec!["---"; head.len()].join("|"), rows }
    }

    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        let Self { title, head, rule, rows } = self;
        if rows.is_empty() {
            return Ok(());
        }
        writeln!(out, "\n## {title}\n\n| {head} |\n|{rule}|")?;
        rows.iter().try_for_each(|row| writeln!(out, "| {} |", row.join(" | ")))
    }
}
