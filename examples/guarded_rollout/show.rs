//! What is seen: a line for each event, charts that grow on a terminal, and at the end what the guard says.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::time::Duration;

use comfy_table::{ContentArrangement, Table, presets};
use console::{Term, style};
use cutover::SystemMode;
use cutover::control::MigrationStatus;
use cutover::guard::{GuardReport, GuardVerdict, Trigger};
use cutover::monitor::{Histogram, MonitorSnapshot, SideCounts};
use cutover::plan::{Decision, PlanEnd, PlanReport};
use cutover::store::AuditEntry;

use crate::charts::{Line, MARGIN, SCALE, looks_in_column};
use crate::prices::Fault;

/// What is seen at one time.
pub(crate) struct Seen<'a> {
    pub(crate) time: Duration,
    pub(crate) status: MigrationStatus,
    pub(crate) snapshot: MonitorSnapshot,
    pub(crate) report: Option<&'a PlanReport>,
    pub(crate) got: (u64, u64),
    /// Whether new broke just now.
    pub(crate) broke: bool,
}

/// One column of the charts.
struct Column {
    rollout: f64,
    errors: [Option<f64>; 2],
    p95: [Option<f64>; 2],
    /// How much of what the guard needs is proven, by trigger.
    proven: [Option<f64>; 2],
}

pub(crate) struct Show {
    term: Term,
    fault: Option<Fault>,
    columns: Vec<Column>,
    /// The last second.
    snapshots: VecDeque<MonitorSnapshot>,
    settings: Option<(SystemMode, f64)>,
    breach: Option<GuardReport>,
    /// When new broke, and when it was rolled back.
    broke: Option<Duration>,
    rolled_back: Option<Duration>,
    got: (u64, u64),
    drawn: usize,
}

impl Show {
    pub(crate) fn new(fault: Option<Fault>, server: SocketAddr) -> io::Result<Self> {
        let show = Self {
            term: Term::stdout(),
            fault,
            columns: Vec::new(),
            snapshots: VecDeque::new(),
            settings: None,
            breach: None,
            broke: None,
            rolled_back: None,
            got: (0, 0),
            drawn: 0,
        };
        show.say("")?;
        show.say(&format!(
            "A price service on http://{server}/price/17 moves from legacy to new, by two seconds a step,"
        ))?;
        show.say("while 16 clients ask for prices. A guard looks four times a second.")?;
        let what = fault.map_or_else(
            || "Both sides are equally good. Nothing should happen.".to_owned(),
            |fault| format!("At {} % new is going to break: {fault}. Nobody tells the guard.", fault.at),
        );
        show.say(&what)?;
        show.say("")?;
        Ok(show)
    }

    pub(crate) fn look(&mut self, seen: Seen<'_>) -> io::Result<()> {
        self.clear()?;
        self.events(&seen)?;
        self.got = seen.got;
        self.columns.push(self.column(&seen));
        self.snapshots.push_back(seen.snapshot);
        if self.snapshots.len() > 4 {
            self.snapshots.pop_front();
        }
        if self.term.is_term() { self.draw() } else { Ok(()) }
    }

    fn events(&mut self, seen: &Seen<'_>) -> io::Result<()> {
        let time = seen.time;
        if let Some(report) = seen.report.filter(|report| report.decision == Decision::Rollback) {
            self.breach = self.breach.take().or_else(|| report.guard.clone());
        }
        let settings = (seen.status.mode, seen.status.rollout.percent());
        let is_over = settings.0 == SystemMode::EmergencyRollback;
        if self.settings.replace(settings) != Some(settings) && !is_over {
            self.event(time, &entered(&seen.status))?;
        }
        if seen.broke {
            self.broke = Some(time);
            let fault = self.fault.map(|fault| fault.to_string()).unwrap_or_default();
            self.event(time, &style(format!("new breaks: {fault}")).red().to_string())?;
        }
        if is_over && self.rolled_back.is_none() {
            self.rolled_back = Some(time);
            let since = self.broke.map(|broke| time.saturating_sub(broke));
            let since =
                since.map(|since| format!(", {:.2} s after new broke", since.as_secs_f64())).unwrap_or_default();
            self.event(time, &style(format!("the guard has rolled back to legacy{since}")).green().bold().to_string())?;
        }
        Ok(())
    }

