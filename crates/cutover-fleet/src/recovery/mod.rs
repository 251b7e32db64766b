//! [`RecoveryProcedure`]: back to legacy.

mod report;

pub use report::{FailureKind, FailureReport, PartReport, PartResult};

use std::fmt;
use std::sync::Arc;

use cutover::{HostRuntime, Percentage, Runtime, Side};
use serde::{Deserialize, Serialize};

use crate::call::{CallError, within};
use crate::host::{Backup, Host};
use crate::settings::Deadlines;
use crate::strategy::Step;
use crate::system::System;

/// Goes back to legacy, part by part. The traffic goes back first, and that depends on nothing else; each part is tried
/// whatever became of those before it, within a deadline, and its panic ends there. Only one part looks back: new is stopped
/// last, and not at all while legacy is not known to work, since it may be all that is left.
///
/// These are the undoings of the steps in reverse order: shifting traffic, stopping legacy, deploying new. Repeating all of
/// them does no harm but one: a backup that is put back a second time loses what was written in between. A
/// [migrator](crate::SystemMigrator) writes down each part that is done, and repeats all but that one: what was verified before
/// a crash need not be true after it.
///
/// A migrator calls it by itself. It also works alone, where nothing but the host is left:
///
/// ```no_run
/// # async fn example(host: cutover_fleet::Host, system: cutover_fleet::System) {
/// use cutover_fleet::{RecoveryProcedure, RecoveryScope};
///
/// for part in RecoveryProcedure::new(host).run(&system, &RecoveryScope::everything()).await {
///     println!("{part}");
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct RecoveryProcedure {
    host: Host,
    runtime: Arc<dyn Runtime>,
    deadlines: Deadlines,
    restore: Restore,
}

/// A part of the way back. Their order is that of the variants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "these five are the procedure")]
pub enum RecoveryPart {
    /// All traffic goes to legacy.
    Route,
    /// Legacy is started.
    StartLegacy,
    /// What legacy keeps is put back.
    Restore,
    /// Legacy is tested from outside.
    Verify,
    /// New is stopped.
    StopNew,
}

impl RecoveryPart {
    /// All parts, in their order.
    pub const ALL: [Self; 5] = [Self::Route, Self::StartLegacy, Self::Restore, Self::Verify, Self::StopNew];

    /// The part that takes back what a step has done; `None` where there is nothing to take back.
    #[must_use]
    pub const fn undoing(step: Step) -> Option<Self> {
        match step {
            Step::Shift(_) => Some(Self::Route),
            Step::StopLegacy => Some(Self::StartLegacy),
            Step::Deploy => Some(Self::StopNew),
            Step::CheckBefore
            | Step::FindBackup
            | Step::Load
            | Step::Convert
            | Step::Generate
            | Step::Validate
            | Step::Baseline
            | Step::Test
            | Step::CheckDuring
            | Step::Watch(_) => None,
        }
    }

    /// What it does, in words.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Route => "send all traffic to legacy",
            Self::StartLegacy => "start legacy",
            Self::Restore => "put the backup back",
            Self::Verify => "verify legacy",
            Self::StopNew => "stop new",
        }
    }
}

impl fmt::Display for RecoveryPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// Whether a recovery puts a backup back. That loses what legacy has written since the backup was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "there is nothing between them")]
pub enum Restore {
    /// Where the migration has stopped legacy, which is what the strategy direct does. Where legacy has gone on to run, its
    /// data are newer than any backup. This is the default.
    #[default]
    IfLegacyStopped,
    /// Always: for systems whose new side writes the same data and cannot be trusted with them.
    Always,
    /// Never: a person decides.
    Never,
}

/// What a migration had begun, and so what there is to take back.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct RecoveryScope {
    /// Whether new was, or may have been, deployed.
    pub new_deployed: bool,
    /// Whether legacy was, or may have been, stopped.
    pub legacy_stopped: bool,
    /// The backup that the migration rests on; without one, the latest.
    pub backup: Option<Backup>,
}

impl RecoveryScope {
    /// Everything may have happened.
    #[must_use]
    pub const fn everything() -> Self {
        Self { new_deployed: true, legacy_stopped: true, backup: None }
    }

    /// After these steps had begun.
    pub(crate) fn of(begun: &[Step], backup: Option<Backup>) -> Self {
        Self { new_deployed: begun.contains(&Step::Deploy), legacy_stopped: begun.contains(&Step::StopLegacy), backup }
    }
}

