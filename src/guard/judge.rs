//! [`Judge`]: one statistical trigger in one phase. [`Prover`]: one criterion in one phase.

use super::beside::{Beside, Labelling};
use super::criteria::SLOW;
use super::factors::Factors;
use super::stream::{LN_LATELY_WORSE, Stream, Wealth};
use super::tally::Tally;
use super::{
    Criterion, CriterionReport, GuardVerdict, PromotionCriteria, Proof, RelativeReport, RollbackTriggers, Strength,
    Trigger, tally,
};
use crate::monitor::PhaseCounts;
use crate::stats::{Bernoulli, spend};
use crate::store::Settings;

/// Nothing is proven by fewer bad events than that, whatever the limit: nobody is rolled back because of one call.
const FEWEST_EVENTS: u64 = 3;

/// Two kinds of evidence. The *absolute* one is about the limit. The *relative* one, where legacy runs beside new, is about
/// which of them is worse. Only both together prove a regression: what makes both sides worse at the same time is no
/// reason to leave new. Under either hypothesis the smaller one of the e-values is one too.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    pub(super) trigger: Trigger,
    absolute: Stream,
    relative: Option<Beside>,
    below: Wealth,
    ln_threshold: Option<f64>,
    ln_alarm_threshold: f64,
    ln_healthy: f64,
    pub(super) tally: Tally,
    /// What proves that new has regressed.
    pub(super) proof: Option<Proof>,
}

impl Judge {
    /// The judge of a statistical trigger in the phase number `phase`.
    pub(super) fn new(
        trigger: Trigger,
        triggers: &RollbackTriggers,
        alpha_healthy: f64,
        settings: &Settings,
        phase: u64,
    ) -> Option<Self> {
        let rule = triggers.rule(trigger);
        let rate = rate(trigger, rule.limit)?;
        let relative = Beside::new(trigger, settings);
        let is_controlled = relative.is_some() || trigger == Trigger::Validation;
        let calls = triggers.calls_to_false_alarm();
        let calls = if is_controlled { calls.with_control } else { calls.without_control };
        Some(Self {
            trigger,
            absolute: Stream::new(Bernoulli::at_most(rate).ok()?),
            relative,
            below: Wealth::new(Bernoulli::at_least(rate).ok()?),
            ln_threshold: is_controlled.then(|| -spend(triggers.budget() * rule.share, phase).ln()),
            ln_alarm_threshold: (calls / rule.share).ln(),
            ln_healthy: -alpha_healthy.ln(),
            tally: Tally::default(),
            proof: None,
        })
    }

    /// Takes in the sums of the phase.
    pub(super) fn take(&mut self, counts: &PhaseCounts, labelling: Labelling) {
        let tally = Tally::of(self.trigger, counts);
        if tally == self.tally {
            return;
        }
        self.tally = tally;
        self.absolute.take(self.tally.new);
        self.below.take(self.tally.new);
        if let Some(beside) = &mut self.relative {
            beside.take(&self.tally, labelling);
        }
        self.proof = self.prove(labelling);
    }

    fn prove(&self, labelling: Labelling) -> Option<Proof> {
        let streams = || self.beside(labelling).into_iter().flat_map(Beside::streams).chain([&self.absolute]);
        if self.tally.new.events < FEWEST_EVENTS {
            return None;
        }
        if self.ln_threshold.is_some_and(|threshold| streams().all(|stream| stream.proves(threshold))) {
            return Some(Proof::Evidence);
        }
        streams().all(|stream| stream.alarms(self.ln_alarm_threshold)).then_some(Proof::Alarm)
    }

    fn beside(&self, labelling: Labelling) -> Option<&Beside> {
        self.relative.as_ref().filter(|_| labelling != Labelling::Blind)
    }

    /// How much is proven, and how new does beside legacy.
    pub(super) fn strength(&self, labelling: Labelling) -> (Strength, Option<RelativeReport>) {
        let (ln_e, ln_alarm) = (self.absolute.ln_e(), self.absolute.ln_alarm());
        let beside = self.beside(labelling);
        let relative = beside.map(Beside::report);
        let strength = Strength {
            ln_e: relative.map_or(ln_e, |relative| ln_e.min(relative.ln_e)),
            ln_threshold: self.ln_threshold,
            ln_alarm: beside.map_or(ln_alarm, |beside| ln_alarm.min(beside.ln_alarm())),
            ln_alarm_threshold: self.ln_alarm_threshold,
        };
        (strength, relative)
    }

    /// Whether it is proven that new keeps to the limit, and nothing came lately that speaks against it.
    pub(super) fn is_healthy(&self) -> bool {
        self.below.proves(self.ln_healthy) && !self.absolute.alarms(LN_LATELY_WORSE)
    }
}

/// The share of bad events that is allowed; `None` for triggers that are not statistical.
pub(super) fn rate(trigger: Trigger, limit: f64) -> Option<f64> {
    match trigger {
        Trigger::Validation | Trigger::ErrorRate => Some(limit),
        Trigger::P95 => Some(SLOW),
        Trigger::Throughput => Some(1.0 - limit),
        Trigger::Health | Trigger::AverageDuration => None,
    }
}

/// Proves that new is good enough.
#[derive(Debug, Clone)]
pub(super) struct Prover {
    criterion: Criterion,
    limit: f64,
    below: Wealth,
    above: Stream,
    ln_threshold: f64,
}

impl Prover {
    pub(super) fn new(criterion: Criterion, criteria: &PromotionCriteria) -> Option<Self> {
        let limit = criteria.bad_share(criterion);
        let below = Wealth::new(Bernoulli::at_least(limit).ok()?);
        let above = Stream::new(Bernoulli::at_most(limit).ok()?);
        Some(Self { criterion, limit, below, above, ln_threshold: -criteria.alpha().ln() })
    }

    pub(super) fn take(&mut self, counts: &PhaseCounts) {
        let sums = tally::criterion(self.criterion, counts);
        self.below.take(sums);
        self.above.take(sums);
    }

    pub(super) fn report(&self, outage: bool, factors: &Factors) -> CriterionReport {
        let seen = self.above.seen();
        let lately_worse = self.above.alarms(LN_LATELY_WORSE);
        let counted_beyond = factors.unlike_criterion(self.criterion);
        let proven = counted_beyond.is_none() && self.below.proves(self.ln_threshold);
        let healthy = proven && !lately_worse && !outage;
        CriterionReport {
            criterion: self.criterion,
            verdict: if healthy { GuardVerdict::Healthy } else { GuardVerdict::Inconclusive },
            events: seen.events,
            trials: seen.trials,
            estimate: seen.share(),
            limit: self.limit,
            counted_beyond,
            ln_e: self.below.ln_e(),
            ln_threshold: self.ln_threshold,
            lately_worse: proven && lately_worse,
        }
    }
}
