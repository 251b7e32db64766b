//! New is promoted by proof alone: never without data, hardly ever wrongly, and soon when both sides are equal.
#![expect(clippy::print_stdout, reason = "figures are printed")]

mod guard_common;

use cutover::PromotionCriteria;
use cutover::guard::{Action, Criterion, Guard, GuardReport, GuardVerdict, RollbackTriggers, Trigger};
use guard_common::{Chance, SEED, Watched, at_most, longer, median_and_p95};

const ALL: &[Criterion] = &Criterion::ALL;

fn parallel() -> Watched {
    Watched::parallel(Guard::default())
}

fn compared(watched: &mut Watched, trials: u64, bad: u64) {
    watched.comparisons(trials, bad);
}

fn overdue(watched: &mut Watched, trials: u64, bad: u64) {
    watched.fed.counts.new.started += trials;
    watched.fed.counts.new.overdue += bad;
}

fn slow(watched: &mut Watched, trials: u64, bad: u64) {
    watched.fed.counts.new.timed += trials;
    watched.fed.counts.new.slow_for_promotion += bad;
}

type Add = fn(&mut Watched, u64, u64);

/// Each criterion, how it gets its data, and the rate that is just not good enough.
const KINDS: [(Criterion, Add, f64); 3] =
    [(Criterion::Validation, compared, 0.2), (Criterion::Throughput, overdue, 0.05), (Criterion::Latency, slow, 0.05)];

#[test]
fn no_data_proves_nothing() {
    let mut watched = parallel();
    for _ in 0..10 {
        let report = watched.look();
        assert!(ALL.iter().all(|criterion| !report.promotes(&[*criterion])), "{report}");
        assert_eq!(report.verdict, GuardVerdict::Inconclusive);
    }
    // Data for two of them prove nothing about the third.
    for missing in KINDS {
        let mut watched = parallel();
        for (_, add, _) in KINDS.into_iter().filter(|(criterion, ..)| *criterion != missing.0) {
            add(&mut watched, 1_000_000, 0);
        }
        let report = watched.look();
        let proven = KINDS.map(|(criterion, ..)| report.promotes(&[criterion]));
        assert_eq!(proven, KINDS.map(|(criterion, ..)| criterion != missing.0), "{report}");
        assert!(!report.promotes(ALL));
    }
}

/// 4 % of the calls of new fail at once, and their answers are the same otherwise. No criterion looks at that.
#[test]
fn failing_fast_is_held_back_by_the_error_rate_alone() {
    let fails_4_percent = |limit| {
        let triggers = RollbackTriggers::builder().limit(Trigger::ErrorRate, limit).build().unwrap();
        let mut watched = Watched::parallel(Guard::new(triggers, PromotionCriteria::default()));
        watched.pairs(10_000, 400, 0);
        watched.comparisons(9_600, 0);
        slow(&mut watched, 10_000, 0);
        watched.look()
    };
    let (below, above) = (fails_4_percent(0.05), fails_4_percent(0.02));
    assert!(below.promotes(ALL) && below.action.is_none(), "{below}");
    assert!(!above.promotes(ALL) && above.action == Some(Action::Rollback), "{above}");
}

#[test]
fn few_good_calls_prove_nothing() {
    let mut watched = parallel();
    for (_, add, _) in KINDS {
        add(&mut watched, 10, 0);
    }
    let report = watched.look();
    assert!(ALL.iter().all(|criterion| !report.promotes(&[*criterion])), "{report}");
}

/// All three are just not good enough. Only calls that are not bad raise the evidence: it is highest before a bad one.
#[test]
fn wrong_promotions_are_as_rare_as_they_should_be() {
    let (runs, looks) = (2_500 * longer(), 25);
    let mut wrong = [0; 3];
    for run in 0..runs {
        let (mut watched, mut chance) = (parallel(), Chance::new(run));
        let mut promoted = [false; 3];
        for _ in 0..looks {
            for (_, add, rate) in KINDS {
                let trials = chance.next_event(rate);
                add(&mut watched, trials - 1, 0);
            }
            let report = watched.look();
            for (promoted, (criterion, ..)) in promoted.iter_mut().zip(KINDS) {
                *promoted |= report.promotes(&[criterion]);
            }
            for (_, add, _) in KINDS {
                add(&mut watched, 1, 1);
            }
        }
        for (count, promoted) in wrong.iter_mut().zip(promoted) {
            *count += u64::from(promoted);
        }
    }
    let most = at_most(0.05, runs);
    println!("wrong promotions of {runs}: {wrong:?}, at most {most}");
    assert!(wrong.iter().all(|count| (1..=most).contains(count)), "{wrong:?} of {runs}, at most {most}, seed {SEED}");
}

