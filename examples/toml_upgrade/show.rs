//! What people see: tables, and the one JSON object.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use comfy_table::{
    Attribute, Cell, CellAlignment, Color, ColumnConstraint, ContentArrangement, Row, Table, modifiers, presets,
};
use console::style;
use cutover::control::MigrationStatus;
use cutover::store::{AuditEntry, Settings};
use cutover::validate::ValidationReport;
use cutover::{Discrepancy, MemoryRecorder};
use serde::Serialize;

use crate::compare::Input;
use crate::figures::Figures;
use crate::rollout::{Rollback, Step};

mod differences;

pub(crate) use differences::disagreements;

pub(crate) fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", style(text).bold().cyan())
}

/// What an earlier run left, which this one takes up.
pub(crate) fn continued(out: &mut impl Write, left: &MigrationStatus) -> io::Result<()> {
    let MigrationStatus { epoch, mode, rollout, .. } = left;
    let who = left.actor.as_ref().map_or("nobody", |actor| actor.as_str());
    let why = left.reason.as_ref().map_or("no reason", |reason| reason.as_str());
    let (who, why) = (printable(who), printable(why));
    writeln!(out, "continues at epoch {epoch}: {mode} at {rollout}, by {who} ({why})")
}

/// Names and counts on standard error all that could not be read.
pub(crate) fn every_unreadable(inputs: &[Input]) {
    let all = || inputs.iter().flat_map(|input| &input.unreadable);
    let count = all().count();
    let total = (count > 0).then(|| format!("could not be read: {count}"));
    on_standard_error(all().map(ToString::to_string).chain(total));
}

/// One line on standard error for each reason why something could not be read, with the first few names.
pub(crate) fn unreadable(inputs: &[Input]) {
    let mut reasons = BTreeMap::<&str, Vec<String>>::new();
    for one in inputs.iter().flat_map(|input| &input.unreadable) {
        reasons.entry(&one.why).or_default().push(end(&one.path.to_string_lossy(), MOST_OF_A_PATH));
    }
    on_standard_error(reasons.into_iter().map(|(why, names)| {
        let shown = names.iter().take(MOST_NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
        let more = names.len().saturating_sub(MOST_NAMES);
        let more = if more > 0 { format!(" and {more} more, which --json names") } else { String::new() };
        format!("{} could not be read ({why}): {shown}{more}", names.len())
    }));
}

const MOST_NAMES: usize = 3;
const MOST_OF_A_PATH: usize = 50;

fn on_standard_error(mut lines: impl Iterator<Item = String>) {
    // Nobody is left to tell when standard error is closed.
    drop(lines.try_for_each(|line| writeln!(io::stderr(), "{}", printable(&line))));
}

/// The object that `--json` promises.
#[derive(Serialize)]
struct Report<'r> {
    suite: &'r Figures,
    folder: &'r Figures,
    discrepancies: Vec<Discrepancy>,
}

pub(crate) fn json(out: &mut impl Write, inputs: &[Input; 2], recorder: &MemoryRecorder) -> io::Result<()> {
    let [suite, folder] = inputs;
    let report = Report { suite: &suite.figures, folder: &folder.figures, discrepancies: recorder.discrepancies() };
    writeln!(out, "{}", serde_json::to_string_pretty(&report)?)
}

pub(crate) fn figures(out: &mut impl Write, inputs: &[Input]) -> io::Result<()> {
    let mut table = table(&["input", "total", "matched", "mismatched", "legacy failed", "new failed", "both failed"]);
    for Input { name, figures: f, .. } in inputs {
        let mut cells = row(*name, [f.total]);
        cells.add_cell(coloured(f.matched, Color::Green)).add_cell(coloured(f.mismatched, Color::Red));
        cells.add_cell(coloured(f.legacy_failed, Color::Yellow)).add_cell(coloured(f.new_failed, Color::Red));
        cells.add_cell(number_cell(f.both_failed));
        table.add_row(cells);
    }
    writeln!(out, "{table}")?;
    inputs.iter().try_for_each(|input| timing(out, input))?;
    inputs.iter().filter(|input| input.rightly_refused > 0).try_for_each(|input| refusals(out, input))
}

/// Why so much is refused where cargo has unpacked the suite.
fn refusals(out: &mut impl Write, Input { figures, rightly_refused, .. }: &Input) -> io::Result<()> {
    let refused = figures.refused();
    write!(
        out,
        "{rightly_refused} of the {refused} refused by new or both are documents that the suite calls invalid"
    )?;
    writeln!(out, ": rightly refused")
}

#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn timing(out: &mut impl Write, input: &Input) -> io::Result<()> {
    let Input { name, figures, counts, unreadable, elapsed, .. } = input;
    let per_second = figures.total as f64 / elapsed.as_secs_f64().max(f64::EPSILON);
    let [legacy, new] = [counts.legacy_nanos, counts.new_nanos].map(|nanos| nanos as f64 / 1e6);
    write!(out, "{name}: {elapsed:.2?}, {per_second:.0} calls per second; legacy {legacy:.0} ms, new {new:.0} ms")?;
    if figures.panicked > 0 {
        write!(out, "; a side panicked in {}", figures.panicked)?;
    }
    if !unreadable.is_empty() {
        write!(out, "; {} could not be read", unreadable.len())?;
    }
    writeln!(out)
}

