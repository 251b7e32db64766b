//! What the points of a chart add up to.

use std::time::Duration;

use cutover::guard::{GuardReport, Trigger};
use cutover::monitor::{Evidence as _, PerformanceMonitor, PhaseCounts};
use cutover::observe::Sample;
use cutover::testing::ManualClock;
use cutover::{Outcome, Route, Side, Verdict};
use proptest::prelude::*;
use serde_json::json;

use super::*;

/// What happens between two looks.
#[derive(Debug, Clone)]
enum Step {
    Calls {
        side: Side,
        ok: u8,
        failed: u8,
        millis: u64,
    },
    Pairs {
        matched: u8,
        mismatched: u8,
    },
    Wait {
        millis: u64,
    },
    /// Another record: the monitor begins anew.
    NextPhase,
    Look,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let side = prop::sample::select(vec![Side::Legacy, Side::New]);
    let step = prop_oneof![
        4 => (side, 0..9_u8, 0..9_u8, 1..900_u64).prop_map(|(side, ok, failed, millis)| Step::Calls { side, ok, failed, millis }),
        2 => (0..9_u8, 0..9_u8).prop_map(|(matched, mismatched)| Step::Pairs { matched, mismatched }),
        4 => (0..12_000_u64).prop_map(|millis| Step::Wait { millis }),
        1 => Just(Step::NextPhase),
        4 => Just(Step::Look),
    ];
    prop::collection::vec(step, 1..120)
}

/// A monitor that is watched, and the sums that each phase had when it was seen last.
struct Watched {
    clock: ManualClock,
    monitor: PerformanceMonitor,
    sampler: Sampler,
    route: Route,
    first: Option<PhaseCounts>,
    phases: Vec<PhaseCounts>,
    /// Whether another phase may have begun since the last look: of more than one, what came first would be gone.
    has_changed: bool,
}

impl Watched {
    fn new() -> Self {
        let clock = ManualClock::new();
        // Calls that are told of when they end are counted when the timeout is over.
        let builder = PerformanceMonitor::builder().clock(clock.clone()).timeout(Duration::from_secs(2));
        let monitor = builder.build().unwrap();
        let route = Route::new(SystemMode::Parallel, Side::Legacy);
        Self { clock, monitor, sampler: Sampler::default(), route, first: None, phases: Vec::new(), has_changed: false }
    }

    fn take(&mut self, step: &Step) {
        let sample = |side, outcome, millis| Sample::new(side, outcome, Duration::from_millis(millis));
        match *step {
            Step::Calls { side, ok, failed, millis } => {
                (0..ok).for_each(|_| self.monitor.record(&self.route, &sample(side, Outcome::Ok, millis)));
                (0..failed).for_each(|_| self.monitor.record(&self.route, &sample(side, Outcome::Err, millis)));
            }
            Step::Pairs { matched, mismatched } => {
                let (legacy, new) = (sample(Side::Legacy, Outcome::Ok, 3), sample(Side::New, Outcome::Ok, 4));
                (0..matched).for_each(|_| self.monitor.record_pair(&self.route, &legacy, &new, Verdict::Matched));
                (0..mismatched).for_each(|_| self.monitor.record_pair(&self.route, &legacy, &new, Verdict::Mismatched));
            }
            Step::Wait { millis } => self.clock.advance(Duration::from_millis(millis)),
            Step::NextPhase if self.has_changed => {}
            Step::NextPhase => (self.has_changed, self.route.epoch) = (true, self.route.epoch + 1),
            Step::Look => self.look(),
        }
    }

    fn look(&mut self) {
        let (snapshot, ended) = (self.monitor.snapshot(), self.monitor.ended_phase());
        self.first.get_or_insert(snapshot.counts);
        for snapshot in ended.iter().chain([&snapshot]) {
            self.counted(&snapshot.counts);
        }
        // Another phase has begun when its first call is seen, and not when it could.
        self.has_changed &= snapshot.counts.epoch != self.route.epoch;
        let beside = Beside { at: 0, since: 0, rollout: Percentage::ZERO, evidence: Vec::new() };
        self.sampler.take(snapshot, ended.as_ref(), beside);
    }

    /// What a phase has counted by now, or when it ended.
    fn counted(&mut self, counts: &PhaseCounts) {
        match self.phases.iter_mut().find(|phase| (phase.epoch, phase.mode) == (counts.epoch, counts.mode)) {
            Some(phase) => *phase = *counts,
            // It ended before the first look.
            None if self.first.is_some_and(|first| counts.epoch < first.epoch) => {}
            None => self.phases.push(*counts),
        }
    }

    /// What the points of a phase have to add up to: all of it, but for what was there at the first look.
    fn expected(&self, phase: &PhaseCounts) -> PhaseCounts {
        let first = self.first.filter(|first| (first.epoch, first.mode) == (phase.epoch, phase.mode));
        first.map_or(*phase, |first| phase.since(&first))
    }
}

