//! What is written on the terminal.

use std::io::{self, Write};

use comfy_table::{Attribute, Cell as TableCell, CellAlignment, Color, ContentArrangement, Table, modifiers, presets};
use console::style;
use cutover::simulate::{Outcome, Spread};
use cutover::{Percentage, RolloutPlan};

use crate::{Cell, Row};

pub(crate) fn introduction(out: &mut impl Write, plans: &[RolloutPlan], runs: u32) -> io::Result<()> {
    heading(out, "The plans")?;
    plans.iter().try_for_each(|plan| writeln!(out, "{}: {}", style(plan.name()).bold(), steps(plan)))?;
    heading(out, "The world")?;
    writeln!(
        out,
        "30 calls a second on average, more by day than by night, of 20,000 users. Both sides do equally well, and"
    )?;
    writeln!(
        out,
        "their failures come and go together; 1 user in 500 has data on which every call fails. The guard looks once a"
    )?;
    writeln!(out, "minute. Each plan meets each fault {runs} times.")
}

fn steps(plan: &RolloutPlan) -> String {
    let step = |step: &cutover::plan::Step| {
        let hours = step.hold.as_secs() / 3_600;
        let hold = if hours % 24 == 0 { format!("{} d", hours / 24) } else { format!("{hours} h") };
        let settings = step.settings();
        let shown =
            if settings.rollout == Percentage::ZERO { "both run".to_owned() } else { settings.rollout.to_string() };
        format!("{shown} for {hold}")
    };
    plan.steps().iter().map(step).collect::<Vec<_>>().join(", ")
}

pub(crate) fn tables(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    heading(out, "What becomes of them")?;
    let mut table = table(&["fault", "plan", "end", "found after", "calls hurt", "users hurt", "naive rule"]);
    for row in rows {
        for (number, cell) in row.cells.iter().enumerate() {
            let name = if number == 0 { row.case.name } else { "" };
            table.add_row(line(name, cell));
        }
    }
    writeln!(out, "{table}")?;
    LEGEND.iter().try_for_each(|line| writeln!(out, "{line}"))
}

const LEGEND: [&str; 7] = [
    "Medians over the runs; in brackets what 95 % of the runs do not exceed.",
    "calls hurt: new served them, and they would have gone well without the fault; a wrong answer is one.",
    "naive rule: roll back when more than 5 of the last 100 calls of new have failed, asked after every call.",
    "  false in 2/2: it rolls back in two runs of two before anything is broken.",
    "done, broken: 3 % are below the limit of the default guard, which is 5 %; whoever minds sets another.",
    "done before it: the fault comes when the plan is over and nobody looks. A longer plan would have found it.",
    "half wrong early: comparing both sides before new serves anybody finds it without any harm.",
];

fn line(fault: &str, cell: &Cell) -> Vec<TableCell> {
    let summary = &cell.summary;
    let is_quiet = summary.broken == 0;
    let found = if is_quiet {
        "-".to_owned()
    } else if summary.detected == 0 {
        "never".to_owned()
    } else {
        format!("{}{}", of(&summary.delay, time), missed(summary.broken - summary.detected))
    };
    let hurt = if is_quiet { "0".to_owned() } else { of(&summary.hurt_calls, whole) };
    let users = summary.hurt_keys.median().map_or_else(|| "0".to_owned(), whole);
    let naive = &summary.naive;
    let naive = match (naive.false_alarms, naive.detected) {
        (0, 0) => "sees nothing".to_owned(),
        (0, found) if found < summary.runs => format!("found in {found}/{}", summary.runs),
        (0, _) => format!("after {}", of(&naive.delay, time)),
        (alarms, _) => format!("false in {alarms}/{}", summary.runs),
    };
    let bad_naive = summary.naive.false_alarms > 0;
    vec![
        TableCell::new(fault),
        TableCell::new(&cell.plan),
        end(cell),
        TableCell::new(found),
        TableCell::new(hurt).set_alignment(CellAlignment::Right),
        TableCell::new(users).set_alignment(CellAlignment::Right),
        if bad_naive { TableCell::new(naive).fg(Color::Yellow) } else { TableCell::new(naive) },
    ]
}

fn end(cell: &Cell) -> TableCell {
    let summary = &cell.summary;
    if summary.false_alarms > 0 {
        return TableCell::new(format!("false in {}/{}", summary.false_alarms, summary.runs)).fg(Color::Red);
    }
    match cell.first.outcome {
        Outcome::Finished if summary.broken == 0 && cell.breaks => TableCell::new("done before it").fg(Color::Red),
        Outcome::Finished if summary.broken == 0 => {
            TableCell::new(format!("done, {} days", of(&summary.days, |days| format!("{days:.1}")))).fg(Color::Green)
        }
        Outcome::Finished => TableCell::new("done, broken").fg(Color::Red),
        Outcome::RolledBack => TableCell::new("rolled back").fg(Color::Green),
        Outcome::GivenUp | _ => TableCell::new("given up"),
    }
}

fn missed(runs: u64) -> String {
    if runs == 0 { String::new() } else { format!("; never in {runs} runs") }
}

/// The median, and the 95th percentile if it is written differently.
fn of(spread: &Spread, write: impl Fn(f64) -> String) -> String {
    let (Some(median), Some(most)) = (spread.median(), spread.quantile(0.95)) else { return "never".to_owned() };
    let (median, most) = (write(median), write(most));
    if median == most { median } else { format!("{median} ({most})") }
}

pub(crate) fn time(seconds: f64) -> String {
    match seconds {
        seconds if seconds < 120.0 => format!("{seconds:.0} s"),
        seconds if seconds < 7_200.0 => format!("{:.0} min", seconds / 60.0),
        seconds if seconds < 172_800.0 => format!("{:.0} h", seconds / 3_600.0),
        seconds => format!("{:.0} d", seconds / 86_400.0),
    }
}

/// Large numbers are rounded.
pub(crate) fn whole(number: f64) -> String {
    match number {
        number if number < 10_000.0 => format!("{number:.0}"),
        number if number < 1_000_000.0 => format!("{:.0},000", number / 1_000.0),
        number => format!("{:.1} million", number / 1_000_000.0),
    }
}

fn heading(out: &mut impl Write, text: &str) -> io::Result<()> {
    writeln!(out, "\n{}", style(text).bold().cyan())
}

/// An empty table as wide as the terminal, or 120 columns where there is none.
fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    let width = console::Term::stdout().size_checked().map_or(120, |(_, columns)| columns);
    table.load_preset(presets::UTF8_FULL_CONDENSED).apply_modifier(modifiers::UTF8_ROUND_CORNERS);
    table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    table.set_header(header.iter().map(|text| TableCell::new(text).add_attribute(Attribute::Bold)));
    // One place decides about colours, for tables too: `console` knows the terminal and NO_COLOR.
    if console::colors_enabled() {
        table.enforce_styling();
    } else {
        table.force_no_tty();
    }
    table
}
