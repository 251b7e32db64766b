//! Runs the phases.

use std::collections::{BTreeMap, VecDeque};
use std::future::ready;

use futures_util::StreamExt;
use futures_util::stream::{self, FuturesUnordered};

use super::{Fleet, FleetEvent, FleetReport, Phase, StopReason};
use crate::inventory::Entry;
use crate::migrator::{SystemMigrator, SystemReport};
use crate::outcome::Outcome;
use crate::system::SystemName;

impl Fleet {
    /// Migrates the systems that are not migrated, phase by phase, until there is nothing left to do without a person. Where
    /// an earlier run stopped or was killed, it goes on: what that has left under way is finished first, in all phases, whatever
    /// keeps this one from beginning more.
    ///
    /// It works in the caller's task, and may be dropped at any time. What the report says of a system does not depend on how
    /// often that happened, but for times.
    pub async fn run(&self) -> FleetReport {
        let mut ended = self.finish().await;
        let mut stopped = None;
        for (phase, entries) in self.phases() {
            let systems = entries.len();
            self.context.tell(&FleetEvent::PhaseBegan { phase: phase.name.clone(), systems });
            let failures = self.run_phase(phase, entries, &mut ended, &mut stopped).await;
            self.context.tell(&FleetEvent::PhaseEnded { phase: phase.name.clone(), failures });
            stopped = stopped.or_else(|| failed(&ended)).or_else(|| unended(entries, &ended));
            if stopped.is_some() {
                break;
            }
        }
        self.report_on(ended, stopped).await
    }

    /// The report on the fleet, by the store alone. It changes nothing.
    pub async fn report(&self) -> FleetReport {
        self.report_on(BTreeMap::new(), None).await
    }

    /// The phases and the systems of each.
    pub(super) fn phases(&self) -> impl Iterator<Item = (&Phase, &[Entry])> {
        let entries = self.inventory.entries();
        self.context.settings.phases.iter().scan(0, |begin, phase| {
            let end = phase.end(entries.len()).max(*begin);
            let systems = entries.get(*begin..end).unwrap_or_default();
            *begin = end;
            Some((phase, systems))
        })
    }

    /// Finishes what an earlier run has left under way, in all phases, before anything is begun.
    async fn finish(&self) -> BTreeMap<SystemName, SystemReport> {
        let mut ended = BTreeMap::new();
        for (phase, entries) in self.phases() {
            let left = self.queue(entries, &ended).await.under_way;
            let going = stream::iter(left).take_while(|_| ready(!self.is_cancelled()));
            let going = going.map(|migrator| async move { migrator.migrate().await });
            let mut reports = going.buffer_unordered(phase.at_once.max(1) as usize);
            while let Some(report) = reports.next().await {
                self.has_ended(report, &mut ended);
            }
        }
        ended
    }

    /// Takes in the report on a system, and tells of it once.
    fn has_ended(&self, report: SystemReport, ended: &mut BTreeMap<SystemName, SystemReport>) {
        let (system, outcome) = (report.system.clone(), report.outcome);
        if ended.insert(system.clone(), report).is_none() {
            self.context.tell(&FleetEvent::SystemEnded { system, outcome });
        }
    }

    async fn run_phase(
        &self,
        phase: &Phase,
        entries: &[Entry],
        ended: &mut BTreeMap<SystemName, SystemReport>,
        stopped: &mut Option<StopReason>,
    ) -> u32 {
        let mut failures = 0;
        let mut running = FuturesUnordered::new();
        let mut queue = self.queue(entries, ended).await;
        loop {
            while running.len() < phase.at_once.max(1) as usize {
                if self.is_cancelled() && !queue.is_empty() {
                    *stopped = stopped.take().or(Some(StopReason::Cancelled));
                    break;
                }
                let Some(migrator) = queue.next(stopped.is_none()) else { break };
                running.push(async move { migrator.migrate().await });
            }
            let ended_before = queue.ended.pop_front();
            let next = if ended_before.is_some() { ended_before } else { running.next().await };
            let Some(report) = next else { return failures };
            failures += u32::from(report.outcome.is_failure());
            let reason = reason_to_stop(phase, failures, &report);
            *stopped = stopped.take().or(reason);
            self.has_ended(report, ended);
        }
    }