/// Calls until all criteria are proven. The rate is that of calls beyond 1.1 times the p95.
fn calls_to_promotion(rate: f64, run: u64, most: u64) -> Option<u64> {
    let (mut watched, mut chance, mut calls) = (parallel(), Chance::new(run), 0);
    while calls < most {
        let bad = (0..20).map(|_| u64::from(chance.is(rate))).sum();
        compared(&mut watched, 20, 0);
        overdue(&mut watched, 20, 0);
        slow(&mut watched, 20, bad);
        calls += 20;
        if watched.look().promotes(ALL) {
            return Some(calls);
        }
    }
    None
}

/// Where durations are lognormal with this sigma, so many calls of an equal side take longer than 1.1 times the p95.
#[test]
fn an_equal_side_is_promoted_soon() {
    for (sigma, rate, most) in [(0.25, 0.021_4, 600), (0.5, 0.033_2, 4_000), (1.0, 0.040_9, 20_000)] {
        let runs = if sigma < 1.0 { 40 } else { 8 };
        let calls = (0..runs).map(|run| calls_to_promotion(rate, run, 60_000).expect("it is promoted"));
        let (median, p95) = median_and_p95(calls.collect());
        println!("equal sides with sigma {sigma}: {median} calls, p95 {p95}");
        assert!(median <= most, "sigma {sigma}: {median}, at most {most}, seed {SEED}");
    }
}

/// A side that is 50 % slower has 15 % of its calls beyond 1.1 times the p95 where sigma is 0.5. A positive change of latency is
/// worse, whoever calls it an improvement.
#[test]
fn a_side_that_is_50_percent_slower_is_never_promoted() {
    let promoted: Vec<_> = (0..40 * longer()).filter_map(|run| calls_to_promotion(0.15, run, 3_000)).collect();
    assert!(promoted.is_empty(), "{promoted:?}, seed {SEED}");
}

/// .. and 50 % faster has none: a large change for the better is promoted.
#[test]
fn a_side_that_is_50_percent_faster_is_promoted() {
    let calls = calls_to_promotion(0.001, 1, 1_000).expect("it is promoted");
    assert!(calls <= 200, "{calls}");
}

#[test]
fn between_the_two_limits_it_holds() {
    let mut watched = parallel();
    for _ in 0..1_000 {
        overdue(&mut watched, 1_000, 0);
        slow(&mut watched, 1_000, 0);
        compared(&mut watched, 1_000, 250);
        watched.glance();
    }
    let report = watched.look();
    assert_eq!((report.action, report.promotes(ALL)), (None, false), "{report}");
    assert_eq!(report.criterion(Criterion::Validation).unwrap().verdict, GuardVerdict::Inconclusive);
    assert!(report.promotes(&[Criterion::Throughput, Criterion::Latency]));
}

/// What was proven by a million comparisons is not believed any more when the next two thousand speak against it.
#[test]
fn what_came_lately_counts() {
    let mut watched = parallel();
    compared(&mut watched, 1_000_000, 1_000);
    assert!(watched.look().promotes(&[Criterion::Validation]));
    for _ in 0..20 {
        compared(&mut watched, 100, 26);
        watched.glance();
    }
    let report = watched.look();
    let validation = report.criterion(Criterion::Validation).unwrap();
    assert!(!report.promotes(&[Criterion::Validation]) && validation.lately_worse, "{report}");
    assert_eq!(report.action, None);
    for _ in 0..20 {
        compared(&mut watched, 100, 0);
        watched.glance();
    }
    assert!(watched.look().promotes(&[Criterion::Validation]));
}

#[test]
fn nothing_is_promoted_while_anything_has_regressed() {
    let mut watched = parallel();
    for (_, add, _) in KINDS {
        add(&mut watched, 1_000, 0);
    }
    let proven = |report: &GuardReport| report.criteria.iter().all(|report| report.verdict == GuardVerdict::Healthy);
    assert!(watched.look().promotes(ALL));
    watched.fed.health.new = 4;
    let report = watched.look();
    assert!(proven(&report) && !report.promotes(ALL) && !report.promotes(&[]), "{report}");
}
