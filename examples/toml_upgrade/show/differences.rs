//! What disagreed: by kind and path with counts, and the first few as a diff.

use std::collections::BTreeMap;
use std::io::{self, Write};

use console::style;
use cutover::compare::Difference;
use cutover::record::{DiscrepancyKind, SideRecord};
use cutover::{Discrepancy, MemoryRecorder, Outcome};
use serde_json::Value;

use super::{end, more, number_cell, printable, row, table};

pub(crate) fn disagreements(out: &mut impl Write, recorder: &MemoryRecorder) -> io::Result<()> {
    let found = recorder.discrepancies();
    if found.is_empty() {
        return writeln!(out, "\nnothing disagreed");
    }
    by_kind_and_path(out, &found)?;
    if recorder.dropped() > 0 {
        writeln!(out, "{} disagreements more than the recorder keeps are not in this table", recorder.dropped())?;
    }
    first_few(out, &found)
}

/// Where something disagrees: the input, the kind, the path, and what is wrong there.
type Place<'d> = (&'d str, DiscrepancyKind, String, String);

fn by_kind_and_path(out: &mut impl Write, found: &[Discrepancy]) -> io::Result<()> {
    let mut counts = BTreeMap::<Place<'_>, u64>::new();
    for discrepancy in found {
        for (path, what) in places(discrepancy) {
            *counts.entry((&*discrepancy.runner, discrepancy.kind, path, what)).or_default() += discrepancy.occurrences;
        }
    }
    let mut sorted: Vec<_> = counts.into_iter().collect();
    sorted.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    let mut table = table(&["input", "kind", "path", "what", "count"]);
    for ((input, kind, path, what), count) in sorted.iter().take(MOST_ROWS) {
        let mut cells = row::<u64>(input, []);
        cells.add_cell(kind.name().into()).add_cell(path.into()).add_cell(what.into()).add_cell(number_cell(count));
        table.add_row(cells);
    }
    writeln!(out, "\n{table}")?;
    more(out, sorted.len(), MOST_ROWS)
}

const MOST_ROWS: usize = 20;

/// The differing places of two values; of a failure, the message.
fn places(discrepancy: &Discrepancy) -> Vec<(String, String)> {
    if discrepancy.kind == DiscrepancyKind::ValuesDiffer {
        let generic = |difference: &Difference| (without_indices(&difference.path), difference.kind.to_string());
        return discrepancy.differences.iter().map(generic).collect();
    }
    let sides = [&discrepancy.legacy, &discrepancy.new];
    let panicked = sides.into_iter().find(|side| side.outcome == Outcome::Panicked);
    let failed = panicked.or_else(|| sides.into_iter().find(|side| side.outcome != Outcome::Ok));
    vec![("(whole document)".into(), failed.map_or_else(String::new, |side| captured(side, LINE)))]
}

/// The path with every array index written as `*`.
fn without_indices(path: &str) -> String {
    let is_index = |token: &str| !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit());
    let generic = path.split('/').map(|token| if is_index(token) { "*" } else { token });
    printable(&generic.collect::<Vec<_>>().join("/"))
}

fn first_few(out: &mut impl Write, found: &[Discrepancy]) -> io::Result<()> {
    let mut shown = BTreeMap::<_, usize>::new();
    for discrepancy in found {
        let of_this_kind = shown.entry((&discrepancy.runner, discrepancy.kind)).or_default();
        *of_this_kind += 1;
        if *of_this_kind <= MOST_OF_A_KIND {
            diff(out, discrepancy)?;
        }
    }
    Ok(())
}

const MOST_OF_A_KIND: usize = 2;

fn diff(out: &mut impl Write, discrepancy: &Discrepancy) -> io::Result<()> {
    let Discrepancy { runner, kind, key, occurrences, differences, legacy, new, .. } = discrepancy;
    let name = style(end(&printable(key.as_deref().unwrap_or_default()), NAME)).bold();
    let alike = if *occurrences > 1 { format!(" and {} alike", occurrences - 1) } else { String::new() };
    writeln!(out, "\n{runner} {} {name}{}", style(kind).yellow(), style(alike).dim())?;
    if differences.is_empty() {
        return sides(out, &captured(legacy, LINE), &captured(new, LINE));
    }
    for Difference { path, legacy, new, .. } in differences.iter().take(MOST_DIFFERENCES) {
        writeln!(out, "  {}", style(printable(path)).cyan())?;
        sides(out, &json(legacy.as_ref()), &json(new.as_ref()))?;
    }
    more(out, differences.len(), MOST_DIFFERENCES)
}

const MOST_DIFFERENCES: usize = 3;

fn sides(out: &mut impl Write, legacy: &str, new: &str) -> io::Result<()> {
    writeln!(out, "  {}", style(format!("- {legacy}")).red())?;
    writeln!(out, "  {}", style(format!("+ {new}")).green())
}

fn captured(side: &SideRecord, most: usize) -> String {
    let text = side.value.as_ref().map_or_else(|| "(nothing)".into(), |value| value.text.clone());
    let text = shortened(&text, most);
    match side.outcome {
        Outcome::Ok | Outcome::Err => text,
        Outcome::Panicked | Outcome::TimedOut | Outcome::Abandoned => format!("{}: {text}", side.outcome),
    }
}

fn json(value: Option<&Value>) -> String {
    value.map_or_else(|| "(nothing)".into(), |value| shortened(&value.to_string(), LINE))
}

/// One line of at most `most` characters.
fn shortened(text: &str, most: usize) -> String {
    let printable = printable(text);
    match printable.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", printable.get(..end).unwrap_or_default()),
        None => printable,
    }
}

const NAME: usize = 70;

/// As many characters as stand in one line of a narrow terminal.
const LINE: usize = 88;
