//! Only what new adds to legacy's own noise is reported.
#![expect(clippy::unwrap_used, reason = "a test")]

use cutover::compare::{Comparison, Difference, Noise, NoisePath, NoiseReport};
use cutover::stats::mcnemar::p_value;
use serde_json::json;

fn at(path: &str) -> Difference {
    Difference::new(path, Some(json!(1)), Some(json!(2)))
}

fn when(differs: bool, path: &str) -> Vec<Difference> {
    if differs { vec![at(path)] } else { Vec::new() }
}

/// `SplitMix64`: repeatable chance.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    fn one_of(&mut self, count: u64) -> u64 {
        self.next() % count
    }

    fn percent(&mut self, percent: u64) -> bool {
        self.one_of(100) < percent
    }
}

fn the_path(report: &NoiseReport) -> &NoisePath {
    report.paths.first().unwrap()
}

#[test]
fn a_path_that_legacy_never_differs_in_is_reported_at_once() {
    let noise = Noise::new();
    assert_eq!(noise.judge(vec![at("/total")], &[]), [at("/total")]);
    assert_eq!(noise.judge(vec![at("/now"), at("/total")], &[at("/now")]), [at("/total")]);
}

#[test]
fn a_field_that_always_differs_in_both_is_never_reported() {
    let noise = Noise::new();
    for _ in 0..10_000 {
        assert_eq!(noise.judge(vec![at("/now")], &[at("/now")]), []);
    }
    assert!(the_path(&noise.report()).held_back);
}

#[test]
fn a_field_with_70_percent_noise_that_new_always_changes_is_reported_after_enough_calls() {
    for seed in 0..20 {
        let (noise, mut chance) = (Noise::new(), Chance(seed));
        let _learnt = noise.judge(Vec::new(), &[at("/id")]);
        let calls = (1..1_000).find(|_| !noise.judge(vec![at("/id")], &when(chance.percent(70), "/id")).is_empty());
        let calls = calls.unwrap();
        assert!((12..200).contains(&calls), "seed {seed}: after {calls} calls");
        let later = noise.judge(vec![at("/id")], &[at("/id")]);
        assert_eq!(later.len(), 1, "what was found stays reported");
    }
}

#[test]
fn new_may_be_less_noisy_than_legacy() {
    let (noise, mut chance) = (Noise::new(), Chance(7));
    let _learnt = noise.judge(Vec::new(), &[at("/id")]);
    for _ in 0..5_000 {
        let (new, twin) = (when(chance.percent(10), "/id"), when(chance.percent(60), "/id"));
        assert_eq!(noise.judge(new, &twin), []);
    }
}

/// The share of fields with equal noise that are reported after they were learnt, over 1,000 calls each. A field has
/// one of `values` values in every run, so that it differs in `1 - 1/values` of the calls.
fn false_alarms(fields: u64, values: u64) -> (f64, f64) {
    let (mut alarms, mut single_look_alarms) = (0.0, 0.0);
    for field in 0..fields {
        let (noise, mut chance) = (Noise::new(), Chance(field * 1_000 + values));
        let (mut is_learnt, mut has_alarm, mut has_single_look_alarm) = (false, false, false);
        let (mut b, mut c) = (0, 0);
        for _ in 0..1_000 {
            let [legacy, new, twin] = [(); 3].map(|()| chance.one_of(values));
            is_learnt |= legacy != twin;
            let reported = !noise.judge(when(legacy != new, "/f"), &when(legacy != twin, "/f")).is_empty();
            has_alarm |= is_learnt && reported;
            b += u64::from(legacy != new && legacy == twin);
            c += u64::from(legacy == new && legacy != twin);
            has_single_look_alarm |= is_learnt && b > c && p_value(b, c) <= 0.01;
        }
        alarms += f64::from(u8::from(has_alarm));
        single_look_alarms += f64::from(u8::from(has_single_look_alarm));
    }
    let all = f64::from(u32::try_from(fields).unwrap());
    (alarms / all, single_look_alarms / all)
}

