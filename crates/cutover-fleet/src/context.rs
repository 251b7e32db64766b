//! [`Context`]: what all migrators of a fleet share.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use cutover::random::RandomSource;
use cutover::store::ClaimStore;
use cutover::{Clock, Runtime};

use crate::call::{CallError, within};
use crate::checklist::Checklists;
use crate::fleet::{Board, Escalation, FleetEvent, FleetObserver};
use crate::host::{Host, HostError};
use crate::recovery::RecoveryProcedure;
use crate::settings::Settings;

pub(crate) struct Context {
    pub(crate) host: Host,
    pub(crate) store: Arc<dyn ClaimStore>,
    pub(crate) checklists: Checklists,
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) random: Arc<dyn RandomSource>,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) observers: Vec<Arc<dyn FleetObserver>>,
    pub(crate) escalation: Arc<dyn Escalation>,
    /// Who migrates, in the audit.
    pub(crate) actor: String,
    pub(crate) board: Board,
}

impl Context {
    pub(crate) async fn within<T>(
        &self,
        deadline: Duration,
        call: impl Future<Output = Result<T, HostError>> + Send,
    ) -> Result<T, CallError> {
        within(&*self.runtime, deadline, call).await
    }

    /// Waits; not at all on a runtime that cannot sleep, where nothing else has a deadline either.
    pub(crate) async fn sleep(&self, duration: Duration) {
        let slept = async {
            self.runtime.sleep(duration).await;
            Ok(())
        };
        drop(self.within(duration.saturating_mul(2), slept).await);
    }

    pub(crate) fn wall(&self) -> SystemTime {
        self.clock.wall()
    }

    pub(crate) fn recovery(&self) -> RecoveryProcedure {
        let procedure = RecoveryProcedure::new(self.host.clone()).runtime(Arc::clone(&self.runtime));
        procedure.deadlines(self.settings.deadlines).restore(self.settings.restore)
    }

    /// Says to everybody who listens what has happened.
    pub(crate) fn tell(&self, event: &FleetEvent) {
        let progress = self.board.hear(event);
        for observer in &self.observers {
            crate::call::contain(|| observer.hear(event, &progress));
        }
    }
}
