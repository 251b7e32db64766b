//! Does what a step says.

use cutover::{Percentage, Side};

use super::SystemMigrator;
use super::journal::Journal;
use crate::call::CallError;
use crate::checklist::{ItemResult, View, When, fitted};
use crate::host::Artifact;
use crate::ledger::{Found, Ledger};
use crate::recovery::FailureKind;
use crate::strategy::Step;
use crate::system::SystemName;

/// Why a step is not done.
#[derive(Debug)]
pub(super) enum Stop {
    /// Others have changed the record.
    Changed,
    /// The claim is lost.
    Lost,
    /// The figures at a share are beyond the limits, and one share back is allowed.
    StepBack { to: Percentage, reason: String },
    /// It failed.
    Failed { kind: FailureKind, reason: String },
}

impl From<CallError> for Stop {
    fn from(error: CallError) -> Self {
        Self::Failed { kind: FailureKind::Call, reason: error.to_string() }
    }
}

impl SystemMigrator {
    pub(super) async fn perform(&self, journal: &Journal, step: Step, resumed: bool) -> Result<Found, Stop> {
        let ledger = &journal.ledger;
        match step {
            Step::CheckBefore => Ok(checks(self.check(When::Before, ledger).await)),
            Step::CheckDuring => Ok(checks(self.check(When::During, ledger).await)),
            Step::FindBackup => self.find_backup().await,
            Step::Load | Step::Convert | Step::Generate | Step::Validate => self.convert(ledger, step).await,
            Step::Baseline => Ok(self.baseline().await),
            Step::Deploy => self.deploy(ledger).await,
            Step::Test => self.test().await,
            Step::StopLegacy => self.stop_legacy().await,
            Step::Shift(share) => self.shift(share).await,
            Step::Watch(share) => {
                if resumed {
                    // The process that switched is gone, and so may be what it switched.
                    self.shift(share).await?;
                }
                self.watch(journal, share).await
            }
        }
    }

    pub(super) async fn check(&self, when: When, ledger: &Ledger) -> Vec<ItemResult> {
        let context = &*self.context;
        let view = View::new(&self.entry.system, &context.host, ledger.facts());
        context.checklists.run(when, &view, &*context.runtime, context.settings.deadlines.check).await
    }

    async fn find_backup(&self) -> Result<Found, Stop> {
        let (context, system) = (&*self.context, &self.entry.system);
        let latest = async { context.host.backups.latest(system).await };
        let backup = context.within(context.settings.deadlines.look, latest).await?;
        if backup.is_some() {
            return Ok(Found { backup, ..Found::default() });
        }
        let reason =
            "there is no backup, and the way back of a direct migration is the backup: make one first".to_owned();
        Err(Stop::Failed { kind: FailureKind::MissingBackup, reason })
    }

    async fn convert(&self, ledger: &Ledger, step: Step) -> Result<Found, Stop> {
        let (context, system) = (&*self.context, &self.entry.system);
        let (conversion, deadline) = (&context.host.conversion, context.settings.deadlines.conversion);
        let artifact = |artifact| Found { artifact: Some(artifact), ..Found::default() };
        if step == Step::Load {
            return Ok(artifact(context.within(deadline, async { conversion.load(system).await }).await?));
        }
        if step == Step::Convert {
            let loaded = made_by(ledger, Step::Load)?;
            return Ok(artifact(context.within(deadline, async { conversion.convert(system, loaded).await }).await?));
        }
        if step == Step::Generate {
            let converted = made_by(ledger, Step::Convert)?;
            return Ok(artifact(
                context.within(deadline, async { conversion.generate(system, converted).await }).await?,
            ));
        }
        let generated = made_by(ledger, Step::Generate)?;
        let counts = context.within(deadline, async { conversion.validate(system, generated).await }).await?;
        Ok(Found { validation: Some(counts), ..Found::default() })
    }

    /// How legacy does. Where that is not to be had, nothing is compared with it later.
    async fn baseline(&self) -> Found {
        let (context, system) = (&*self.context, &self.entry.system);
        let vitals = async { context.host.diagnostics.vitals(system, Side::Legacy).await };
        let baseline = context.within(context.settings.deadlines.look, vitals).await.ok();
        Found { baseline, ..Found::default() }
    }

    async fn deploy(&self, ledger: &Ledger) -> Result<Found, Stop> {
        let (context, system) = (&*self.context, &self.entry.system);
        let generated = made_by(ledger, Step::Generate)?;
        let deploy = async { context.host.lifecycle.deploy(system, generated).await };
        context.within(context.settings.deadlines.lifecycle, deploy).await?;
        Ok(Found::default())
    }

    async fn test(&self) -> Result<Found, Stop> {
        let (context, system) = (&*self.context, &self.entry.system);
        let verify = async { context.host.diagnostics.verify(system, Side::New).await };
        context.within(context.settings.deadlines.verify, verify).await?;
        Ok(Found::default())
    }

    async fn stop_legacy(&self) -> Result<Found, Stop> {
        let (context, system) = (&*self.context, &self.entry.system);
        let stop = async { context.host.lifecycle.stop(system, Side::Legacy).await };
        context.within(context.settings.deadlines.lifecycle, stop).await?;
        Ok(Found::default())
    }

    async fn shift(&self, share: Percentage) -> Result<Found, Stop> {
        let (context, system) = (&*self.context, &self.entry.system);
        let switch = async { context.host.traffic.switch(system, share).await };
        context.within(context.settings.deadlines.traffic, switch).await?;
        Ok(Found::default())
    }

    pub(super) fn name(&self) -> SystemName {
        self.entry.system.name.clone()
    }
}

fn checks(checks: Vec<ItemResult>) -> Found {
    Found { checks: fitted(checks), ..Found::default() }
}

fn made_by(ledger: &Ledger, step: Step) -> Result<&Artifact, Stop> {
    let made = ledger.found(step).and_then(|found| found.artifact.as_ref());
    made.ok_or_else(|| Stop::Failed {
        kind: FailureKind::Call,
        reason: format!("the audit has no artifact of \"{step}\""),
    })
}
