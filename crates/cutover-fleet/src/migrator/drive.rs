//! What comes next, from beginning to end.

use cutover::control::Proposal;
use cutover::{Percentage, SystemMode};

use super::journal::Journal;
use super::perform::Stop;
use super::{Interruption, SystemMigrator};
use crate::checklist::all_passed;
use crate::fleet::FleetEvent;
use crate::host::ValidationCounts;
use crate::ledger::{Cause, Event, Found, Ledger, Stage};
use crate::recovery::FailureKind;
use crate::strategy::Step;

/// More entries than any migration has: whoever needs more is in a loop with somebody else.
const MOST_TURNS: u32 = 10_000;

impl SystemMigrator {
    pub(super) async fn drive(&self, journal: &mut Journal) -> Result<(), Interruption> {
        journal.read().await?;
        if !has_work(journal.ledger.stage) {
            return Ok(());
        }
        journal.claim().await?;
        journal.read().await?;
        let mut begun = false;
        for _ in 0..MOST_TURNS {
            self.context.board.place(&self.entry.system.name, &journal.ledger);
            match journal.ledger.stage {
                Stage::Untouched | Stage::Blocked if !begun => {
                    begun = self.begin(journal).await?;
                }
                Stage::UnderWay => self.go_on(journal).await?,
                Stage::Recovering => self.recover_from_ledger(journal).await?,
                Stage::ByHand => return Err(Interruption::ByHand { mode: journal.ledger.settings.mode }),
                Stage::Untouched
                | Stage::Blocked
                | Stage::RolledBack
                | Stage::Failed
                | Stage::Migrated
                | Stage::Decommissioning
                | Stage::Decommissioned => return Ok(()),
            }
        }
        Err(Interruption::Unsettled)
    }

    async fn begin(&self, journal: &mut Journal) -> Result<bool, Interruption> {
        let mode = journal.ledger.settings.mode;
        if mode != SystemMode::LegacyOnly {
            return Err(Interruption::Mode { mode });
        }
        let strategy = self.entry.strategy.clone();
        let reason = format!("migrate by {strategy}");
        self.context.tell(&FleetEvent::SystemBegan { system: self.name() });
        journal.say(&Event::Begun { strategy }, &reason).await
    }

    async fn go_on(&self, journal: &mut Journal) -> Result<(), Interruption> {
        if let Some((step, kind, reason)) = self.refusal(&journal.ledger) {
            return self.fail(journal, step, kind, reason).await;
        }
        match journal.ledger.next() {
            Some(step) => self.step(journal, step).await,
            None => journal.say(&Event::Migrated, "new serves alone").await.map(drop),
        }
    }

    async fn step(&self, journal: &mut Journal, step: Step) -> Result<(), Interruption> {
        journal.is_claimed()?;
        let resumed = journal.ledger.in_doubt == Some(step);
        if !resumed {
            let began = Event::Began { step };
            if !journal.say_with(settings(step), &began, &format!("begin: {step}")).await? {
                return Ok(());
            }
        }
        self.context.tell(&FleetEvent::StepBegan { system: self.name(), step });
        match self.perform(journal, step, resumed).await {
            Ok(found) => self.done(journal, step, found).await,
            Err(Stop::Changed) => journal.read().await,
            Err(Stop::Lost) => Err(Interruption::ClaimLost),
            Err(Stop::StepBack { to, reason }) => self.step_back(journal, to, reason).await,
            Err(Stop::Failed { kind, reason }) => self.fail(journal, step, kind, reason).await,
        }
    }

    async fn done(&self, journal: &mut Journal, step: Step, found: Found) -> Result<(), Interruption> {
        let done = Event::Done { step, found: Box::new(found) };
        if journal.say(&done, &format!("done: {step}")).await? {
            self.context.board.place(&self.entry.system.name, &journal.ledger);
            self.context.tell(&FleetEvent::StepDone { system: self.name(), step });
        }
        Ok(())
    }

    async fn step_back(&self, journal: &mut Journal, to: Percentage, reason: String) -> Result<(), Interruption> {
        let settings = settings(Step::Shift(to));
        let back = Event::SteppedBack { to, reason: reason.clone() };
        if journal.say_with(settings, &back, &format!("back to {to}: {reason}")).await? {
            self.context.tell(&FleetEvent::SteppedBack { system: self.name(), to, reason });
        }
        Ok(())
    }

    /// What was found and does not let the migration go on. It is judged by the audit, so that a crash lets nothing through.
    fn refusal(&self, ledger: &Ledger) -> Option<(Step, FailureKind, String)> {
        ledger.done.iter().find_map(|(step, found)| {
            let (kind, reason) = self.refuses(*step, found)?;
            Some((*step, kind, reason))
        })
    }

    fn refuses(&self, step: Step, found: &Found) -> Option<(FailureKind, String)> {
        if !all_passed(&found.checks) {
            let open = found.checks.iter().filter(|item| !item.result.lets_pass()).map(ToString::to_string);
            return Some((FailureKind::Checklist, open.collect::<Vec<_>>().join("; ")));
        }
        if step != Step::Validate {
            return None;
        }
        let gate = self.context.settings.validation_gate;
        let reason = match found.validation.and_then(ValidationCounts::success_rate) {
            Some(rate) if rate >= gate => return None,
            Some(rate) => format!("{rate:.3} of the validation cases passed; the gate is {gate}"),
            None => "no validation case was run, which proves nothing".to_owned(),
        };
        Some((FailureKind::Validation, reason))
    }

    pub(super) async fn fail(
        &self,
        journal: &mut Journal,
        step: Step,
        kind: FailureKind,
        reason: String,
    ) -> Result<(), Interruption> {
        let cause = Cause { step: Some(step), kind, reason, at: self.context.wall() };
        if journal.ledger.has_effects() {
            self.break_off(journal, cause).await
        } else {
            self.block(journal, cause).await
        }
    }
}

const fn has_work(stage: Stage) -> bool {
    match stage {
        Stage::Untouched | Stage::UnderWay | Stage::ByHand | Stage::Recovering | Stage::Blocked => true,
        Stage::RolledBack | Stage::Failed | Stage::Migrated | Stage::Decommissioning | Stage::Decommissioned => false,
    }
}

/// What holds from the beginning of a step.
fn settings(step: Step) -> Proposal {
    match step {
        // New runs beside legacy. Who wants it to be compared says so.
        Step::Deploy => Proposal::to(SystemMode::Parallel).shadow_share(Some(Percentage::ZERO)),
        Step::Shift(Percentage::HUNDRED) => Proposal::to(SystemMode::NewOnly),
        Step::Shift(share) => Proposal::to(SystemMode::GradualRollout).rollout(share),
        Step::CheckBefore
        | Step::FindBackup
        | Step::Load
        | Step::Convert
        | Step::Generate
        | Step::Validate
        | Step::Baseline
        | Step::Test
        | Step::CheckDuring
        | Step::StopLegacy
        | Step::Watch(_) => Proposal::new(),
    }
}
