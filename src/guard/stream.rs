//! [`Stream`]: bad events among trials, and what they prove.

use crate::stats::{Bernoulli, Cusum};

/// Bad events, and of how many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Counted {
    pub(super) events: u64,
    pub(super) trials: u64,
}

impl Counted {
    pub(super) const fn new(events: u64, trials: u64) -> Self {
        Self { events, trials }
    }

    /// The share of bad events; `None` without trials.
    pub(super) fn share(self) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "a share is shown with a few digits")]
        (self.trials > 0).then(|| self.events as f64 / self.trials as f64)
    }
}

/// One hypothesis about a rate: the evidence of a whole phase, and the detector of changes for long ones.
#[derive(Debug, Clone)]
pub(super) struct Stream {
    wealth: Wealth,
    cusum: Cusum,
}

impl Stream {
    pub(super) fn new(test: Bernoulli) -> Self {
        let cusum = Cusum::new(&test);
        Self { wealth: Wealth::new(test), cusum }
    }

    /// Takes in the sums of the phase, of which the detector gets the difference to those before.
    pub(super) fn take(&mut self, sums: Counted) {
        let seen = self.wealth.seen;
        let (events, trials) = (sums.events.saturating_sub(seen.events), sums.trials.saturating_sub(seen.trials));
        self.cusum.fold(events, trials);
        self.wealth.take(sums);
    }

    pub(super) const fn seen(&self) -> Counted {
        self.wealth.seen
    }

    pub(super) fn ln_e(&self) -> f64 {
        self.wealth.ln_e()
    }

    /// Whether [`ln_e`](Self::ln_e) is at least that, which is mostly seen at once.
    pub(super) fn proves(&self, ln_threshold: f64) -> bool {
        self.wealth.proves(ln_threshold)
    }

    pub(super) fn ln_alarm(&self) -> f64 {
        self.cusum.ln_value()
    }

    /// Whether [`ln_alarm`](Self::ln_alarm) is at least that, which is mostly seen at once.
    pub(super) fn alarms(&self, ln_threshold: f64) -> bool {
        self.cusum.exceeds(ln_threshold)
    }
}

/// The evidence of a whole phase alone.
#[derive(Debug, Clone)]
pub(super) struct Wealth {
    test: Bernoulli,
    seen: Counted,
}

impl Wealth {
    pub(super) const fn new(test: Bernoulli) -> Self {
        Self { test, seen: Counted::new(0, 0) }
    }

    pub(super) const fn take(&mut self, sums: Counted) {
        self.seen = sums;
    }

    pub(super) fn ln_e(&self) -> f64 {
        self.test.ln_e(self.seen.events, self.seen.trials)
    }

    pub(super) fn proves(&self, ln_threshold: f64) -> bool {
        self.test.exceeds(self.seen.events, self.seen.trials, ln_threshold)
    }
}

/// Whoever was good for long, and whose detector of changes comes to this, is taken for neither good nor bad.
pub(super) const LN_LATELY_WORSE: f64 = 6.907_755_278_982_137; // ln 1000