#[test]
fn equal_noise_is_rarely_reported_however_often_one_looks() {
    for values in [2, 3, 20] {
        let (rate, single_look) = false_alarms(400, values);
        assert!(rate <= 0.01 + 3.0 * (0.01 * 0.99 / 400.0_f64).sqrt(), "{values} values: {rate}");
        assert!(single_look > 0.02, "the test for one look would do: {single_look}");
    }
}

#[test]
fn array_indices_are_one_path() {
    let noise = Noise::new();
    let _learnt = noise.judge(Vec::new(), &[at("/hits/0/id"), at("/hits/1/id")]);
    assert_eq!(noise.judge(vec![at("/hits/7/id"), at("/hits/x/id")], &[]), [at("/hits/x/id")]);
    let report = noise.report();
    let counts: Vec<_> =
        report.paths.iter().map(|path| (&*path.path, path.new_only, path.twin_only, path.both)).collect();
    assert_eq!(counts, [("/hits/*/id", 1, 1, 0), ("/hits/x/id", 1, 0, 0)]);
}

#[test]
fn a_comparator_without_paths_is_judged_as_a_whole() {
    let noise = Noise::new();
    let differs = || Comparison::Mismatch(Vec::new());
    assert_eq!(noise.settle(differs(), &Comparison::Match), differs());
    assert_eq!(noise.settle(differs(), &differs()), Comparison::Ignored);
    assert_eq!(noise.settle(Comparison::Match, &differs()), Comparison::Match);
    assert_eq!(noise.settle(Comparison::Ignored, &differs()), Comparison::Ignored);
    let report = noise.report();
    let path = the_path(&report);
    assert_eq!((&*path.path, path.new_only, path.twin_only, path.both), ("", 1, 2, 1));
}

#[test]
fn a_mismatch_keeps_what_is_no_noise() {
    let noise = Noise::new();
    let new = Comparison::Mismatch(vec![at("/now"), at("/total")]);
    assert_eq!(noise.settle(new, &Comparison::Mismatch(vec![at("/now")])), Comparison::Mismatch(vec![at("/total")]));
    let only_noise = Comparison::Mismatch(vec![at("/now")]);
    assert_eq!(noise.settle(only_noise, &Comparison::Match), Comparison::Ignored);
}

#[test]
fn when_full_further_paths_are_reported_and_counted() {
    let noise = Noise::new().max_paths(1);
    assert_eq!(noise.judge(vec![at("/a"), at("/b")], &[at("/a"), at("/b")]), [at("/b")]);
    assert_eq!(noise.judge(vec![at("/c")], &[]), [at("/c")]);
    let report = noise.report();
    assert_eq!((report.paths.len(), report.unlearnt, report.calls), (1, 2, 2));
}

#[test]
fn alpha_must_be_a_probability() {
    for bad in [0.0, 1.0, -0.1, f64::NAN] {
        let error = Noise::new().alpha(bad).unwrap_err();
        assert_eq!(error.to_string(), format!("the alpha {bad} is not above 0 and below 1"));
    }
    let strict = Noise::new().alpha(1e-9).unwrap();
    let _learnt = strict.judge(Vec::new(), &[at("/id")]);
    assert!((0..30).all(|_| strict.judge(vec![at("/id")], &[]).is_empty()));
}

#[test]
fn the_report_is_one_serialisable_value() {
    let noise = Noise::new();
    let _reported = noise.judge(vec![at("/now")], &[at("/now")]);
    let text = serde_json::to_string(&noise.report()).unwrap();
    assert_eq!(
        text,
        r#"{"alpha":0.01,"calls":1,"unlearnt":0,"paths":[{"path":"/now","new_only":0,"twin_only":0,"both":1,"p_value":1.0,"held_back":true}]}"#
    );
    assert_eq!(serde_json::from_str::<NoiseReport>(&text).unwrap(), noise.report());
}

#[test]
fn many_threads_learn_together() {
    let noise = Noise::new();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..500).for_each(|_| assert_eq!(noise.judge(vec![at("/now")], &[at("/now")]), [])));
        }
    });
    assert_eq!(the_path(&noise.report()).both, 2_000);
}
