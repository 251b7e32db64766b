//! [`Phase`]: all that was counted while the settings were the same.

use std::time::Duration;

use super::beside::Labelling;
use super::judge::{Judge, Prover};
use super::stream::{Counted, Wealth};
use super::tally::{compares, runs_new, split};
use super::{Criterion, Note, PromotionCriteria, RollbackTriggers, Trigger};
use crate::clock::Instant;
use crate::monitor::PhaseCounts;
use crate::stats::{Bernoulli, Relative, spend};
use crate::store::Settings;

/// The present phase. Epochs with the same settings are one phase: their counts add up.
#[derive(Debug, Clone)]
pub(super) struct Phase {
    pub(super) settings: Settings,
    pub(super) epoch: u64,
    /// From 1; it stays where new does not run.
    pub(super) number: u64,
    /// The sums of earlier epochs of this phase.
    carried: PhaseCounts,
    /// The sums of the present epoch.
    last: PhaseCounts,
    /// Those of them that an earlier phase has judged.
    base: PhaseCounts,
    pub(super) judges: Vec<Judge>,
    pub(super) provers: Vec<Prover>,
    split: Option<Box<Split>>,
    /// When something was counted last.
    counted: Instant,
    pub(super) begun_anew: bool,
}

impl Phase {
    pub(super) fn new(
        (triggers, criteria): (&RollbackTriggers, &PromotionCriteria),
        settings: Settings,
        epoch: u64,
        number: u64,
        now: Instant,
    ) -> Self {
        let compared = |trigger: Trigger| trigger != Trigger::Validation || compares(&settings);
        let is_on = |trigger: &Trigger| triggers.rule(*trigger).enabled && runs_new(&settings) && compared(*trigger);
        let judge = |trigger| Judge::new(trigger, triggers, criteria.alpha(), &settings, number);
        let empty = PhaseCounts::empty(epoch, settings.mode);
        Self {
            settings,
            epoch,
            number,
            carried: empty,
            last: empty,
            base: empty,
            judges: Trigger::ALL.into_iter().filter(is_on).filter_map(judge).collect(),
            provers: Criterion::ALL.into_iter().filter_map(|criterion| Prover::new(criterion, criteria)).collect(),
            split: Split::new(&settings, number).map(Box::new),
            counted: now,
            begun_anew: false,
        }
    }

    /// Another epoch with the same settings.
    pub(super) fn go_on(&mut self, epoch: u64) {
        let empty = PhaseCounts::empty(epoch, self.settings.mode);
        (self.carried, self.last, self.base) = (self.sums(), empty, empty);
        self.epoch = epoch;
    }

    /// The same phase, without what `earlier` has judged.
    pub(super) fn after(self, earlier: &Self) -> Self {
        Self { last: earlier.last, base: earlier.last, counted: earlier.counted, ..self }
    }

    /// The same phase, begun because the counts went back.
    pub(super) fn after_going_back(self) -> Self {
        Self { begun_anew: true, ..self }
    }

    /// Whether `counts` are of this epoch.
    pub(super) fn is_of(&self, counts: &PhaseCounts) -> bool {
        (counts.epoch, counts.mode) == (self.epoch, self.settings.mode)
    }

    /// Whether none of `counts` is lower than it was.
    pub(super) fn goes_on_with(&self, counts: &PhaseCounts) -> bool {
        self.last.plus(&counts.since(&self.last)) == *counts
    }

    /// Takes in the sums of the present epoch.
    pub(super) fn take(&mut self, counts: &PhaseCounts, now: Instant) {
        if *counts == self.last {
            return;
        }
        self.last = *counts;
        self.counted = now;
        let sums = self.sums();
        if let Some(split) = &mut self.split {
            split.take(&sums);
        }
        let labelling = self.labelling();
        self.judges.iter_mut().for_each(|judge| judge.take(&sums, labelling));
        self.provers.iter_mut().for_each(|prover| prover.take(&sums));
    }

    /// All that was counted in this phase.
    pub(super) fn sums(&self) -> PhaseCounts {
        self.carried.plus(&self.last.since(&self.base))
    }

    /// For how long nothing was counted.
    pub(super) fn silence(&self, now: Instant) -> Duration {
        now.since(self.counted)
    }

    /// What it says which side served a bad call.
    pub(super) fn labelling(&self) -> Labelling {
        self.split.as_ref().map_or(Labelling::Right, |split| split.labelling())
    }

    pub(super) fn wrong_split(&self) -> Option<Note> {
        self.split.as_ref().and_then(|split| split.note())
    }
}

/// Whether new gets the share of calls that it should get.
#[derive(Debug, Clone)]
struct Split {
    expected: f64,
    too_much: Wealth,
    too_little: Wealth,
    /// So little, or so much, that the comparison is blind.
    far_too_little: Wealth,
    far_too_much: Wealth,
    ln_threshold: f64,
    starts: Counted,
}

/// Odds that are off by less than this factor are nobody's fault: some keys call more often than others.
const TOLERANCE: f64 = 1.25;

/// Beyond this factor the few keys that call very often are no explanation. Up to it, new has to be worse by as much more
/// before the comparison sees it.
const BLINDNESS: f64 = 5.0;

/// The probability that a right split is ever taken for a wrong one.
const ALPHA: f64 = 0.001;

impl Split {
    fn new(settings: &Settings, phase: u64) -> Option<Self> {
        let expected = split(settings)?;
        Some(Self {
            expected,
            too_much: Wealth::new(Relative::at_most(TOLERANCE).ok()?.in_phase(expected)?),
            too_little: Wealth::new(Relative::at_least(TOLERANCE.recip()).ok()?.in_phase(expected)?),
            far_too_little: Wealth::new(Relative::at_least(BLINDNESS.recip()).ok()?.in_phase(expected)?),
            far_too_much: Wealth::new(Bernoulli::at_most(1.0 - (1.0 - expected) / BLINDNESS).ok()?),
            ln_threshold: -spend(ALPHA / 4.0, phase).ln(),
            starts: Counted::default(),
        })
    }

    fn take(&mut self, counts: &PhaseCounts) {
        let (new, legacy) = (counts.served_new.started, counts.served_legacy.started);
        self.starts = Counted::new(new, new.saturating_add(legacy));
        self.too_much.take(self.starts);
        self.too_little.take(self.starts);
        self.far_too_little.take(self.starts);
        self.far_too_much.take(self.starts);
    }

    fn labelling(&self) -> Labelling {
        if [&self.far_too_little, &self.far_too_much].into_iter().any(|far| far.proves(self.ln_threshold)) {
            return Labelling::Blind;
        }
        let excess = self.starts.share().filter(|_| self.too_much.proves(self.ln_threshold));
        excess.map_or(Labelling::Right, Labelling::Excess)
    }

    fn note(&self) -> Option<Note> {
        let is_wrong = self.too_little.proves(self.ln_threshold) || self.too_much.proves(self.ln_threshold);
        let seen = self.starts.share().filter(|_| is_wrong)?;
        Some(Note::WrongSplit { expected: self.expected, seen })
    }
}
