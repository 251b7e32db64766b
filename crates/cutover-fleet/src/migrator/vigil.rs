//! [`Vigil`]: what is made of the looks at new. Pure.

use std::time::Duration;

use cutover::Percentage;
use cutover::clock::Instant;
use cutover::stats::Bernoulli;

use crate::host::Vitals;
use crate::ledger::Watched;
use crate::recovery::FailureKind;
use crate::strategy::Watch;

/// The chance of a false alarm about errors in one watch: one in a hundred.
const LN_ALARM: f64 = 4.605_170_185_988_092;

/// How many times as long as it lasts a watch may take, and how many looks at least, before it is given up.
const MOST_TIMES: u32 = 4;
const LEAST_LOOKS: u32 = 20;

/// The looks at one share so far.
#[derive(Debug)]
pub(crate) struct Vigil {
    watch: Watch,
    share: Percentage,
    legacy: Option<Vitals>,
    errors: Option<Bernoulli>,
    began: Instant,
    /// Longer between two looks is not seen.
    longest_gap: Duration,
    /// For how long it was seen to be healthy.
    healthy: Duration,
    /// When it was last seen, if it was healthy then.
    healthy_at: Option<Instant>,
    /// The calls and failures that do not count, since they came before.
    before: Option<(u64, u64)>,
    unhealthy_looks: u32,
    slow_looks: u32,
    idle_looks: u32,
    p95: Mean,
    throughput: Mean,
}

/// What is to be done after a look.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Sight {
    /// Look again.
    Going,
    /// It is proven.
    Over(Watched),
    /// It is too bad.
    Beyond(FailureKind, String),
}

impl Vigil {
    /// `look` is the longest that a look may take: a longer time between two healthy looks, such as while something blocks all
    /// systems of the run, proves nothing.
    pub(crate) fn new(watch: Watch, share: Percentage, legacy: Option<Vitals>, now: Instant, look: Duration) -> Self {
        Self {
            watch,
            share,
            legacy,
            errors: Bernoulli::at_most(watch.limits.error_rate).ok(),
            began: now,
            longest_gap: watch.every.saturating_mul(2).saturating_add(look),
            healthy: Duration::ZERO,
            healthy_at: None,
            before: None,
            unhealthy_looks: 0,
            slow_looks: 0,
            idle_looks: 0,
            p95: Mean::default(),
            throughput: Mean::default(),
        }
    }

    /// Takes in one look; `None` where it was not to be known how new does.
    pub(crate) fn look(&mut self, now: Instant, seen: Option<Vitals>) -> Sight {
        let Some(vitals) = seen else {
            self.healthy_at = None;
            return self.unless_unproven(now);
        };
        self.count(now, &vitals);
        if let Some((kind, reason)) = self.beyond(&vitals) {
            return Sight::Beyond(kind, reason);
        }
        if vitals.healthy && self.healthy >= self.watch.lasts {
            return self.end(vitals);
        }
        self.unless_unproven(now)
    }

    fn count(&mut self, now: Instant, vitals: &Vitals) {
        let limits = self.watch.limits;
        if vitals.healthy {
            let since = self.healthy_at.map(|before| now.since(before)).filter(|gap| *gap <= self.longest_gap);
            self.healthy += since.unwrap_or_default();
        }
        self.healthy_at = vitals.healthy.then_some(now);
        let slow = self.change(vitals, Vitals::latency_change).is_some_and(|change| change > limits.p95_factor - 1.0);
        let idle = self.share == Percentage::HUNDRED
            && self
                .change(vitals, Vitals::throughput_change)
                .is_some_and(|change| change < limits.throughput_factor - 1.0);
        for (looks, bad) in
            [(&mut self.unhealthy_looks, !vitals.healthy), (&mut self.slow_looks, slow), (&mut self.idle_looks, idle)]
        {
            *looks = if bad { *looks + 1 } else { 0 };
        }
        self.p95.add(vitals.p95.map(|p95| p95.as_secs_f64()));
        self.throughput.add(vitals.throughput);
    }

    fn change(&self, vitals: &Vitals, change: impl Fn(&Vitals, &Vitals) -> Option<f64>) -> Option<f64> {
        self.legacy.and_then(|legacy| change(vitals, &legacy))
    }