    fn event(&self, time: Duration, text: &str) -> io::Result<()> {
        self.say(&format!("{:>6.2} s  {text}", time.as_secs_f64()))
    }

    fn column(&self, seen: &Seen<'_>) -> Column {
        let earlier = self.snapshots.iter().find_map(|earlier| seen.snapshot.since(earlier));
        let last = earlier.as_ref();
        let guard = seen.report.and_then(|report| report.guard.as_ref());
        let proven = |trigger| guard.and_then(|guard| proven(guard, trigger));
        Column {
            rollout: seen.status.rollout.percent(),
            errors: [last.and_then(|last| errors(&last.counts.legacy)), last.and_then(|last| errors(&last.counts.new))],
            p95: [last.and_then(|last| p95(&last.legacy)), last.and_then(|last| p95(&last.new))],
            proven: [proven(Trigger::ErrorRate), proven(Trigger::P95)],
        }
    }

    fn lines(&self) -> Vec<Line> {
        let values = |pick: fn(&Column) -> Option<f64>| self.columns.iter().map(pick).collect::<Vec<_>>();
        let most = |lines: [&[Option<f64>]; 2], least: f64| {
            lines.into_iter().flatten().copied().flatten().fold(least, f64::max)
        };
        let line = |name, values, full: f64, scale: String, alarm| Line { name, values, full, scale, alarm };
        let (legacy, new) = (values(|column| column.errors[0]), values(|column| column.errors[1]));
        let errors = most([&legacy, &new], 0.02);
        let (legacy_p95, new_p95) = (values(|column| column.p95[0]), values(|column| column.p95[1]));
        let twice = most([&legacy_p95, &[]], 5.0) * 2.0;
        let p95 = most([&[], &new_p95], twice);
        let never = f64::INFINITY;
        let (percent, millis) = (format!("{:.0} % fail", errors * 100.0), format!("{p95:.0} ms"));
        vec![
            line(
                "share of new",
                values(|column| Some(column.rollout).filter(|share| *share > 0.0)),
                100.0,
                "100 %".into(),
                never,
            ),
            line("errors of legacy", legacy, errors, percent.clone(), never),
            line("errors of new", new, errors, percent, 0.05),
            line("p95 of legacy", legacy_p95, p95, millis.clone(), never),
            line("p95 of new", new_p95, p95, millis, twice),
            line("evidence: failures", values(|column| column.proven[0]), 1.0, "proven".into(), 1.0),
            line("evidence: slowness", values(|column| column.proven[1]), 1.0, "proven".into(), 1.0),
        ]
    }

    fn draw(&mut self) -> io::Result<()> {
        let width = self.term.size_checked().map_or(100, |(_, columns)| usize::from(columns));
        let columns = width.saturating_sub(MARGIN + SCALE).clamp(10, 76);
        let mut lines: Vec<String> = vec![String::new()];
        lines.extend(self.lines().iter().map(|line| line.draw(columns)));
        let looks = looks_in_column(self.columns.len(), columns);
        let (answers, errors) = self.got;
        lines.push(format!(
            "{:MARGIN$}a column is {} ms; new in red is beyond its limit, of 5 % or twice the p95",
            "",
            looks * 250
        ));
        lines.push(format!(
            "{:MARGIN$}evidence grows with what cannot be chance; at the full height the guard acts",
            ""
        ));
        lines.push(format!("the clients got {answers} answers, {errors} of them errors"));
        lines.iter().try_for_each(|line| self.say(line))?;
        self.drawn = lines.len();
        Ok(())
    }

    /// Takes the charts away, so that the next event stands above them.
    fn clear(&mut self) -> io::Result<()> {
        self.term.clear_last_lines(std::mem::take(&mut self.drawn))
    }