proptest! {
    #[test]
    fn the_points_of_a_phase_add_up_to_what_the_monitor_counted(steps in steps()) {
        let mut watched = Watched::new();
        steps.iter().chain([&Step::Look]).for_each(|step| watched.take(step));
        let series = watched.sampler.series(Duration::from_secs(5), POINTS);
        for phase in &watched.phases {
            let points = || series.points.iter().filter(|point| (point.epoch, point.mode) == (phase.epoch, phase.mode));
            let expected = watched.expected(phase);
            prop_assert_eq!(points().map(|point| point.legacy.calls).sum::<u64>(), expected.legacy.started);
            prop_assert_eq!(points().map(|point| point.new.calls).sum::<u64>(), expected.new.started);
            prop_assert_eq!(points().map(|point| point.compared).sum::<u64>(), expected.pairs.compared);
        }
        for point in &series.points {
            for share in [point.mismatch_rate, point.legacy.success_rate, point.new.success_rate].into_iter().flatten() {
                prop_assert!((0.0..=1.0).contains(&share), "{share}");
            }
            prop_assert_eq!(point.mismatch_rate.is_none(), point.compared == 0);
        }
    }
}

#[test]
fn the_first_point_of_a_phase_has_all_that_was_counted_in_it() {
    let mut watched = Watched::new();
    let calls = Step::Calls { side: Side::Legacy, ok: 8, failed: 1, millis: 5 };
    let second = || Step::Wait { millis: 1_000 };
    let mut said = Vec::new();
    for _ in 0..3 {
        for step in [calls.clone(), second(), calls.clone(), second(), second(), second(), second()] {
            watched.take(&step);
        }
        watched.look();
        said.push(watched.monitor.counts().legacy.started);
        watched.take(&Step::NextPhase);
    }
    assert_eq!(said[1..], [9, 9], "a phase begins with the tick after its first call");
    let points = watched.sampler.series(Duration::from_secs(5), POINTS).points;
    let calls: Vec<_> = points.iter().map(|point| (point.epoch, point.legacy.calls)).collect();
    assert_eq!(calls, [(1, 9), (2, 9)], "neither nothing nor what is less than nothing");
}

#[test]
fn what_was_counted_before_the_first_look_is_no_point() {
    let mut watched = Watched::new();
    for _ in 0..10 {
        watched.take(&Step::Calls { side: Side::Legacy, ok: 9, failed: 0, millis: 5 });
        watched.take(&Step::Wait { millis: 40_000 });
    }
    watched.look();
    assert!(watched.monitor.counts().legacy.started > 50);
    assert!(watched.sampler.series(Duration::from_secs(5), POINTS).points.is_empty());
    watched.look();
    let points = watched.sampler.series(Duration::from_secs(5), POINTS).points;
    assert_eq!((points.len(), points[0].legacy.calls, points[0].legacy.p95), (1, 0, None));
}

#[test]
fn as_many_points_are_kept_as_there_is_room_for() {
    let mut watched = Watched::new();
    (0..POINTS + 100).for_each(|_| watched.look());
    assert_eq!(watched.sampler.series(Duration::from_secs(5), POINTS).points.len(), POINTS);
    assert_eq!(watched.sampler.taken(), (POINTS + 99) as u64);
}

#[test]
fn evidence_is_the_way_to_the_nearer_threshold() {
    let trigger = |strength: serde_json::Value| {
        json!({ "trigger": "error_rate", "verdict": "inconclusive", "proof": null, "applies": true, "events": 0, "trials": 0,
                "estimate": null, "limit": 0.05, "counted_beyond": null, "legacy_events": 0, "legacy_trials": 0,
                "strength": strength, "relative": null, "action": "rollback", "dry_run": false })
    };
    let strength = |ln_e: f64, ln_threshold: Option<f64>, ln_alarm: f64| {
        trigger(json!({ "ln_e": ln_e, "ln_threshold": ln_threshold, "ln_alarm": ln_alarm, "ln_alarm_threshold": 10.0 }))
    };
    let share = |trigger: serde_json::Value| {
        let report: GuardReport = serde_json::from_value(json!({
            "verdict": "inconclusive", "action": null, "epoch": 1, "mode": "parallel", "rollout": 0.0, "phase": 1,
            "triggers": [trigger], "criteria": [], "notes": []
        }))
        .unwrap();
        evidence(&report).first().map(|found| (found.trigger, found.share))
    };
    assert_eq!(share(strength(3.0, Some(6.0), 0.0)), Some((Trigger::ErrorRate, 0.5)));
    assert_eq!(share(strength(3.0, Some(6.0), 8.0)), Some((Trigger::ErrorRate, 0.8)));
    assert_eq!(share(strength(-5.0, Some(6.0), -1.0)), Some((Trigger::ErrorRate, 0.0)));
    assert_eq!(share(strength(99.0, None, 1.0)), Some((Trigger::ErrorRate, 0.1)));
    assert_eq!(share(strength(1e300, Some(1e-9), 0.0)), Some((Trigger::ErrorRate, 1_000.0)));
    assert_eq!(share(trigger(json!(null))), None);
}
