//! [`World`]: draws the calls between two looks, and shows the guard those that it could see.

use std::time::Duration;

use super::chance::Chance;
use super::crowd::People;
use super::latency::Latency;
use super::rates::{Limits, Weather};
use super::score::Score;
use super::traffic::Traffic;
use super::{Begins, Happening, Model};
use crate::Percentage;
use crate::guard::Present;
use crate::monitor::{Baseline, Evidence, LatencyFactors, MeanDurations, PhaseCounts, SideFailures};
use crate::store::Settings;

#[derive(Debug)]
pub(super) struct World<'m> {
    model: &'m Model,
    limits: Limits,
    traffic: Traffic,
    pub(super) chance: Chance,
    settings: Settings,
    /// The sums that the guard sees.
    counts: PhaseCounts,
    /// Up to when calls were drawn.
    drawn: u64,
    faults: Vec<FaultState>,
    /// The last moment that was looked at.
    now: u64,
}

/// When one fault begins, as far as it is known, and what of it was told.
#[derive(Debug, Clone, Copy, Default)]
struct FaultState {
    begins: Option<u64>,
    ends: Option<u64>,
    told: (bool, bool),
}

impl FaultState {
    fn beginning(at: u64, lasts: Option<Duration>) -> Self {
        Self { begins: Some(at), ends: lasts.map(|lasts| at + lasts.as_secs()), told: (false, false) }
    }

    fn is_on(&self, at: u64) -> bool {
        self.begins.is_some_and(|begins| begins <= at) && self.ends.is_none_or(|ends| at < ends)
    }
}

/// Rates are the same for so many seconds, in which no drift gets far.
const LONGEST_SPAN: u64 = 60;

/// The length of the ticks in which monitors count, in seconds.
const TICK: u64 = 1;

impl<'m> World<'m> {
    pub(super) fn new(model: &'m Model, limits: Limits, people: People, chance: Chance) -> Self {
        let faults = model.faults.iter().map(|fault| match fault.begins {
            Begins::After(begins) => FaultState::beginning(begins.as_secs(), fault.lasts),
            Begins::AtRollout(_) => FaultState::default(),
        });
        let settings = Settings::default();
        let mut traffic = Traffic::new(people, model.keys.told_apart);
        traffic.enter(settings);
        Self {
            model,
            limits,
            traffic,
            chance,
            settings,
            counts: PhaseCounts::empty(0, settings.mode),
            drawn: 0,
            faults: faults.collect(),
            now: 0,
        }
    }

    /// Draws what the guard can have seen at `now`: calls that started so long ago that all of them have ended or are overdue.
    pub(super) fn go_on(&mut self, now: u64, score: &mut Score) {
        let timeout = self.model.timeout.as_secs();
        let lag = if self.hangs(now) || self.hangs(now.saturating_sub(timeout)) { timeout + TICK } else { TICK };
        let seen = now.saturating_sub(lag);
        while self.drawn < seen {
            let counts = self.draw(seen, score);
            self.counts = self.counts.plus(&counts);
        }
        self.now = now;
    }

    /// Draws what the guard will never see, since the epoch ends before these calls do.
    pub(super) fn close_epoch(&mut self, now: u64, score: &mut Score) {
        while self.drawn < now {
            self.draw(now, score);
        }
        self.now = now;
    }

    pub(super) fn open_epoch(&mut self, present: Present, score: &mut Score) {
        if present.settings == self.settings {
            self.traffic.forget();
        } else {
            self.traffic.enter(present.settings);
            score.begin_anew();
        }
        self.settings = present.settings;
        self.counts = PhaseCounts::empty(present.epoch, present.settings.mode);
    }

