//! What a person does with one system.

use cutover::control::Proposal;
use cutover::{Side, SystemMode};

use super::journal::Journal;
use super::{Interruption, SystemMigrator, SystemReport};
use crate::call::CallError;
use crate::checklist::{ItemResult, When, all_passed, fitted};
use crate::host::Backup;
use crate::ledger::{Event, Ledger, Stage};
use crate::outcome::Outcome;
use crate::recovery::{FailureKind, RecoveryPart, RecoveryScope};

/// What a person wanted was not done, or not all of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OperateError {
    /// The system stands where this makes no sense. Nothing has changed.
    #[error("the system is {outcome}, and only one that is {allowed} can be {what}")]
    NotNow {
        /// What was wanted.
        what: &'static str,
        /// Where the system stands.
        outcome: Outcome,
        /// Where it has to stand.
        allowed: &'static str,
    },
    /// Legacy is gone, or going: there is nothing to go back to. Nothing has changed.
    #[error("legacy is decommissioned, so that there is nothing to go back to")]
    LegacyGone,
    /// The migration has stopped legacy, and its way back is the backup from before that: a newer one may hold what new has
    /// written, and must not be put back in its place. Where one was made meanwhile, it is not used. A system that was taken
    /// back can be backed up again.
    #[error(
        "legacy was stopped, and the way back is the backup from before that; one that is made now may hold what new has \
         written, and is not taken in its place: take the system back first"
    )]
    BackupInUse,
    /// Items of the checklist are open. Nothing has changed.
    #[error("the checklist {when} does not let it pass: {}", open(items))]
    ChecksOpen {
        /// Which list.
        when: When,
        /// All of its items.
        items: Vec<ItemResult>,
    },
    /// A call of the host failed. It can be tried again.
    #[error("{what} failed: {error}")]
    Host {
        /// What was called.
        what: &'static str,
        /// Why it failed.
        error: CallError,
    },
    /// The store or another runner stands in the way.
    #[error(transparent)]
    Interrupted(#[from] Interruption),
}

fn open(items: &[ItemResult]) -> String {
    let open = items.iter().filter(|item| !item.result.lets_pass()).map(ToString::to_string);
    open.collect::<Vec<_>>().join("; ")
}

impl SystemMigrator {
    /// Has the host make a backup, and writes that down: it is the one that a recovery puts back.
    ///
    /// # Errors
    /// [`OperateError::BackupInUse`] once legacy was stopped; [`OperateError::Host`] when no backup could be made;
    /// [`OperateError::Interrupted`] when the store cannot be read, and then none is made, or when it was made and could not be
    /// written down.
    pub async fn back_up(&self, actor: &str, reason: &str) -> Result<Backup, OperateError> {
        let (context, system) = (&*self.context, &self.entry.system);
        let mut journal = self.journal().await?;
        journal.read().await?;
        check_replaceable(&journal.ledger)?;
        let create = async { context.host.backups.create(system).await };
        let made = context.within(context.settings.deadlines.backups, create).await;
        let backup = made.map_err(|error| OperateError::Host { what: "making a backup", error })?;
        journal.read().await?;
        check_replaceable(&journal.ledger)?;
        self.write(&mut journal, &Event::BackedUp { backup: backup.clone() }, actor, reason).await?;
        if journal.ledger.backup.as_ref() == Some(&backup) {
            return Ok(backup);
        }
        // Legacy may have been stopped while it was written down: then it does not count.
        check_replaceable(&journal.ledger).map(|()| backup)
    }

    /// Goes through a list now, and writes nothing down.
    ///
    /// # Errors
    /// [`OperateError::Interrupted`] when it is not known how far the migration has come.
    pub async fn check_now(&self, when: When) -> Result<Vec<ItemResult>, OperateError> {
        let mut journal = self.journal().await?;
        journal.read().await?;
        Ok(self.check(when, &journal.ledger).await)
    }

