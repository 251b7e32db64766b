//! [`Judge`]: what a plan asks about new.

use std::time::Duration;

use crate::clock::Instant;
use crate::guard::{Guard, GuardReport, Present};
use crate::monitor::Evidence;

/// Who says whether new has regressed and what is proven of it. [`Guard`] is one; a test may have another.
pub trait Judge: Send + Sync {
    /// Takes in what was counted since the last look, and says what all of it proves. `now` is of the same clock each time.
    fn look(&mut self, evidence: &dyn Evidence, present: Present, now: Instant) -> GuardReport;

    /// A person has looked at what has regressed, and goes on with the same settings.
    fn begin_anew(&mut self);

    /// For how long nothing goes forward after an automatic rollback. The default is not to wait.
    fn cool_down(&self) -> Duration {
        Duration::ZERO
    }

    /// Goes on after the phases that another one has judged. Called once, before the first look.
    fn go_on_after(&mut self, phases: u64) {
        let _ = phases;
    }
}

impl Judge for Guard {
    fn look(&mut self, evidence: &dyn Evidence, present: Present, now: Instant) -> GuardReport {
        Self::look(self, evidence, present, now)
    }

    fn begin_anew(&mut self) {
        Self::begin_anew(self);
    }

    fn cool_down(&self) -> Duration {
        self.cools_down_for()
    }

    fn go_on_after(&mut self, phases: u64) {
        if self.phases() < phases {
            *self = self.clone().after_phases(phases);
        }
    }
}