    fn beyond(&mut self, vitals: &Vitals) -> Option<(FailureKind, String)> {
        let limits = self.watch.limits;
        let most = limits.unhealthy_looks;
        if self.unhealthy_looks >= most {
            return Some((FailureKind::Unhealthy, format!("new was unhealthy {most} times in a row")));
        }
        let (calls, failures) = self.since_it_began(vitals);
        if self.errors.as_ref().is_some_and(|errors| errors.exceeds(failures, calls, LN_ALARM)) {
            let allowed = limits.error_rate;
            return Some((
                FailureKind::Limits,
                format!("{failures} of {calls} calls failed; allowed is a share of {allowed}"),
            ));
        }
        let factor = limits.p95_factor;
        if self.slow_looks >= most {
            return Some((
                FailureKind::Limits,
                format!("the p95 was {factor} times that of legacy {most} times in a row"),
            ));
        }
        let part = limits.throughput_factor;
        let idle = format!("the throughput was below {part} of that of legacy {most} times in a row");
        (self.idle_looks >= most).then_some((FailureKind::Limits, idle))
    }

    /// Calls and failures since the first look. A side that counts from nothing again was started anew.
    fn since_it_began(&mut self, vitals: &Vitals) -> (u64, u64) {
        let (calls, failures) = *self.before.get_or_insert((vitals.calls, vitals.failures));
        if vitals.calls < calls || vitals.failures < failures {
            self.before = Some((0, 0));
            return (vitals.calls, vitals.failures);
        }
        (vitals.calls - calls, vitals.failures - failures)
    }

    fn end(&self, vitals: Vitals) -> Sight {
        let p95 = self.p95.mean().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        let vitals = Vitals { p95, throughput: self.throughput.mean(), ..vitals };
        let latency_change = self.change(&vitals, Vitals::latency_change);
        let whole = self.share == Percentage::HUNDRED;
        let throughput_change = self.change(&vitals, Vitals::throughput_change).filter(|_| whole);
        let limits = self.watch.limits;
        if let Some(change) = latency_change.filter(|change| *change > limits.latency_change_at_most) {
            let most = limits.latency_change_at_most;
            return Sight::Beyond(
                FailureKind::Limits,
                format!("the p95 changed by {change:+.3} (plus is slower); allowed: at most {most:+}"),
            );
        }
        if let Some(change) = throughput_change.filter(|change| *change < limits.throughput_change_at_least) {
            let least = limits.throughput_change_at_least;
            return Sight::Beyond(
                FailureKind::Limits,
                format!("the throughput changed by {change:+.3} (minus is less); allowed: at least {least:+}"),
            );
        }
        Sight::Over(Watched { vitals, latency_change, throughput_change })
    }

    fn unless_unproven(&self, now: Instant) -> Sight {
        let Watch { lasts, every, .. } = self.watch;
        let longest = lasts.saturating_mul(MOST_TIMES).max(every.saturating_mul(LEAST_LOOKS));
        if now.since(self.began) < longest {
            return Sight::Going;
        }
        let healthy = self.healthy.as_secs();
        let wanted = lasts.as_secs();
        Sight::Beyond(FailureKind::Unproven, format!("new was seen to be healthy for {healthy} s only, of {wanted} s"))
    }
}

/// A mean of what was measured.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    sum: f64,
    number: u32,
}

impl Mean {
    fn add(&mut self, value: Option<f64>) {
        if let Some(value) = value.filter(|value| value.is_finite()) {
            self.sum += value;
            self.number = self.number.saturating_add(1);
        }
    }

    fn mean(self) -> Option<f64> {
        (self.number > 0).then(|| self.sum / f64::from(self.number))
    }
}

#[cfg(test)]
mod tests {
    use cutover::Clock;
    use cutover::testing::ManualClock;

    use super::*;

    #[test]
    fn a_time_in_which_nobody_could_look_proves_nothing() {
        let clock = ManualClock::new();
        let watch = Watch::default();
        let mut vigil = Vigil::new(watch, Percentage::HUNDRED, None, clock.now(), Duration::from_secs(10));
        assert_eq!(vigil.look(clock.now(), Some(Vitals::healthy())), Sight::Going);
        clock.advance(watch.lasts);
        assert_eq!(vigil.look(clock.now(), Some(Vitals::healthy())), Sight::Going, "two looks, 300 s apart");
        for _ in 0..15 {
            clock.advance(Duration::from_secs(19));
            vigil.look(clock.now(), Some(Vitals::healthy()));
        }
        clock.advance(Duration::from_secs(19));
        assert!(matches!(vigil.look(clock.now(), Some(Vitals::healthy())), Sight::Over(_)), "slow looks are looks");
    }
}
