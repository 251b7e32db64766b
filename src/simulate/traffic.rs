//! [`Traffic`]: the calls of one span of time.

use super::chance::Chance;
use super::crowd::{Arm, Arms, Crowd, KeySet, People};
use super::rates::Weather;
use super::runs::{Pairs, Part, Runs};
use crate::Percentage;
use crate::mode::SystemMode;
use crate::monitor::{PhaseCounts, ServedCounts};
use crate::store::Settings;

/// Draws calls, and remembers which keys it has met.
#[derive(Debug)]
pub(super) struct Traffic {
    people: People,
    told_apart: bool,
    arms: Arms,
    shadow: f64,
    firsts: [Firsts; 2],
    /// Keys that met a fault.
    pub(super) hurt: KeySet,
}

/// What was drawn for a span.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    pub(super) counts: PhaseCounts,
    /// Calls that new served and that would have gone well without a fault.
    pub(super) hurt: u64,
}

/// The keys of one side of which something was seen in the present epoch.
#[derive(Debug, Clone, Default)]
struct Firsts {
    failed: KeySet,
    overdue: KeySet,
    slow: KeySet,
}

impl Traffic {
    pub(super) fn new(people: People, told_apart: bool) -> Self {
        Self {
            people,
            told_apart,
            arms: Arms::default(),
            shadow: 0.0,
            firsts: Default::default(),
            hurt: KeySet::default(),
        }
    }

    /// Goes on by these settings.
    pub(super) fn enter(&mut self, settings: Settings) {
        let rollout = match settings.mode {
            SystemMode::LegacyOnly | SystemMode::Parallel | SystemMode::EmergencyRollback => Percentage::ZERO,
            SystemMode::GradualRollout => settings.rollout,
            SystemMode::NewOnly => Percentage::HUNDRED,
        };
        self.arms = self.people.arms(rollout);
        self.shadow = settings.effective_shadow_share().percent() / 100.0;
        self.forget();
    }

    /// A new epoch begins.
    pub(super) fn forget(&mut self) {
        self.firsts = Default::default();
    }

    /// The calls of `seconds` of that weather. They have the epoch and the mode of `empty`.
    pub(super) fn draw(&mut self, empty: &PhaseCounts, seconds: f64, weather: &Weather, chance: &mut Chance) -> Span {
        let mut span = Span { counts: *empty, hurt: 0 };
        let arms = std::mem::take(&mut self.arms);
        for (arm, new_serves) in [(&arms.legacy, false), (&arms.new, true)] {
            let calls = chance.arrivals(arm.load() * weather.calls_per_second * seconds);
            for (part, crowd, calls) in parts(arm, weather, calls, chance) {
                let both = chance.of(calls, self.shadow);
                let mut draw = Draw { weather, part, crowd, chance };
                self.alone(&mut span, &mut draw, calls - both, new_serves);
                self.both(&mut span, &mut draw, both, new_serves);
            }
        }
        self.arms = arms;
        span
    }

    fn alone(&mut self, span: &mut Span, draw: &mut Draw<'_>, calls: u64, new_serves: bool) {
        if calls == 0 {
            return;
        }
        let runs = draw.runs(calls, new_serves);
        if new_serves {
            span.counts.new += runs.counts();
        } else {
            span.counts.legacy += runs.counts();
        }
        self.serve(span, draw, &runs, new_serves);
    }

    fn both(&mut self, span: &mut Span, draw: &mut Draw<'_>, calls: u64, new_serves: bool) {
        if calls == 0 {
            return;
        }
        let new = draw.runs(calls, true);
        let Pairs { legacy, tally } = Pairs::draw(&new, draw.part, draw.weather, draw.chance);
        span.counts.new += new.counts();
        span.counts.legacy += legacy.counts();
        span.counts.pairs += tally;
        self.serve(span, draw, if new_serves { &new } else { &legacy }, new_serves);
    }

    /// Takes in what callers got.
    fn serve(&mut self, span: &mut Span, draw: &mut Draw<'_>, runs: &Runs, new_serves: bool) {
        let [legacy, new] = &mut self.firsts;
        let firsts = if new_serves { new } else { legacy };
        let mut first = |events: u64, seen: &mut KeySet| {
            if self.told_apart { draw.insert(events, seen) } else { events }
        };
        let served = ServedCounts {
            started: runs.calls,
            failed: first(runs.failed, &mut firsts.failed),
            overdue: first(runs.overdue, &mut firsts.overdue),
            slow: first(runs.slow, &mut firsts.slow),
        };
        if new_serves {
            span.counts.served_new += served;
            span.hurt += runs.hurt;
            draw.insert(runs.hurt, &mut self.hurt);
        } else {
            span.counts.served_legacy += served;
        }
    }
}

/// What one part of the calls is drawn from.
struct Draw<'a> {
    weather: &'a Weather,
    part: Part,
    crowd: &'a Crowd,
    chance: &'a mut Chance,
}

impl Draw<'_> {
    fn runs(&mut self, calls: u64, is_new: bool) -> Runs {
        match (is_new, self.part) {
            (true, part) => Runs::draw(calls, &self.weather.new, part, self.chance),
            (false, Part::Bad) => Runs::draw(calls, &self.weather.legacy, Part::Bad, self.chance),
            (false, Part::Good | Part::Struck(_)) => Runs::draw(calls, &self.weather.legacy, Part::Good, self.chance),
        }
    }

    /// How many of the keys of so many calls were not in `seen` yet.
    fn insert(&mut self, calls: u64, seen: &mut KeySet) -> u64 {
        let before = seen.len();
        for _ in 0..calls {
            if let Some(key) = self.crowd.draw(self.chance) {
                seen.insert(key);
            }
        }
        seen.len() - before
    }
}

/// Shares out the calls of an arm. A key that several faults strike is struck by the last.
fn parts<'a>(
    arm: &'a Arm,
    weather: &Weather,
    calls: u64,
    chance: &mut Chance,
) -> impl Iterator<Item = (Part, &'a Crowd, u64)> + use<'a> {
    let bad = chance.of(calls, arm.bad.load() / arm.load());
    let mut rest = calls - bad;
    let mut left = arm.good.load();
    let mut parts = vec![(Part::Bad, &arm.bad, bad)];
    for strike in weather.strikes.iter().rev() {
        let Some(crowd) = arm.struck.get(strike.place) else { continue };
        let struck = chance.of(rest, crowd.load() / left);
        parts.push((Part::Struck(*strike), crowd, struck));
        rest -= struck;
        left = (left - crowd.load()).max(0.0);
    }
    parts.push((Part::Good, &arm.good, rest));
    parts.into_iter().filter(|(_, _, calls)| *calls > 0)
}
