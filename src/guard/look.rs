//! [`Guard`]: looks at the evidence.

use std::time::Duration;

use super::actions::{Actions, Pace};
use super::findings::{Findings, Numbers};
use super::phase::Phase;
use super::tally::runs_new;
use super::{Action, GuardReport, Present, PromotionCriteria, Proof, RollbackTriggers, Trigger};
use crate::clock::Instant;
use crate::monitor::{Evidence, PhaseCounts};
use crate::store::Settings;

/// Says when new has regressed, and when it is proven to be good enough. Between the two it says that nothing is proven.
///
/// It may look as often as it likes, at best about once a second: how probable it is to be wrong stays what the
/// [`RollbackTriggers`] and the [`PromotionCriteria`] say. That is a budget for all that the phases have counted, and on top of
/// it a rare [false alarm](super::CallsToFalseAlarm) of the detectors of changes. A look without new data changes nothing. It
/// never asks for the time, and does nothing by itself: [`AutoRollback`](super::AutoRollback) and plans look and act.
///
/// # What proves a regression
/// - While legacy runs beside new (`Parallel`, and `GradualRollout` below 100 %), two things have to be proven: that new is
///   beyond the limit, and that it is worse than legacy. What strikes both, such as a slow database, is no reason to leave new.
///   In `Parallel` the items count on which only one side was bad; in `GradualRollout` whether the bad calls are more
///   often of new than its share, and than the share of calls that it gets, if that is proven to be larger.
/// - Comparisons that disagree are proven by the limit alone.
/// - Without legacy beside it (`NewOnly`, and `GradualRollout` at 100 %), a detector of changes says when new goes beyond the
///   limit. It forgets what was good before, so that a break is found as soon after a year as after an hour. The same
///   detectors serve in long phases of the other modes.
/// - Health and the average duration compare one number with a limit. If legacy fails its health checks too, health proves nothing.
///
/// # Phases
/// Epochs with the same settings are one phase; other settings begin a new one with fresh counts. A trigger that has
/// regressed stays so until the next phase. If the guard asked for a rollback, the phase that the rollback begins is
/// held too, and nothing is promoted: not before somebody has changed the settings again, or has said
/// [`begin_anew`](Self::begin_anew).
///
/// ```
/// use cutover::clock::Instant;
/// use cutover::guard::{Action, Guard, GuardVerdict, Present, Trigger};
/// use cutover::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideCounts, SideFailures};
/// use cutover::store::Settings;
/// use cutover::{Percentage, SystemMode};
///
/// /// What some other process has counted.
/// struct Counted(PhaseCounts);
///
/// impl Evidence for Counted {
///     fn counts(&self) -> PhaseCounts { self.0 }
///     fn health_failures(&self) -> SideFailures { SideFailures::default() }
///     fn mean_durations(&self) -> MeanDurations { MeanDurations::default() }
///     fn baseline(&self) -> Option<Baseline> { None }
///     fn latency_factors(&self) -> LatencyFactors { LatencyFactors::default() }
/// }
///
/// let settings = Settings { mode: SystemMode::NewOnly, rollout: Percentage::HUNDRED, shadow_share: None };
/// let present = Present { epoch: 3, settings };
/// let mut guard = Guard::default();
/// let mut look = |started, failed| {
///     let new = SideCounts { started, failed, succeeded: started - failed, ..SideCounts::default() };
///     let counts = PhaseCounts { new, ..PhaseCounts::empty(3, SystemMode::NewOnly) };
///     guard.look(&Counted(counts), present, Instant::default())
/// };
/// assert_eq!(look(0, 0).verdict, GuardVerdict::Inconclusive);
/// assert_eq!(look(1_000, 40).action, None);
/// let report = look(1_200, 120);
/// assert_eq!((report.verdict, report.action), (GuardVerdict::Regressed, Some(Action::Rollback)));
/// println!("{report}");
/// ```
#[derive(Debug, Clone)]
pub struct Guard {
    triggers: RollbackTriggers,
    criteria: PromotionCriteria,
    outage: Duration,
    phase: Phase,
    /// What has regressed in this phase.
    regressed: Vec<(Trigger, Proof)>,
    actions: Actions,
}

impl Default for Guard {
    fn default() -> Self {
        Self::new(RollbackTriggers::default(), PromotionCriteria::default())
    }
}

impl Guard {
    /// A guard that has seen nothing yet.
    #[must_use]
    pub fn new(triggers: RollbackTriggers, criteria: PromotionCriteria) -> Self {
        let phase = Phase::new((&triggers, &criteria), Settings::default(), 0, 0, Instant::default());
        let outage = Duration::from_secs(300);
        Self { triggers, criteria, outage, phase, regressed: Vec::new(), actions: Actions::default() }
    }

    /// For how long nothing is promoted after a rollback was asked for. A rollback itself never waits. The default is 10 minutes.
    #[must_use]
    pub const fn cool_down(mut self, cool_down: Duration) -> Self {
        self.actions.pace.cool_down = cool_down;
        self
    }

    /// For how long nothing is promoted after a rollback was asked for.
    #[must_use]
    pub const fn cools_down_for(&self) -> Duration {
        self.actions.pace.cool_down
    }

    /// How many rollbacks are asked for within `window`. Beyond that it asks to freeze, since something is wrong that rolling
    /// back does not mend. The default is 3 in 24 hours; with 0 it never asks for one.
    #[must_use]
    pub const fn rollbacks_at_most(mut self, rollbacks: u32, window: Duration) -> Self {
        self.actions.pace = Pace { rollbacks, window, ..self.actions.pace };
        self
    }