    /// Lets a system that was rolled back, or whose recovery failed, be migrated again by the next run.
    ///
    /// # Errors
    /// [`OperateError::NotNow`] for any other; [`OperateError::Interrupted`].
    pub async fn retry(&self, actor: &str, reason: &str) -> Result<(), OperateError> {
        let mut journal = self.journal().await?;
        journal.read().await?;
        let braked = journal.ledger.settings.mode == SystemMode::EmergencyRollback;
        let stage = journal.ledger.stage;
        let idle = matches!(stage, Stage::Untouched | Stage::Blocked) && braked;
        if !idle && !matches!(stage, Stage::RolledBack | Stage::Failed) {
            let (outcome, allowed) = (stage.outcome(), "rolled back or failed");
            return Err(OperateError::NotNow { what: "retried", outcome, allowed });
        }
        let again = Proposal::to(SystemMode::LegacyOnly);
        let said = journal.say_as(again, &Event::Retried, actor, reason).await?;
        if said { Ok(()) } else { Err(Interruption::Unsettled.into()) }
    }

    /// Takes a system back, whether it is under way, migrated, or a recovery of it has failed: an emergency rollback of its
    /// migration, then the traffic, then the rest. Where another runner is at the system, that one does the rest.
    ///
    /// Where the store does not answer, everything is done that can be done without it: the traffic goes back, legacy is
    /// started and verified, and new is stopped. No backup is put back then, unless the settings say always, since it is not
    /// known whether legacy was stopped.
    ///
    /// # Errors
    /// [`OperateError::NotNow`] when there is nothing to take back; [`OperateError::LegacyGone`].
    pub async fn recover(&self, actor: &str, reason: &str) -> Result<SystemReport, OperateError> {
        let mut journal = match self.journal().await {
            Ok(journal) => journal,
            Err(interruption) => return Ok(self.recover_without_store(&interruption).await),
        };
        if journal.read().await.is_ok() {
            check_recoverable(journal.ledger.stage)?;
        }
        let broken = Event::Broken {
            step: journal.ledger.in_doubt,
            kind: FailureKind::CalledOff,
            reason: format!("{actor}: {reason}"),
        };
        let persisted = journal.controller.emergency_rollback_with(actor, reason, broken.evidence());
        let scope = journal.ledger.scope();
        self.context.recovery().part(self.system(), &scope, RecoveryPart::Route, &[]).await;
        let deadline = self.context.settings.deadlines.look;
        let stored = async {
            persisted.await;
            Ok(())
        };
        drop(self.context.within(deadline, stored).await);
        if let Err(interruption) = journal.read().await {
            return Ok(self.recover_without_store(&interruption).await);
        }
        if journal.ledger.stage != Stage::Recovering {
            // The emergency held already: that it begins anew can only be noted.
            self.write(&mut journal, &broken, actor, reason).await?;
        }
        let interrupted = self.drive(&mut journal).await.err();
        journal.close().await;
        Ok(SystemReport::of(&self.entry, &journal.ledger, interrupted.as_ref()))
    }

    async fn recover_without_store(&self, why: &Interruption) -> SystemReport {
        let scope = RecoveryScope { legacy_stopped: false, ..RecoveryScope::everything() };
        let recovery = self.context.recovery().run(self.system(), &scope).await;
        let failure = self.unstored_failure(recovery, why);
        SystemReport { failure: Some(failure), ..SystemReport::unread(&self.entry, why) }
    }

    /// Removes legacy for good, when the checklist after the migration passes. There is no way back from here. It can be
    /// repeated until it succeeds.
    ///
    /// # Errors
    /// [`OperateError::NotNow`] for a system that is not migrated, [`OperateError::ChecksOpen`], [`OperateError::Host`],
    /// [`OperateError::Interrupted`].
    pub async fn decommission(&self, actor: &str, reason: &str) -> Result<SystemReport, OperateError> {
        let mut journal = self.journal().await?;
        journal.read().await?;
        check_migrated(journal.ledger.stage)?;
        journal.claim().await?;
        journal.read().await?;
        let done = self.remove_legacy(&mut journal, actor, reason).await;
        journal.close().await;
        done.map(|()| SystemReport::of(&self.entry, &journal.ledger, None))
    }

