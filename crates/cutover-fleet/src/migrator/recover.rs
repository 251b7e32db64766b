//! Goes back, and says so.

use std::collections::BTreeMap;

use cutover::Side;
use cutover::SystemMode;
use cutover::control::Proposal;

use super::journal::Journal;
use super::{Interruption, SystemMigrator};
use crate::fleet::FleetEvent;
use crate::ledger::{Cause, Event, Stage};
use crate::outcome::Outcome;
use crate::recovery::{
    FailureKind, FailureReport, PartReport, PartResult, RecoveryPart, RecoveryProcedure, RecoveryScope,
};
use crate::text::message;

/// How many bytes of a report fit into the evidence of an entry.
const MOST_OF_REPORT: usize = 24 * 1024;
/// How often the end is said while others write.
const MOST_TRIES: u32 = 20;
const MOST_LINES: usize = 20;
const MOST_FIGURES: usize = 50;

impl SystemMigrator {
    /// Ends a migration that has changed nothing yet.
    pub(super) async fn block(&self, journal: &mut Journal, cause: Cause) -> Result<(), Interruption> {
        let Evidence { logs, metrics, missing } = self.evidence(Side::Legacy).await;
        let mut report = FailureReport { logs, metrics, missing, ..self.failure(&cause, Outcome::Blocked) };
        report.cut_to(MOST_OF_REPORT);
        let reason = format!("blocked: {}", report.reason);
        let blocked = Event::Blocked { report: Box::new(report.clone()) };
        if journal.say(&blocked, &reason).await? {
            self.context.tell(&FleetEvent::Failure(Box::new(report)));
        }
        Ok(())
    }

    /// Calls a migration off that has changed something: the mode first, in this process and then in the store, and then
    /// everything else, whatever the store says.
    pub(super) async fn break_off(&self, journal: &mut Journal, cause: Cause) -> Result<(), Interruption> {
        let broken = Event::Broken { step: cause.step, kind: cause.kind, reason: message(&cause.reason) };
        let emergency = Proposal::to(SystemMode::EmergencyRollback).evidence(broken.evidence());
        let stored =
            journal.controller.propose(&emergency, &self.context.actor, &crate::text::reason(&cause.reason)).await;
        if let Err(error) = stored {
            tracing::warn!(system = %self.entry.system.name, %error, "the emergency holds here and is not stored yet");
        }
        journal.read_if_possible().await;
        self.take_back(journal, cause).await
    }

    /// Goes on with a recovery that somebody has begun.
    pub(super) async fn recover_from_ledger(&self, journal: &mut Journal) -> Result<(), Interruption> {
        let cause = journal.ledger.cause.clone().unwrap_or_else(|| Cause {
            step: None,
            kind: FailureKind::CalledOff,
            reason: "somebody called it off".to_owned(),
            at: self.context.wall(),
        });
        self.take_back(journal, cause).await
    }

    async fn take_back(&self, journal: &mut Journal, cause: Cause) -> Result<(), Interruption> {
        let reason = cause.reason.clone();
        self.context.tell(&FleetEvent::Recovering { system: self.name(), reason });
        let scope = journal.ledger.scope();
        let mut recovery = Vec::new();
        let side = if scope.new_deployed { Side::New } else { Side::Legacy };
        let mut evidence = Evidence::default();
        for part in RecoveryPart::ALL {
            if part == RecoveryPart::StopNew {
                evidence = self.evidence(side).await;
            }
            let done = self.part(journal, &scope, part, &recovery).await?;
            recovery.push(done);
        }
        let recovered = FailureReport::is_recovered(&recovery);
        let outcome = if recovered { Outcome::RolledBack } else { Outcome::Failed };
        let Evidence { logs, metrics, missing } = evidence;
        let report = FailureReport { recovery, logs, metrics, missing, ..self.failure(&cause, outcome) };
        self.conclude(journal, report).await
    }

