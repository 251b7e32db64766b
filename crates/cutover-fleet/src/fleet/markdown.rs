//! A [`FleetReport`] as Markdown.

use std::fmt::{self, Write};

use super::FleetReport;
use crate::migrator::SystemReport;
use crate::outcome::Outcome;

impl FleetReport {
    /// The report as Markdown: where it stands, the figures, the systems by phase, and what did not succeed.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        let mut text = String::new();
        // Writing to a string never fails.
        self.write(&mut text).ok();
        text
    }

    fn write(&self, out: &mut String) -> fmt::Result {
        out.push_str("# Fleet report\n\n");
        self.write_summary(out)?;
        self.write_kpis(out)?;
        self.write_phases(out)?;
        self.write_failures(out)
    }

    fn write_summary(&self, out: &mut String) -> fmt::Result {
        let counts = Outcome::ALL.into_iter().map(|outcome| (outcome, self.count(outcome)));
        let counts: Vec<String> =
            counts.filter(|(_, count)| *count > 0).map(|(outcome, count)| format!("{count} {outcome}")).collect();
        writeln!(out, "{} systems: {}.", self.systems().count(), counts.join(", "))?;
        match &self.stopped {
            Some(reason) => writeln!(out, "\nStopped: {}.", cell(&reason.to_string())),
            None => Ok(()),
        }
    }

    fn write_kpis(&self, out: &mut String) -> fmt::Result {
        out.push_str("\n## Figures\n\n| figure | value | unit | target | met | score |\n|---|---|---|---|---|---|\n");
        for kpi in &self.kpis.figures {
            let met = kpi.met.map_or("", |met| if met { "yes" } else { "no" });
            let target = kpi.target.map(|target| target.to_string()).unwrap_or_default();
            let value = kpi.number().unwrap_or_else(|| "no data".to_owned());
            let score = kpi.score.map(|score| format!("{score:.2}")).unwrap_or_default();
            writeln!(out, "| {} | {value} | {} | {target} | {met} | {score} |", kpi.name, kpi.unit)?;
        }
        match self.kpis.score {
            Some(score) => writeln!(out, "\nScore: {score:.2} of 1, the mean of the scores above."),
            None => writeln!(out, "\nScore: no data, since no system is migrated."),
        }
    }

    fn write_phases(&self, out: &mut String) -> fmt::Result {
        for phase in &self.phases {
            writeln!(out, "\n## Phase {} (up to {})\n", cell(&phase.phase), phase.until)?;
            if phase.systems.is_empty() {
                out.push_str("No systems.\n");
                continue;
            }
            out.push_str(
                "| system | priority | category | strategy | outcome | validation | p95 change | throughput change |\n",
            );
            out.push_str("|---|---|---|---|---|---|---|---|\n");
            phase.systems.iter().try_for_each(|system| write_system(out, system))?;
        }
        Ok(())
    }

    fn write_failures(&self, out: &mut String) -> fmt::Result {
        let mut heading = "\n## What did not succeed\n";
        for system in self.systems() {
            if let Some(failure) = &system.failure {
                writeln!(out, "{heading}\n```text\n{failure}\n```")?;
                heading = "";
            } else if let Some(why) = &system.interrupted {
                writeln!(out, "{heading}\n```text\n{}: has not ended: {why}\n```", system.system)?;
                heading = "";
            }
        }
        Ok(())
    }
}

fn write_system(out: &mut String, system: &SystemReport) -> fmt::Result {
    let SystemReport { priority, strategy, outcome, .. } = system;
    let validation = system.validation.map(|counts| format!("{}/{}", counts.passed, counts.total)).unwrap_or_default();
    let change = |change: Option<f64>| change.map(|change| format!("{change:+.3}")).unwrap_or_default();
    let (name, category) = (&system.system, cell(system.category.as_str()));
    let (latency, throughput) = (change(system.latency_change), change(system.throughput_change));
    writeln!(
        out,
        "| {name} | {priority} | {category} | {strategy} | {outcome} | {validation} | {latency} | {throughput} |"
    )
}

/// A text in a table: in one line, and without an end of its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace(['\n', '\r'], " ")
}

impl fmt::Display for FleetReport {
    /// Where it stands, in a few lines.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let total = self.systems().count();
        let migrated = self.systems().filter(|system| system.outcome.is_migrated()).count();
        write!(f, "{migrated} of {total} systems migrated")?;
        self.stopped.iter().try_for_each(|reason| write!(f, "; stopped: {reason}"))?;
        self.kpis.figures.iter().try_for_each(|kpi| write!(f, "\n  {kpi}"))
    }
}
