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
    test: Bernoulli,
    cusum: Cusum,
    pub(super) seen: Counted,
    pub(super) ln_e: f64,
    pub(super) ln_alarm: f64,
}

impl Stream {
    pub(super) fn new(test: Bernoulli) -> Self {
        let cusum = Cusum::new(&test);
        Self { test, cusum, seen: Counted::default(), ln_e: 0.0, ln_alarm: 0.0 }
    }

    /// Takes in the sums of the phase, of which the detector gets the difference to those before.
    pub(super) fn take(&mut self, sums: Counted) {
        if sums == self.seen {
            return;
        }
        let events = sums.events.saturating_sub(self.seen.events);
        self.cusum.fold(events, sums.trials.saturating_sub(self.seen.trials));
        self.seen = sums;
        self.ln_e = self.test.ln_e(sums.events, sums.trials);
        self.ln_alarm = self.cusum.ln_value();
    }
}

/// The evidence of a whole phase alone.
#[derive(Debug, Clone)]
pub(super) struct Wealth {
    test: Bernoulli,
    seen: Counted,
    pub(super) ln_e: f64,
}

impl Wealth {
    pub(super) const fn new(test: Bernoulli) -> Self {
        Self { test, seen: Counted::new(0, 0), ln_e: 0.0 }
    }

    pub(super) fn take(&mut self, sums: Counted) {
        if sums != self.seen {
            self.seen = sums;
            self.ln_e = self.test.ln_e(sums.events, sums.trials);
        }
    }
}

/// Whoever was good for long, and whose detector of changes comes to this, is taken for neither good nor bad.
pub(super) const LN_LATELY_WORSE: f64 = 6.907_755_278_982_137; // ln 1000