    /// After how long without new counts monitoring may be down. The default is 5 minutes.
    #[must_use]
    pub const fn outage_after(mut self, silence: Duration) -> Self {
        self.outage = silence;
        self
    }

    /// Goes on after `phases` phases that another guard has judged, such as that of a process that has ended: they have spent
    /// their part of the budget. The default is 0.
    #[must_use]
    pub const fn after_phases(mut self, phases: u64) -> Self {
        self.phase.number = phases;
        self
    }

    /// The number of phases that were judged, for [`after_phases`](Self::after_phases).
    #[must_use]
    pub const fn phases(&self) -> u64 {
        self.phase.number
    }

    /// When it acts.
    #[must_use]
    pub const fn triggers(&self) -> &RollbackTriggers {
        &self.triggers
    }

    /// What it wants proven.
    #[must_use]
    pub const fn criteria(&self) -> &PromotionCriteria {
        &self.criteria
    }

    /// Somebody has looked at what has regressed, and goes on with the same settings: a new phase begins, with fresh counts.
    pub fn begin_anew(&mut self) {
        let Phase { settings, epoch, .. } = self.phase;
        self.phase = self.fresh(settings, epoch, Instant::default()).after(&self.phase);
        self.regressed.clear();
        self.actions.answered();
    }

    /// Takes in what was counted since the last look, and says what all of it proves. `now` is of the same clock each time.
    pub fn look(&mut self, evidence: &dyn Evidence, present: Present, now: Instant) -> GuardReport {
        let (numbers, wanted, action) = self.take_in(evidence, present, now);
        let findings = Findings {
            triggers: &self.triggers,
            phase: &self.phase,
            regressed: &self.regressed,
            numbers: &numbers,
            silence: Some(self.phase.silence(now)).filter(|silence| *silence >= self.outage),
        };
        findings.report(action, self.actions.notes(wanted, now))
    }

    /// As [`look`](Self::look), but says only what is asked for: for those who look after every call, such as simulations.
    pub fn glance(&mut self, evidence: &dyn Evidence, present: Present, now: Instant) -> Option<Action> {
        self.take_in(evidence, present, now).2
    }

    /// The numbers that are no counts, what the triggers want, and what is asked for.
    fn take_in(
        &mut self,
        evidence: &dyn Evidence,
        present: Present,
        now: Instant,
    ) -> (Numbers, Option<Action>, Option<Action>) {
        self.enter(present, now);
        self.take(&evidence.counts(), now);
        let numbers = Numbers::of(evidence, &self.triggers, &self.criteria);
        self.find(&numbers);
        let wanted = self.wanted();
        (numbers, wanted, self.actions.ask(wanted, now))
    }

    /// Begins a new phase if the settings have changed.
    fn enter(&mut self, present: Present, now: Instant) {
        let settings = present.settings();
        if settings != self.phase.settings {
            let triggers = &self.triggers;
            let regressed = self.regressed.drain(..).map(|(trigger, _)| trigger);
            self.actions.next_phase(regressed.filter(|trigger| acts(triggers, *trigger)));
            self.phase = self.fresh(settings, present.epoch, now);
        } else if present.epoch != self.phase.epoch {
            self.phase.go_on(present.epoch);
        }
    }

    fn fresh(&self, settings: Settings, epoch: u64, now: Instant) -> Phase {
        let number = self.phase.number.saturating_add(u64::from(runs_new(&settings)));
        Phase::new((&self.triggers, &self.criteria), settings, epoch, number, now)
    }

    fn take(&mut self, counts: &PhaseCounts, now: Instant) {
        if !self.phase.is_of(counts) {
            return;
        }
        if !self.phase.goes_on_with(counts) {
            let Phase { settings, epoch, .. } = self.phase;
            self.phase = self.fresh(settings, epoch, now).after_going_back();
        }
        self.phase.take(counts, now);
    }

    /// Finds what has regressed. What only warns is not remembered.
    fn find(&mut self, numbers: &Numbers) {
        let triggers = &self.triggers;
        self.regressed.retain(|(trigger, _)| triggers.rule(*trigger).action > Action::Warn);
        let proven = self.phase.judges.iter().filter_map(|judge| Some((judge.trigger, judge.proof?)));
        let proven = proven.filter(|(trigger, _)| numbers.factors.unlike_trigger(*trigger).is_none());
        let runs_new = runs_new(&self.phase.settings);
        let above = [Trigger::Health, Trigger::AverageDuration].into_iter().filter(|trigger| {
            let rule = triggers.rule(*trigger);
            rule.enabled && runs_new && numbers.is_above(*trigger, rule.limit)
        });
        for (trigger, proof) in proven.chain(above.map(|trigger| (trigger, Proof::Number))) {
            if self.regressed.iter().all(|(known, _)| *known != trigger) {
                self.regressed.push((trigger, proof));
            }
        }
    }

    /// The strongest action of what has regressed.
    fn wanted(&self) -> Option<Action> {
        let rules = self.regressed.iter().map(|(trigger, _)| self.triggers.rule(*trigger));
        rules.filter(|rule| !rule.dry_run).map(|rule| rule.action).max()
    }
}

/// Whether something happens that a person has to answer.
fn acts(triggers: &RollbackTriggers, trigger: Trigger) -> bool {
    let rule = triggers.rule(trigger);
    !rule.dry_run && rule.action > Action::Warn
}