    /// One part; the backup is not put back where it is written down that it was.
    async fn part(
        &self,
        journal: &mut Journal,
        scope: &RecoveryScope,
        part: RecoveryPart,
        before: &[PartReport],
    ) -> Result<PartReport, Interruption> {
        let known = |report: &&PartReport| report.part == part && report.result == PartResult::Done;
        if part != RecoveryPart::Route {
            journal.is_claimed()?;
        }
        if part == RecoveryPart::Restore
            && let Some(known) = journal.ledger.recovered.iter().find(known)
        {
            return Ok(known.clone());
        }
        let procedure: RecoveryProcedure = self.context.recovery();
        let result = procedure.part(&self.entry.system, scope, part, before).await;
        let report = PartReport { part, result };
        journal.mention(&Event::Recovered { part: report.clone() }, &report.to_string()).await;
        self.context.tell(&FleetEvent::Recovered { system: self.name(), report: report.clone() });
        Ok(report)
    }

    async fn conclude(&self, journal: &mut Journal, mut report: FailureReport) -> Result<(), Interruption> {
        if report.outcome == Outcome::Failed {
            report.escalation = Some(self.escalate(&report).await);
        }
        report.cut_to(MOST_OF_REPORT);
        self.context.tell(&FleetEvent::Failure(Box::new(report.clone())));
        let reason = format!("{}: {}", report.outcome, report.reason);
        let ended = Event::Ended { report: Box::new(report) };
        for _ in 0..MOST_TRIES {
            if journal.say(&ended, &reason).await? || !is_recovering(journal.ledger.stage) {
                return Ok(());
            }
        }
        Err(Interruption::Unsettled)
    }

    async fn escalate(&self, report: &FailureReport) -> PartResult {
        let context = &*self.context;
        let told = async { context.escalation.escalate(report).await };
        context.within(context.settings.deadlines.escalation, told).await.into()
    }

    /// What became of a recovery about which the store says nothing.
    pub(super) fn unstored_failure(&self, recovery: Vec<PartReport>, why: &Interruption) -> FailureReport {
        let outcome = if FailureReport::is_recovered(&recovery) { Outcome::RolledBack } else { Outcome::Failed };
        let reason = format!("called off without the store: {}", why.in_full());
        let cause = Cause { step: None, kind: FailureKind::CalledOff, reason, at: self.context.wall() };
        let report = FailureReport { recovery, ..self.failure(&cause, outcome) };
        self.context.tell(&FleetEvent::Failure(Box::new(report.clone())));
        report
    }

    fn failure(&self, cause: &Cause, outcome: Outcome) -> FailureReport {
        FailureReport {
            system: self.name(),
            time: cause.at,
            step: cause.step,
            kind: cause.kind,
            reason: message(&cause.reason),
            outcome,
            recovery: Vec::new(),
            logs: Vec::new(),
            metrics: BTreeMap::new(),
            missing: Vec::new(),
            escalation: None,
        }
    }

    async fn evidence(&self, side: Side) -> Evidence {
        let (context, system) = (&*self.context, &self.entry.system);
        let deadline = context.settings.deadlines.look;
        let logs = context.within(deadline, async { context.host.diagnostics.logs(system, side).await }).await;
        let metrics = context.within(deadline, async { context.host.diagnostics.metrics(system, side).await }).await;
        let missing = [("logs", logs.as_ref().err()), ("metrics", metrics.as_ref().err())];
        let missing = missing.into_iter().filter_map(|(what, error)| Some(format!("no {what} of {side}: {}", error?)));
        Evidence {
            missing: missing.collect(),
            logs: last_lines(&logs.unwrap_or_default()),
            metrics: metrics
                .unwrap_or_default()
                .into_iter()
                .filter(|(_, value)| value.is_finite())
                .take(MOST_FIGURES)
                .collect(),
        }
    }
}

/// What is to be had of a side after a failure.
#[derive(Default)]
struct Evidence {
    logs: Vec<String>,
    metrics: BTreeMap<String, f64>,
    missing: Vec<String>,
}

fn last_lines(lines: &[String]) -> Vec<String> {
    let skipped = lines.len().saturating_sub(MOST_LINES);
    lines.iter().skip(skipped).map(|line| message(line)).collect()
}

/// Whether nobody else has ended the recovery. While an emergency is not stored yet, the migration still seems under way.
const fn is_recovering(stage: Stage) -> bool {
    matches!(stage, Stage::Recovering | Stage::UnderWay)
}