    /// The systems of a phase, by what an earlier run has left of them. None waits where a recovery has failed, in whichever
    /// phase.
    async fn queue(&self, entries: &[Entry], ended: &BTreeMap<SystemName, SystemReport>) -> Queue {
        let mut queue = Queue::default();
        for entry in entries {
            if let Some(report) = ended.get(&entry.system.name) {
                queue.ended.push_back(report.clone());
                continue;
            }
            let migrator = SystemMigrator::new(&self.context, entry);
            let report = migrator.report().await;
            match report.outcome {
                Outcome::UnderWay => queue.under_way.push_back(migrator),
                Outcome::RolledBack | Outcome::Failed => queue.ended.push_back(report),
                Outcome::Pending | Outcome::Blocked | Outcome::Migrated | Outcome::Decommissioned => {
                    queue.waiting.push_back(migrator);
                }
            }
        }
        if failed(ended).is_some() {
            queue.waiting.clear();
        }
        queue
    }

    async fn report_on(
        &self,
        mut ended: BTreeMap<SystemName, SystemReport>,
        stopped: Option<StopReason>,
    ) -> FleetReport {
        let mut phases = Vec::new();
        for (phase, entries) in self.phases() {
            let mut systems = Vec::new();
            for entry in entries {
                let report = match ended.remove(&entry.system.name) {
                    Some(report) => report,
                    None => SystemMigrator::new(&self.context, entry).report().await,
                };
                systems.push(report);
            }
            phases.push((phase, systems));
        }
        FleetReport::new(phases, &self.context.settings.targets, stopped)
    }
}

/// What is to be done in a phase.
#[derive(Default)]
struct Queue {
    /// Taken back by an earlier run, or finished for it: they count before anything is begun, so that what had stopped that run
    /// stops this one.
    ended: VecDeque<SystemReport>,
    /// Left under way by an earlier run: they are finished, whatever becomes of the others.
    under_way: VecDeque<SystemMigrator>,
    waiting: VecDeque<SystemMigrator>,
}

impl Queue {
    /// Whose turn it is; none while reports of an earlier run are to be counted.
    fn next(&mut self, may_begin: bool) -> Option<SystemMigrator> {
        if !self.ended.is_empty() {
            return None;
        }
        let begun = self.under_way.pop_front();
        if begun.is_some() || !may_begin { begun } else { self.waiting.pop_front() }
    }

    fn is_empty(&self) -> bool {
        self.under_way.is_empty() && self.waiting.is_empty()
    }
}

fn reason_to_stop(phase: &Phase, failures: u32, report: &SystemReport) -> Option<StopReason> {
    if report.outcome == Outcome::Failed {
        return Some(StopReason::RecoveryFailed { system: report.system.clone() });
    }
    let (phase, most) = (phase.name.clone(), phase.most_failures);
    (failures > most).then_some(StopReason::TooManyFailures { phase, failures, most })
}

/// A failed recovery, in whichever phase, keeps everything from beginning.
fn failed(ended: &BTreeMap<SystemName, SystemReport>) -> Option<StopReason> {
    let failed = ended.values().find(|report| report.outcome == Outcome::Failed)?;
    Some(StopReason::RecoveryFailed { system: failed.system.clone() })
}

/// A system that has not ended keeps the next phase from beginning.
fn unended(entries: &[Entry], ended: &BTreeMap<SystemName, SystemReport>) -> Option<StopReason> {
    let report = |entry: &Entry| ended.get(&entry.system.name).filter(|report| !report.outcome.has_ended());
    let first = entries.iter().find_map(report)?;
    Some(StopReason::Interrupted { system: first.system.clone() })
}