pub(crate) fn validation(out: &mut impl Write, report: &ValidationReport) -> io::Result<()> {
    let ValidationReport { passed, failed, errors, total, duration, failures, .. } = report;
    let rate = style(format!("{:.1} %", report.success_rate() * 100.0)).bold();
    writeln!(out, "{passed} of {total} passed, {failed} failed, {errors} errors: {rate}, in {duration:.2?}")?;
    failures.iter().take(MOST_FAILURES).try_for_each(|failure| writeln!(out, "  {failure}"))?;
    more(out, failures.len(), MOST_FAILURES)
}

const MOST_FAILURES: usize = 5;

pub(crate) fn steps(out: &mut impl Write, steps: &[Step]) -> io::Result<()> {
    let mut table = table(&["mode", "rollout", "new", "legacy", "moved back", "fell back", "both ran", "errors"]);
    for step in steps {
        let Step { mode, rollout, new, legacy, moved_back, fallbacks, compared, errors } = step;
        let shares = [rollout.to_string(), new.to_string(), legacy.to_string(), moved_back.to_string()];
        let counts = [fallbacks.to_string(), compared.to_string(), errors.to_string()];
        table.add_row(row(mode, shares.into_iter().chain(counts)));
    }
    writeln!(out, "{table}")?;
    let back: usize = steps.iter().map(|step| step.moved_back).sum();
    let back = if back == 0 { "no document".to_owned() } else { format!("{back} documents") };
    writeln!(out, "{back} moved back to legacy; a tenth of the documents stays under comparison")?;
    writeln!(out, "fell back: new failed, and legacy was asked; errors: what was left for the caller")
}

pub(crate) fn rollback(out: &mut impl Write, rollback: &Rollback) -> io::Result<()> {
    let Rollback { took, new: [before, after], allowed } = rollback;
    let allowed = allowed.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    writeln!(out, "new served {before} documents, and {after} of them {took:.1?} later; may next become: {allowed}")
}

pub(crate) fn audit(out: &mut impl Write, entries: &[AuditEntry]) -> io::Result<()> {
    let mut table = table(&["epoch", "when (UTC)", "who", "change", "from", "to", "why"]);
    for entry in entries {
        let [change, from, to] = changed(entry.before.unwrap_or_default(), entry.after);
        let (who, why) = (printable(entry.actor.as_str()), printable(entry.reason.as_str()));
        table.add_row([entry.epoch.to_string(), time_of_day(entry.at), who, change, from, to, why]);
    }
    for modes in table.column_iter_mut().skip(4).take(2) {
        modes.set_constraint(ColumnConstraint::ContentWidth);
    }
    writeln!(out, "{table}")
}

/// Of the settings that differ: which, before, and after; a line each.
fn changed(before: Settings, after: Settings) -> [String; 3] {
    let texts = |settings: Settings| {
        let share = settings.shadow_share.map_or_else(|| "default".into(), |share| share.to_string());
        [settings.mode.to_string(), settings.rollout.to_string(), share]
    };
    let all = ["mode", "rollout", "shadow"].into_iter().zip(texts(before)).zip(texts(after));
    let changes: Vec<_> = all.filter(|((_, before), after)| before != after).collect();
    let lines =
        |pick: fn(&((&'static str, String), String)) -> String| changes.iter().map(pick).collect::<Vec<_>>().join("\n");
    [
        lines(|((what, _), _)| (*what).to_owned()),
        lines(|((_, before), _)| before.clone()),
        lines(|(_, after)| after.clone()),
    ]
}

fn time_of_day(at: SystemTime) -> String {
    let millis = at.duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
    let seconds = millis / 1_000;
    format!("{:02}:{:02}:{:02}.{:03}", seconds / 3_600 % 24, seconds / 60 % 60, seconds % 60, millis % 1_000)
}

/// An empty table as wide as the terminal, or 100 columns where there is none.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    let width = console::Term::stdout().size_checked().map_or(100, |(_, columns)| columns);
    table.load_preset(presets::UTF8_FULL_CONDENSED).apply_modifier(modifiers::UTF8_ROUND_CORNERS);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(header.iter().map(|text| Cell::new(text).add_attribute(Attribute::Bold)));
    // One place decides about colours, for tables too: `console` knows the terminal and NO_COLOR.
    if console::colors_enabled() {
        table.enforce_styling()
    } else {
        table.force_no_tty()
    };
    table
}

/// A text and numbers.
fn row<N: Display>(first: impl Display, numbers: impl IntoIterator<Item = N>) -> Row {
    std::iter::once(Cell::new(first)).chain(numbers.into_iter().map(number_cell)).collect::<Vec<_>>().into()
}

/// A number in colour, unless it is 0.
fn coloured(number: u64, color: Color) -> Cell {
    let cell = number_cell(number);
    if number > 0 { cell.fg(color) } else { cell }
}

fn number_cell(number: impl Display) -> Cell {
    Cell::new(number).set_alignment(CellAlignment::Right)
}

fn more(out: &mut impl Write, all: usize, shown: usize) -> io::Result<()> {
    if all > shown { writeln!(out, "  and {} more", all - shown) } else { Ok(()) }
}

/// Foreign text without characters that steer a terminal.
fn printable(text: &str) -> String {
    text.chars().flat_map(|c| if c.is_control() { c.escape_default().collect() } else { vec![c] }).collect()
}

/// The last `most` characters, where a path says the most.
fn end(text: &str, most: usize) -> String {
    let skipped = text.chars().count().saturating_sub(most);
    match text.char_indices().nth(skipped) {
        Some((start, _)) if skipped > 0 => format!("…{}", text.get(start..).unwrap_or_default()),
        Some(_) | None => text.to_owned(),
    }
}