impl RecoveryProcedure {
    /// With the default deadlines, on the runtime of whoever calls.
    #[must_use]
    pub fn new(host: Host) -> Self {
        let (deadlines, restore) = (Deadlines::default(), Restore::default());
        Self { host, runtime: Arc::new(HostRuntime), deadlines, restore }
    }

    /// Measures deadlines by `runtime`.
    #[must_use]
    pub fn runtime(self, runtime: impl Runtime + 'static) -> Self {
        Self { runtime: Arc::new(runtime), ..self }
    }

    /// With these deadlines.
    #[must_use]
    pub fn deadlines(self, deadlines: Deadlines) -> Self {
        Self { deadlines, ..self }
    }

    /// Puts backups back by `restore`.
    #[must_use]
    pub fn restore(self, restore: Restore) -> Self {
        Self { restore, ..self }
    }

    /// All parts in their order, and what became of each.
    pub async fn run(&self, system: &System, scope: &RecoveryScope) -> Vec<PartReport> {
        let mut reports = Vec::new();
        for part in RecoveryPart::ALL {
            let result = self.part(system, scope, part, &reports).await;
            reports.push(PartReport { part, result });
        }
        reports
    }

    /// One part, after what became of those before it.
    pub(crate) async fn part(
        &self,
        system: &System,
        scope: &RecoveryScope,
        part: RecoveryPart,
        before: &[PartReport],
    ) -> PartResult {
        let skipped = match part {
            RecoveryPart::Route | RecoveryPart::StartLegacy | RecoveryPart::Verify => None,
            RecoveryPart::Restore => self.reason_to_keep(scope),
            RecoveryPart::StopNew => reason_to_leave(scope, before),
        };
        match skipped {
            Some(reason) => PartResult::skipped(reason),
            None => self.act(system, scope, part).await.into(),
        }
    }

    async fn act(&self, system: &System, scope: &RecoveryScope, part: RecoveryPart) -> Result<(), CallError> {
        let Self { host, deadlines, runtime, .. } = self;
        let Host { lifecycle, traffic, diagnostics, .. } = host;
        let runtime = &**runtime;
        match part {
            RecoveryPart::Route => {
                within(runtime, deadlines.traffic, async { traffic.switch(system, Percentage::ZERO).await }).await
            }
            RecoveryPart::StartLegacy => {
                within(runtime, deadlines.lifecycle, async { lifecycle.start(system, Side::Legacy).await }).await
            }
            RecoveryPart::Restore => self.put_back(system, scope).await,
            RecoveryPart::Verify => {
                within(runtime, deadlines.verify, async { diagnostics.verify(system, Side::Legacy).await }).await
            }
            RecoveryPart::StopNew => {
                within(runtime, deadlines.lifecycle, async { lifecycle.stop(system, Side::New).await }).await
            }
        }
    }

    fn reason_to_keep(&self, scope: &RecoveryScope) -> Option<&'static str> {
        match self.restore {
            Restore::Always => None,
            Restore::Never => Some("the settings say never"),
            Restore::IfLegacyStopped if scope.legacy_stopped => None,
            Restore::IfLegacyStopped => Some("legacy was not stopped, so that its data are newer"),
        }
    }

    async fn put_back(&self, system: &System, scope: &RecoveryScope) -> Result<(), CallError> {
        let Self { host, deadlines, runtime, .. } = self;
        let backup = match scope.backup.clone() {
            Some(backup) => Some(backup),
            None => within(&**runtime, deadlines.look, async { host.backups.latest(system).await }).await?,
        };
        let Some(backup) = backup else { return Err(CallError::Failed("there is no backup".to_owned())) };
        within(&**runtime, deadlines.backups, async { host.backups.restore(system, &backup).await }).await
    }
}

fn reason_to_leave(scope: &RecoveryScope, before: &[PartReport]) -> Option<&'static str> {
    let holds = |part| before.iter().any(|report| report.part == part && report.result == PartResult::Done);
    if !scope.new_deployed {
        return Some("new was not deployed");
    }
    let legacy_serves = holds(RecoveryPart::Route) && holds(RecoveryPart::Verify);
    (!legacy_serves).then_some("legacy is not known to serve; new may be all that is left, and a person has to decide")
}

impl fmt::Debug for RecoveryProcedure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { deadlines, restore, .. } = self;
        f.debug_struct("RecoveryProcedure")
            .field("deadlines", deadlines)
            .field("restore", restore)
            .finish_non_exhaustive()
    }
}