    async fn remove_legacy(&self, journal: &mut Journal, actor: &str, reason: &str) -> Result<(), OperateError> {
        if journal.ledger.stage == Stage::Decommissioned {
            return Ok(());
        }
        check_migrated(journal.ledger.stage)?;
        let items = self.check(When::After, &journal.ledger).await;
        if !all_passed(&items) {
            return Err(OperateError::ChecksOpen { when: When::After, items });
        }
        if journal.ledger.stage == Stage::Migrated {
            self.write(journal, &Event::Decommissioning { checks: fitted(items) }, actor, reason).await?;
        }
        let (context, system) = (&*self.context, &self.entry.system);
        let (lifecycle, deadline) = (&context.host.lifecycle, context.settings.deadlines.lifecycle);
        let host = |what| move |error| OperateError::Host { what, error };
        journal.is_claimed()?;
        let stop = async { lifecycle.stop(system, Side::Legacy).await };
        context.within(deadline, stop).await.map_err(host("stopping legacy"))?;
        let remove = async { lifecycle.decommission(system).await };
        context.within(deadline, remove).await.map_err(host("removing legacy"))?;
        self.write(journal, &Event::Decommissioned, actor, reason).await
    }

    /// Goes through the checklist of the cleanup, and writes down what is left to tidy up: of a very long list in short.
    ///
    /// # Errors
    /// [`OperateError::NotNow`] while legacy is there; [`OperateError::Interrupted`].
    pub async fn clean_up(&self, actor: &str, reason: &str) -> Result<Vec<ItemResult>, OperateError> {
        let mut journal = self.journal().await?;
        journal.read().await?;
        if journal.ledger.stage != Stage::Decommissioned {
            let outcome = journal.ledger.stage.outcome();
            return Err(OperateError::NotNow { what: "cleaned up", outcome, allowed: "decommissioned" });
        }
        let checks = self.check(When::Cleanup, &journal.ledger).await;
        let kept = fitted(checks.clone());
        self.write(&mut journal, &Event::CleanedUp { checks: kept }, actor, reason).await?;
        Ok(checks)
    }

    /// Writes down what a person did, on the stage that was read.
    async fn write(&self, journal: &mut Journal, event: &Event, actor: &str, reason: &str) -> Result<(), OperateError> {
        let stage = journal.ledger.stage;
        for _ in 0..MOST_TRIES {
            if journal.say_as(Proposal::new(), event, actor, reason).await? {
                return Ok(());
            }
            if journal.ledger.stage != stage {
                break;
            }
        }
        Err(Interruption::Unsettled.into())
    }
}

/// How often something is said while a runner goes on.
const MOST_TRIES: u32 = 20;

fn check_replaceable(ledger: &Ledger) -> Result<(), OperateError> {
    if ledger.rests_on_backup() { Err(OperateError::BackupInUse) } else { Ok(()) }
}

fn check_recoverable(stage: Stage) -> Result<(), OperateError> {
    match stage {
        Stage::UnderWay | Stage::ByHand | Stage::Recovering | Stage::Failed | Stage::Migrated => Ok(()),
        Stage::Decommissioning | Stage::Decommissioned => Err(OperateError::LegacyGone),
        Stage::Untouched | Stage::Blocked | Stage::RolledBack => Err(OperateError::NotNow {
            what: "taken back",
            outcome: stage.outcome(),
            allowed: "under way, migrated or failed",
        }),
    }
}

fn check_migrated(stage: Stage) -> Result<(), OperateError> {
    if matches!(stage, Stage::Migrated | Stage::Decommissioning | Stage::Decommissioned) {
        return Ok(());
    }
    Err(OperateError::NotNow { what: "decommissioned", outcome: stage.outcome(), allowed: "migrated" })
}
