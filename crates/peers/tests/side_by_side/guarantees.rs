//! The column "guarantees" of BENCHMARKS.md says what is seen here, no more and no less.

use cutover::{DualRunner, Equality, Route, Side, SystemMode};
use cutover_peers::dual::{Books, Fault, Seen, observe};
use cutover_peers::flags::Taken;
use cutover_peers::{Entry, Guarantee, Role, comparison};

use super::odd_percentages::AT_THE_VERY_END;
use super::{dual, shares};

/// Rows of dual runs, and the library that stands behind each.
const DUAL: [(&str, &str, &str); 7] = [
    ("dual-both", "`DualRunner::run`", "cutover `run`"),
    ("dual-both", "`Migrator::read`", "launchdarkly-server-sdk"),
    ("dual-both", "`AsyncExperiment`", "scientisto"),
    ("dual-both", "`Experiment::run_result`", "thesis"),
    ("dual-both", "`Shadower::call`", "request-shadow"),
    ("dual-sync", "`DualRunner::run_sync`", "cutover `run_sync`"),
    ("dual-sync", "`Experiment::run`", "scientisto, closures"),
];

fn entry(id: &str, name: &str) -> Entry {
    comparison(id).unwrap().entries.into_iter().find(|entry| entry.name == name).unwrap()
}

fn kept(library: &str, fault: Fault) -> bool {
    matches!(observe(dual(library).as_ref(), fault), Seen::Answer(_))
}

#[test]
fn guarantees_of_dual_runs_are_what_was_seen() {
    for (id, name, library) in DUAL {
        let entry = entry(id, name);
        let seen = [
            (Guarantee::BoundedWait, kept(library, Fault::HungShadow)),
            (Guarantee::ShadowPanics, kept(library, Fault::PanickingShadow)),
            (Guarantee::ComparatorPanics, kept(library, Fault::PanickingComparator)),
            (Guarantee::RecorderPanics, kept(library, Fault::PanickingRecorder)),
            (Guarantee::DroppedCalls, Books::of(dual(library).as_ref()) == Books::Balanced),
            (Guarantee::Send, dual(library).is_send()),
        ];
        for (guarantee, seen) in seen {
            assert_eq!(entry.offers(guarantee), seen, "{name}: {}", guarantee.words());
        }
    }
}

#[test]
fn a_call_that_runs_one_side_has_the_guarantees_of_one_that_runs_both() {
    let (one, both) = (comparison("dual-one").unwrap(), comparison("dual-both").unwrap());
    for entry in one.entries.iter().filter(|entry| entry.role != Role::Floor) {
        let same = both.entries.iter().find(|both| (both.role, both.package) == (entry.role, entry.package)).unwrap();
        assert_eq!(entry.guarantees, same.guarantees, "{}", entry.name);
    }
}

#[test]
fn cutover_times_both_sides() {
    let route = Route::new(SystemMode::Parallel, Side::Legacy).with_shadow();
    let runner = DualRunner::<u64, String>::builder("price", route).comparator(Equality).build();
    let work = || Ok((0..100_000_u64).fold(1, |sum, next| std::hint::black_box(sum ^ next)));
    runner.run_sync("anna", work, work).unwrap();
    assert!(runner.counts().legacy_nanos > 1_000 && runner.counts().new_nanos > 1_000, "{:?}", runner.counts());
}

/// Rows of flags, and the library that stands behind each.
const FLAGS: [(&str, &str); 5] = [
    ("`FlagSet::is_enabled`", "cutover"),
    ("client, `bool_variation`", "launchdarkly-server-sdk"),
    ("`EngineState::is_enabled`", "unleash-yggdrasil"),
    ("client, `is_on`", "growthbook-rust, hash version 2"),
    ("`FlagEvaluator::evaluate`", "feature-flag"),
];

#[test]
fn guarantees_of_flags_are_what_was_seen() {
    for (name, library) in FLAGS {
        let (entry, library) = (entry("flags-1", name), shares(library));
        let half = library.share(0.5, 20_000);
        let refused = |percent| !matches!(library.share(percent, 10), Taken::As(_));
        let Taken::As(everybody) = library.flag("new-search", 100.0) else { panic!("100 % was not taken") };
        let seen = [
            (Guarantee::ExactEnds, everybody(AT_THE_VERY_END)),
            (Guarantee::RefusesNonsense, [f64::NAN, -5.0, 250.0].into_iter().all(refused)),
            (Guarantee::Fractions, matches!(half, Taken::As(share) if (share.percent() - 0.5).abs() < 0.3)),
            (Guarantee::Uncorrelated, library.correlated_pairs() == Some(0)),
        ];
        for (guarantee, seen) in seen {
            assert_eq!(entry.offers(guarantee), seen, "{name}: {}", guarantee.words());
        }
    }
}