    /// One span of calls, until `until` at most.
    fn draw(&mut self, until: u64, score: &mut Score) -> PhaseCounts {
        let start = self.drawn;
        let turns = self.faults.iter().flat_map(|fault| [fault.begins, fault.ends]).flatten();
        let end = turns.filter(|turn| *turn > start).fold(until.min(start + LONGEST_SPAN), u64::min);
        let length = float(end - start);
        let weather = Weather::at(self.model, &self.limits, float(start) + length / 2.0, &self.on(start));
        let empty = PhaseCounts::empty(self.counts.epoch, self.settings.mode);
        let span = self.traffic.draw(&empty, length, &weather, &mut self.chance);
        self.drawn = end;
        score.take(start, length, &span, &mut self.chance);
        span.counts
    }

    /// The places of the faults that strike.
    fn on(&self, at: u64) -> Vec<usize> {
        (0..).zip(&self.faults).filter(|(_, fault)| fault.is_on(at)).map(|(place, _)| place).collect()
    }

    fn hangs(&self, at: u64) -> bool {
        self.on(at).into_iter().filter_map(|place| self.model.faults.get(place)).any(|fault| fault.hang_rate > 0.0)
    }

    /// What begins and ends by `now`, and when. A fault that waits for this rollout begins.
    pub(super) fn faults_at(&mut self, now: u64, rollout: Percentage) -> Vec<(u64, Happening)> {
        let mut told = Vec::new();
        for ((fault, state), model) in (0..).zip(&mut self.faults).zip(&self.model.faults) {
            if matches!(model.begins, Begins::AtRollout(least) if state.begins.is_none() && rollout >= least) {
                *state = FaultState::beginning(now, model.lasts);
            }
            let has_come = |at: Option<u64>| at.filter(|at| *at <= now);
            if let Some(at) = has_come(state.begins).filter(|_| !std::mem::replace(&mut state.told.0, true)) {
                told.push((at, Happening::Broke { fault }));
            }
            if let Some(at) = has_come(state.ends).filter(|_| !std::mem::replace(&mut state.told.1, true)) {
                told.push((at, Happening::Mended { fault }));
            }
        }
        told
    }

    /// Whether a fault strikes now.
    pub(super) fn is_broken(&self) -> bool {
        !self.on(self.now).is_empty()
    }

    pub(super) const fn hurt_keys(&self) -> u64 {
        self.traffic.hurt.len()
    }

    /// What the guard reads.
    pub(super) fn seen(&self) -> Seen {
        let on = self.on(self.now);
        let of = |place: &usize| self.model.faults.get(*place);
        let failing = self
            .faults
            .iter()
            .zip(&self.model.faults)
            .filter(|(state, fault)| fault.health_checks_fail && state.is_on(self.now));
        let since = failing.filter_map(|(state, _)| state.begins).min();
        let checks = since.map_or(0, |since| (self.now - since) / self.model.health_every.as_secs());
        let factor = on.iter().filter_map(of).map(|fault| fault.latency_factor).fold(1.0, f64::max);
        Seen {
            counts: self.counts,
            health: SideFailures { legacy: 0, new: u32::try_from(checks).unwrap_or(u32::MAX) },
            means: MeanDurations {
                legacy: Some(Latency::of(&self.model.legacy).mean(1.0)),
                new: Some(Latency::of(&self.model.new).mean(factor)),
            },
            baseline: self.limits.baseline,
            factors: self.limits.factors,
        }
    }
}

fn float(seconds: u64) -> f64 {
    Duration::from_secs(seconds).as_secs_f64()
}

/// What can be seen at one time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Seen {
    counts: PhaseCounts,
    health: SideFailures,
    means: MeanDurations,
    baseline: Baseline,
    factors: LatencyFactors,
}

impl Evidence for Seen {
    fn counts(&self) -> PhaseCounts {
        self.counts
    }

    fn health_failures(&self) -> SideFailures {
        self.health
    }

    fn mean_durations(&self) -> MeanDurations {
        self.means
    }

    fn baseline(&self) -> Option<Baseline> {
        Some(self.baseline)
    }

    fn latency_factors(&self) -> LatencyFactors {
        self.factors
    }
}
