//! What is seen: bars on a terminal, lines elsewhere, and a table at the end.
#![expect(clippy::indexing_slicing, reason = "what a JSON value does not have is null")]

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use console::{Term, style};
use cutover_fleet::{FleetEvent, FleetObserver, Outcome, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::Value;

use crate::Failure;
use crate::migrate::{JSON, MARKDOWN};

pub(crate) struct Show {
    term: Term,
}

impl Show {
    pub(crate) fn new() -> Self {
        Self { term: Term::stdout() }
    }

    pub(crate) fn say(&self, line: &str) -> Result<(), Failure> {
        Ok(self.term.write_line(line)?)
    }

    /// A bar for so many systems that are being started.
    pub(crate) fn starting(systems: u64) -> ProgressBar {
        let bar = ProgressBar::new(systems).with_message("starting the systems");
        bar.with_style(
            ProgressStyle::with_template("{msg} {bar:40} {pos}/{len}").unwrap_or_else(|_| ProgressStyle::default_bar()),
        )
    }

    pub(crate) fn begin(&self, systems: usize, seed: Option<u64>) -> Result<(), Failure> {
        self.say(&format!(
            "{systems} systems run, each behind a front of its own, and each has a client who asks on and on."
        ))?;
        match seed {
            None => self.say("They are migrated in four phases. Eight are broken on purpose. Nobody tells the fleet."),
            Some(seed) => self.say(&format!("Who migrates them is going to be killed, by the seed {seed}.")),
        }
    }

    pub(crate) fn killed(&self, death: u32, life: Duration) -> Result<(), Failure> {
        let killed = style(format!("killed, for the {death}. time, after {:.1} s", life.as_secs_f64())).red().bold();
        self.say(&format!("{killed}; the next process goes on, as soon as the claims of the dead one have run out"))
    }

    /// Whether what should happen did.
    pub(crate) fn end(&self, folder: &Path, counts: [u64; 3], kept: bool) -> Result<bool, Failure> {
        let report: Value = serde_json::from_slice(&fs::read(folder.join(JSON))?)?;
        self.say(&table(&report).to_string())?;
        self.failures(&report)?;
        let [right, wrong, failed] = counts;
        self.say(&format!("\nThe clients got {right} right answers, {wrong} wrong ones, and {failed} times none."))?;
        if kept {
            self.say(&format!("Reports: {} and {}", folder.join(MARKDOWN).display(), folder.join(JSON).display()))?;
        }
        Ok(wrong == 0 && report["stopped"].is_null())
    }

    fn failures(&self, report: &Value) -> Result<(), Failure> {
        for system in systems(report).filter(|system| !system["failure"].is_null()) {
            let (name, outcome) = (text(&system["system"]), text(&system["outcome"]).replace('_', " "));
            self.say(&format!("  {} {outcome}: {}", style(name).bold(), text(&system["failure"]["reason"])))?;
        }
        Ok(())
    }
}

/// A row for each phase, a column for each outcome that there is.
fn table(report: &Value) -> Table {
    let present = |outcome: &&Outcome| systems(report).any(|system| text(&system["outcome"]) == outcome.name());
    let outcomes: Vec<Outcome> = Outcome::ALL.iter().filter(present).copied().collect();
    let mut table = Table::new();
    table.load_preset(presets::UTF8_FULL_CONDENSED).set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(["phase".to_owned()].into_iter().chain(outcomes.iter().map(ToString::to_string)));
    for phase in report["phases"].as_array().into_iter().flatten() {
        let mut counts = BTreeMap::<&str, usize>::new();
        for system in phase["systems"].as_array().into_iter().flatten() {
            *counts.entry(text(&system["outcome"])).or_default() += 1;
        }
        let cells = outcomes.iter().map(|outcome| counts.get(outcome.name()).copied().unwrap_or(0).to_string());
        table.add_row([text(&phase["phase"]).to_owned()].into_iter().chain(cells));
    }
    table
}

fn systems(report: &Value) -> impl Iterator<Item = &Value> {
    let phases = report["phases"].as_array().into_iter().flatten();
    phases.flat_map(|phase| phase["systems"].as_array().into_iter().flatten())
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// Shows how far the fleet has come.
pub(crate) struct Watcher {
    bar: ProgressBar,
}

impl Watcher {
    pub(crate) fn new() -> Self {
        let style =
            ProgressStyle::with_template("{bar:40.green} {msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::new(1).with_style(style);
        bar.enable_steady_tick(Duration::from_millis(200));
        Self { bar }
    }

    pub(crate) fn observer(&self) -> impl FleetObserver + 'static {
        let bar = self.bar.clone();
        move |event: &FleetEvent, progress: &Progress| hear(&bar, event, progress)
    }

    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

fn hear(bar: &ProgressBar, event: &FleetEvent, progress: &Progress) {
    bar.set_length(progress.steps as u64);
    bar.set_position(progress.steps_done as u64);
    let busy: Vec<String> = progress.under_way.keys().map(ToString::to_string).collect();
    bar.set_message(format!("{} of {} migrated, {}", progress.migrated, progress.systems, busy.join(" ")));
    if let FleetEvent::SystemEnded { system, outcome } = event {
        let line = format!("{system}: {outcome}");
        let coloured = if outcome.is_migrated() { style(line).green() } else { style(line).yellow() };
        if bar.is_hidden() {
            // Nobody is left to tell when standard output is closed.
            drop(writeln!(io::stdout(), "{coloured}"));
        } else {
            bar.println(coloured.to_string());
        }
    }
}
