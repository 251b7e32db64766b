//! [`Findings`]: makes a report of what a look has found.

use std::time::Duration;

use super::factors::Factors;
use super::judge::Judge;
use super::phase::Phase;
use super::stream::Counted;
use super::tally::{compares, runs_new};
use super::{
    Action, GuardReport, GuardVerdict, Note, PromotionCriteria, Proof, RollbackTriggers, Trigger, TriggerReport,
};
use crate::monitor::{Baseline, Evidence, SideFailures};

/// What is no count.
pub(super) struct Numbers {
    health: SideFailures,
    average: Option<Duration>,
    baseline: Option<Baseline>,
    pub(super) factors: Factors,
}

impl Numbers {
    pub(super) fn of(evidence: &dyn Evidence, triggers: &RollbackTriggers, criteria: &PromotionCriteria) -> Self {
        Self {
            health: evidence.health_failures(),
            average: evidence.mean_durations().new,
            baseline: evidence.baseline(),
            factors: Factors::new(evidence.latency_factors(), triggers, criteria),
        }
    }

    /// Whether a trigger that compares one number with a limit is beyond it.
    pub(super) fn is_above(&self, trigger: Trigger, limit: f64) -> bool {
        match trigger {
            Trigger::Health => f64::from(self.health.new) > limit && !self.is_legacy_unhealthy(limit),
            Trigger::AverageDuration => self.average.is_some_and(|average| average.as_secs_f64() > limit),
            Trigger::Validation | Trigger::ErrorRate | Trigger::P95 | Trigger::Throughput => false,
        }
    }

    fn is_legacy_unhealthy(&self, limit: f64) -> bool {
        f64::from(self.health.legacy) > limit
    }
}

/// What a look has found.
pub(super) struct Findings<'a> {
    pub(super) triggers: &'a RollbackTriggers,
    pub(super) phase: &'a Phase,
    pub(super) regressed: &'a [(Trigger, Proof)],
    pub(super) numbers: &'a Numbers,
    /// For how long nothing was counted, if that is too long.
    pub(super) silence: Option<Duration>,
}

impl Findings<'_> {
    pub(super) fn report(&self, action: Option<Action>, notes: impl Iterator<Item = Note>) -> GuardReport {
        let is_on = |trigger: &Trigger| self.triggers.rule(*trigger).enabled;
        let triggers: Vec<_> = Trigger::ALL.into_iter().filter(is_on).map(|trigger| self.trigger(trigger)).collect();
        let outage = self.outage().is_some();
        GuardReport {
            verdict: verdict(&triggers),
            action,
            epoch: self.phase.epoch,
            mode: self.phase.settings.mode,
            rollout: self.phase.settings.rollout,
            phase: self.phase.number,
            baseline: self.numbers.baseline,
            criteria: self.phase.provers.iter().map(|prover| prover.report(outage, &self.numbers.factors)).collect(),
            notes: self.notes().chain(notes).collect(),
            triggers,
        }
    }

    fn trigger(&self, trigger: Trigger) -> TriggerReport {
        let judge = self.phase.judges.iter().find(|judge| judge.trigger == trigger);
        let proof = self.regressed.iter().find(|(known, _)| *known == trigger).map(|(_, proof)| *proof);
        let rule = self.triggers.rule(trigger);
        let strength = judge.map(|judge| judge.strength(self.phase.labelling()));
        let Finding { new, legacy, estimate } = self.finding(trigger, judge);
        TriggerReport {
            trigger,
            verdict: self.verdict(trigger, judge, proof),
            proof,
            applies: self.applies(trigger),
            events: new.events,
            trials: new.trials,
            estimate,
            limit: rule.limit,
            counted_beyond: self.numbers.factors.unlike_trigger(trigger),
            legacy_events: legacy.events,
            legacy_trials: legacy.trials,
            strength: strength.map(|(strength, _)| strength),
            relative: strength.and_then(|(_, relative)| relative),
            action: rule.action,
            dry_run: rule.dry_run,
        }
    }

    fn finding(&self, trigger: Trigger, judge: Option<&Judge>) -> Finding {
        let SideFailures { legacy, new } = self.numbers.health;
        match (trigger, judge) {
            (Trigger::Health, _) => {
                let counted = |failures| Counted::new(u64::from(failures), 0);
                Finding { new: counted(new), legacy: counted(legacy), estimate: None }
            }
            (Trigger::AverageDuration, _) => {
                let estimate = self.numbers.average.map(|average| average.as_secs_f64());
                Finding { estimate, ..Finding::default() }
            }
            (_, Some(judge)) => {
                let (new, legacy) = (judge.tally.new, judge.tally.legacy);
                Finding { new, legacy, estimate: new.share() }
            }
            (_, None) => Finding::default(),
        }
    }

    fn verdict(&self, trigger: Trigger, judge: Option<&Judge>, proof: Option<Proof>) -> GuardVerdict {
        let healthy = match trigger {
            // Nobody knows whether there are health checks at all.
            Trigger::Health => false,
            Trigger::AverageDuration => self.numbers.average.is_some(),
            Trigger::Validation | Trigger::ErrorRate | Trigger::P95 | Trigger::Throughput => {
                self.numbers.factors.unlike_trigger(trigger).is_none() && judge.is_some_and(Judge::is_healthy)
            }
        };
        match proof {
            Some(_) => GuardVerdict::Regressed,
            None if healthy && self.applies(trigger) && self.silence.is_none() => GuardVerdict::Healthy,
            None => GuardVerdict::Inconclusive,
        }
    }

    fn applies(&self, trigger: Trigger) -> bool {
        let settings = &self.phase.settings;
        if trigger == Trigger::Validation { compares(settings) } else { runs_new(settings) }
    }

    fn outage(&self) -> Option<Note> {
        let silence = self.silence.filter(|_| runs_new(&self.phase.settings))?;
        Some(Note::NoNewCounts { seconds: silence.as_secs() })
    }

    fn notes(&self) -> impl Iterator<Item = Note> {
        let runs_new = runs_new(&self.phase.settings);
        let new = self.phase.sums().new;
        let limit = self.triggers.rule(Trigger::Health).limit;
        let no_baseline = self.numbers.baseline.is_none() && new.timed == 0 && new.started > 0;
        let unhealthy = f64::from(self.numbers.health.new) > limit && self.numbers.is_legacy_unhealthy(limit);
        let when = |is_so: bool, note| (is_so && runs_new).then_some(note);
        let notes = [
            (!runs_new).then_some(Note::NothingToJudge),
            when(new.started == 0, Note::NothingCounted),
            self.outage(),
            when(self.phase.begun_anew, Note::BegunAnew),
            when(no_baseline, Note::NoBaseline),
            when(unhealthy, Note::LegacyUnhealthy),
            self.phase.wrong_split(),
        ];
        notes.into_iter().chain(self.numbers.factors.notes()).flatten()
    }
}

#[derive(Default)]
struct Finding {
    new: Counted,
    legacy: Counted,
    estimate: Option<f64>,
}

/// The verdict on all triggers together. Those that only warn or are a dry run do not count, nor do those without data in
/// this mode.
fn verdict(triggers: &[TriggerReport]) -> GuardVerdict {
    let counts = |report: &&TriggerReport| report.applies && !report.dry_run && report.action > Action::Warn;
    let mut verdict = None;
    for report in triggers.iter().filter(counts) {
        let is_quiet = report.trigger == Trigger::Health && report.events == 0;
        if !is_quiet {
            verdict = verdict.max(Some(report.verdict));
        }
    }
    verdict.unwrap_or(GuardVerdict::Inconclusive)
}