    pub(crate) fn end(&mut self, end: Option<PlanEnd>, is_right: bool, audit: &[AuditEntry]) -> io::Result<()> {
        self.clear()?;
        self.draw()?;
        if let Some(breach) = &self.breach {
            self.say(&format!("\n{}", style("What the guard says").bold().cyan()))?;
            self.say(&wrapped(&said(breach)))?;
        }
        self.say(&format!("\n{}", style("The audit").bold().cyan()))?;
        audit.iter().try_for_each(|entry| self.say(&audited(entry)))?;
        let said = self.verdict(end, is_right);
        self.say(&format!("\n{}", if is_right { style(said).green() } else { style(said).red() }.bold()))
    }

    fn verdict(&self, end: Option<PlanEnd>, is_right: bool) -> String {
        match (end, self.fault) {
            (Some(PlanEnd::RolledBack), Some(_)) if is_right => "New broke, and the guard rolled it back.".into(),
            (Some(PlanEnd::Done), None) => {
                "Both sides were equally good, nothing happened, and the plan is done.".into()
            }
            (Some(PlanEnd::Done), Some(fault)) => {
                format!(
                    "The plan is done, although {fault}: that is not beyond the limits of the guard, or new has never come to {} %, or a busy machine made legacy slow at the start (the report says what its baseline is).",
                    fault.at
                )
            }
            (Some(PlanEnd::RolledBack), _) => "It was rolled back although nothing was broken.".into(),
            _ => "The plan came to no end in time: too few calls on a busy machine, or something that is not proven."
                .into(),
        }
    }

    fn say(&self, line: &str) -> io::Result<()> {
        match (&self.term).write_all(format!("{line}\n").as_bytes()) {
            // Whoever has closed the pipe wants to see no more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            written => written,
        }
    }
}

fn entered(status: &MigrationStatus) -> String {
    match status.mode {
        SystemMode::LegacyOnly => "legacy alone, until enough is known of it".into(),
        SystemMode::Parallel => "both sides run and are compared; legacy answers".into(),
        SystemMode::GradualRollout => format!("new answers {} of the orders", status.rollout),
        SystemMode::NewOnly => "new answers all of the orders".into(),
        SystemMode::EmergencyRollback => "rolled back".into(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "for the eye")]
fn errors(side: &SideCounts) -> Option<f64> {
    (side.trials() >= 5).then(|| side.failed as f64 / side.trials() as f64)
}

/// In milliseconds.
fn p95(durations: &Histogram) -> Option<f64> {
    durations.quantile(0.95).filter(|_| durations.len() >= 5).map(|p95| p95.as_secs_f64() * 1_000.0)
}

/// From 0 to 1: how far the evidence is on its way to its threshold.
fn proven(guard: &GuardReport, trigger: Trigger) -> Option<f64> {
    let strength = guard.trigger(trigger).filter(|found| found.trials > 0)?.strength?;
    let alarm = strength.ln_alarm / strength.ln_alarm_threshold;
    let evidence = strength.ln_threshold.map_or(0.0, |threshold| strength.ln_e / threshold);
    Some(alarm.max(evidence).clamp(0.0, 1.0))
}

/// The lines of a report that say why. The audit keeps all of it as evidence.
fn said(report: &GuardReport) -> String {
    let all = report.to_string();
    let why = all.lines().filter(|line| line.contains("REGRESSED"));
    let others = report.triggers.iter().filter(|found| found.verdict != GuardVerdict::Regressed);
    let others: Vec<String> = others.map(|found| found.trigger.to_string()).collect();
    let others =
        format!("Nothing was found about {}. The audit keeps the whole report as evidence.", others.join(", "));
    why.map(str::to_owned).chain([others]).collect::<Vec<_>>().join("\n")
}

/// As wide as the terminal, or 100 columns where there is none.
fn wrapped(text: &str) -> String {
    let width = Term::stdout().size_checked().map_or(100, |(_, columns)| columns);
    let mut table = Table::new();
    table.load_preset(presets::NOTHING).set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    text.lines().for_each(|line| {
        table.add_row([line]);
    });
    table.force_no_tty();
    let lines: Vec<String> = table.lines().map(|line| line.trim_end().to_owned()).collect();
    lines.join("\n")
}

fn audited(entry: &AuditEntry) -> String {
    let AuditEntry { epoch, after, actor, reason, .. } = entry;
    format!("epoch {epoch}: {} at {}, by {} ({})", after.mode, after.rollout, actor.as_str(), reason.as_str())
}
