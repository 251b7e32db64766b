//! Watches new after it got traffic.

use cutover::{Percentage, Side, SystemMode};

use super::SystemMigrator;
use super::journal::Journal;
use super::perform::Stop;
use super::vigil::{Sight, Vigil};
use crate::fleet::FleetEvent;
use crate::ledger::{Found, Ledger};
use crate::recovery::FailureKind;
use crate::strategy::{Step, Watch};

impl SystemMigrator {
    pub(super) async fn watch(&self, journal: &Journal, share: Percentage) -> Result<Found, Stop> {
        let ledger = &journal.ledger;
        let watch = ledger.strategy.as_ref().map_or_else(Watch::default, |strategy| *strategy.watch());
        let legacy = ledger.found(Step::Baseline).and_then(|found| found.baseline);
        let (now, look) = (self.context.clock.now(), self.context.settings.deadlines.look);
        let mut vigil = Vigil::new(watch, share, legacy, now, look);
        loop {
            journal.is_claimed().map_err(|_| Stop::Lost)?;
            if journal.controller.mode() == SystemMode::EmergencyRollback {
                return Err(Stop::Changed);
            }
            match self.look(&mut vigil, share).await {
                Sight::Going => self.context.sleep(watch.every).await,
                Sight::Over(watched) => return Ok(Found { watched: Some(watched), ..Found::default() }),
                Sight::Beyond(kind, reason) => return Err(beyond(ledger, share, kind, reason)),
            }
        }
    }

    async fn look(&self, vigil: &mut Vigil, share: Percentage) -> Sight {
        let (context, system) = (&*self.context, &self.entry.system);
        let vitals = async { context.host.diagnostics.vitals(system, Side::New).await };
        let seen = context.within(context.settings.deadlines.look, vitals).await;
        let healthy = seen.as_ref().ok().map(|vitals| vitals.healthy);
        context.tell(&FleetEvent::Looked { system: self.name(), share, healthy });
        vigil.look(context.clock.now(), seen.ok())
    }
}

/// One share back where the figures are bad and that is allowed; all the way else.
fn beyond(ledger: &Ledger, share: Percentage, kind: FailureKind, reason: String) -> Stop {
    let strategy = ledger.strategy.as_ref();
    let allowed = strategy.is_some_and(|strategy| ledger.step_backs < strategy.step_backs());
    let back = strategy.and_then(|strategy| strategy.share_before(share));
    match back.filter(|_| allowed && kind == FailureKind::Limits) {
        Some(to) => Stop::StepBack { to, reason },
        None => Stop::Failed { kind, reason },
    }
}
