//! [`Summary`]: what came of many runs.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Outcome, Played};

/// What came of many runs. It is collected from them, and can be extended by more.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Summary {
    /// How many there were.
    pub runs: u64,
    /// Those that came to the end of the plan.
    pub finished: u64,
    /// Those that went back to legacy.
    pub rolled_back: u64,
    /// Those that came to no end in time.
    pub given_up: u64,
    /// Those in which the plan was rolled back, frozen, or asked a person before anything was broken.
    pub false_alarms: u64,
    /// Those in which something was broken.
    pub broken: u64,
    /// Those of them in which the guard found it.
    pub detected: u64,
    /// How long that took, in seconds.
    pub delay: Spread,
    /// How many calls new served in that time.
    pub served_by_new: Spread,
    /// How many calls were hurt, in the runs in which something was broken.
    pub hurt_calls: Spread,
    /// How many keys, in the same runs.
    pub hurt_keys: Spread,
    /// How many days the plan took, in the runs that came to its end.
    pub days: Spread,
    /// What the naive rule would have done.
    pub naive: NaiveSummary,
}

/// What the naive rule would have done: more than 5 failures in the last 100 calls of new, asked after every call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct NaiveSummary {
    /// Runs in which it would have rolled back before anything was broken.
    pub false_alarms: u64,
    /// Runs in which it would have found what was broken.
    pub detected: u64,
    /// How long that would have taken, in seconds.
    pub delay: Spread,
    /// How many calls would have been hurt by then.
    pub hurt_calls: Spread,
}

/// The values of many runs, in their order.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Spread(Vec<f64>);

impl Spread {
    /// How many values there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The middle one; `None` without any.
    #[must_use]
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// The one that a share of `p` of the values does not exceed; `None` without any.
    #[must_use]
    pub fn quantile(&self, p: f64) -> Option<f64> {
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place"
        )]
        let place = ((self.0.len() as f64 * p).ceil() as usize).clamp(1, self.0.len().max(1)) - 1;
        self.0.get(place).copied()
    }

    fn insert(&mut self, value: f64) {
        let place = self.0.partition_point(|other| *other <= value);
        self.0.insert(place, value);
    }

    #[expect(clippy::cast_precision_loss, reason = "counts beyond 2^53 are rounded")]
    fn insert_count(&mut self, count: u64) {
        self.insert(count as f64);
    }
}

impl Summary {
    /// Adds a run.
    pub fn add(&mut self, played: &Played) {
        self.runs += 1;
        match played.outcome {
            Outcome::Finished => self.finished += 1,
            Outcome::RolledBack => self.rolled_back += 1,
            Outcome::GivenUp => self.given_up += 1,
        }
        self.false_alarms += u64::from(played.false_alarm);
        if played.outcome == Outcome::Finished {
            self.days.insert(days(played.took));
        }
        if let Some(broken) = &played.broken {
            self.broken += 1;
            self.hurt_calls.insert_count(broken.hurt_calls);
            self.hurt_keys.insert_count(broken.hurt_keys);
        }
        if let Some(breach) = played.breach.as_ref().filter(|_| !played.false_alarm) {
            self.detected += 1;
            self.delay.insert(breach.delay.as_secs_f64());
            self.served_by_new.insert_count(breach.served_by_new);
        }
        self.naive.add(played);
    }
}

impl NaiveSummary {
    fn add(&mut self, played: &Played) {
        let Some(alarm) = played.naive else { return };
        if alarm.is_false {
            self.false_alarms += 1;
            return;
        }
        self.detected += 1;
        self.delay.insert(alarm.delay.as_secs_f64());
        self.hurt_calls.insert_count(alarm.hurt_calls);
    }
}

fn days(time: Duration) -> f64 {
    time.as_secs_f64() / 86_400.0
}

impl Extend<Played> for Summary {
    fn extend<I: IntoIterator<Item = Played>>(&mut self, runs: I) {
        runs.into_iter().for_each(|played| self.add(&played));
    }
}

impl FromIterator<Played> for Summary {
    fn from_iter<I: IntoIterator<Item = Played>>(runs: I) -> Self {
        let mut summary = Self::default();
        summary.extend(runs);
        summary
    }
}
